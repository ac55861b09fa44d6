"""What the child does: phonons of a relaxed crystal, and what is told of them.

A crystal with more than 1 % of imaginary modes is no minimum of its energy: it gets no curve, so that it can be no hit
of a target and nothing learns from it. Its energy is kept, and the share is told among the details of its calculation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.chgnet_phonon.settings import PhononSettings
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
from fermiloop.platform.predictors.potential.phonons import Modes, curve_of, modes_of
from fermiloop.platform.representations.phonon_curves import imaginary_modes, refusal
from fermiloop.schemas.curve_kinds import SpectrumKind

KIND: Final = SpectrumKind.PHONON_DOS


def run(task: dict[str, Any], folder: Path) -> dict[str, Any]:  # noqa: ARG001 - one signature for all tasks
    """Labels of the crystal with its phonon density of states in states/THz/cell.

    Parameters
    ----------
    task
        ``labels``, what the relaxation left; ``settings``, fields of `PhononSettings`.
    """
    settings = PhononSettings(**task["settings"])
    crystal = Structure.from_dict(task["labels"]["structure"])
    calculator = ChgnetPotential().calculator()
    found = modes_of(calculator, crystal, settings.separation, settings.displacement, settings.mesh)
    share = imaginary_modes(found.frequencies, found.weights)
    told = _told(found, share)
    if refusal(share):
        return {**task["labels"], "details": {"phonons": told}}
    points, values = curve_of(found, len(crystal), settings.broadening)
    return {
        **task["labels"],
        "curves": {str(KIND): [[round(float(x), 6) for x in points], [float(y) for y in values]]},
        "details": {"phonons": told},
    }


def _told(found: Modes, share: float) -> dict[str, Any]:
    told = {
        "imaginary_modes": round(share, 6),
        "lowest_thz": round(float(found.frequencies.min()), 4),
        "highest_thz": round(float(found.frequencies.max()), 4),
        "atoms": found.atoms,
        "displacements": found.displacements,
    }
    reason = refusal(share)
    return told | ({"refused": reason} if reason else {})
