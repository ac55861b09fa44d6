"""VASP by the settings of the Materials Project."""
