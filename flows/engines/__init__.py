"""Engines: what computes energies and densities of states."""
