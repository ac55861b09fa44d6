"""Loading the seed library, structure files and folders."""
