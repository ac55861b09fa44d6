"""A jobflow Maker of the user's own as an engine."""
