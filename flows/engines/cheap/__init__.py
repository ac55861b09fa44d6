"""CHGNet and the analytic engine of the tests."""
