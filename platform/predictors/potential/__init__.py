"""Cheap potentials: an energy and a relaxed geometry in a fraction of a second; none gives a density of states."""
