"""What to evaluate next under a budget."""
