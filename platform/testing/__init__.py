"""Contract tests: what every plug-in of a kind must do, ours and those of other packages alike."""
