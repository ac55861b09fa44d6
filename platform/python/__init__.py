"""The Python API: what ``import fermiloop`` offers to scripts and notebooks, over the functions of `platform.app`.

Here stands only what makes those convenient in Python: a connection at the first use, values in place of texts,
pymatgen's crystals and densities of states, pandas' tables.
"""
