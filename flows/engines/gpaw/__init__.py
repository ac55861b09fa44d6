"""GPAW: relaxation, energy and density of states by PBE."""
