"""What can be plugged in, by name: one light declaration each, ours and those of installed packages."""
