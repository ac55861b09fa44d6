"""Loading the seed library, files, other databases and the archives of campaigns."""
