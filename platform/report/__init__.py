"""Pictures and the page of a campaign."""
