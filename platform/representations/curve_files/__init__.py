"""Readers of the files in which programs write densities of states; `registry.FORMATS` is the table of them."""
