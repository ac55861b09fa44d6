"""What runs: jobflow Makers, launching, workers."""
