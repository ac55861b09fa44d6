"""Phonons by CHGNet: what `chgnet` gives, and the phonon density of states by finite displacements."""
