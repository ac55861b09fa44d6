"""CHGNet as an engine."""
