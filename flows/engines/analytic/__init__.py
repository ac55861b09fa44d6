"""The analytic engine of tests and demonstrations."""
