"""Crystals and spectra as numbers, and back."""
