"""The Methods of the seed library, as literals: they must stay what they were when it was computed."""

from __future__ import annotations

from typing import Any, Final

GPAW: Final[dict[str, Any]] = {
    "engine": "gpaw",
    "functional": "PBE",
    "settings": {
        "cutoff": 400.0,  # eV
        "kpoint_density": 5.0,  # per Å⁻¹, Gamma included
        "smearing": 0.1,  # eV, Fermi-Dirac
        "symmetry_tolerance": 1e-4,
        "dos_lo": -10.0,  # eV about the Fermi level
        "dos_hi": 8.0,
        "dos_step": 0.05,
        "dos_broadening": 0.1,  # eV, after tetrahedra
        "max_scf_steps": 80,
    },
    "code_versions": {"gpaw": "26.7.0", "gpaw-data": "1.2.1"},
}
GPAW_HARD: Final[dict[str, Any]] = {
    **GPAW,
    "engine": "gpaw-hard",
    "settings": {**GPAW["settings"], "cutoff": 600.0},  # eV
}
CHGNET: Final[dict[str, Any]] = {
    "engine": "chgnet",
    "functional": "CHGNet 0.3.0",
    "settings": {},
    "code_versions": {"chgnet": "0.4.2"},
}
DOS_LO: Final = -10.0  # eV; the curves of the library have 361 points to 8 eV
DOS_HI: Final = 8.0
DOS_POINTS: Final = 361
