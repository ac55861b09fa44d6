"""Libraries of curves that are shipped, computed here."""
