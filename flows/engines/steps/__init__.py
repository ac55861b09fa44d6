"""A step of a calculation: an isolated child or a program, its folder, its failure, its cost."""
