"""Labels and curves predicted from composition and structure."""
