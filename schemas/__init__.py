"""What is kept: one document per file."""
