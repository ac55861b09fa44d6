"""Phonons as a jobflow Maker, after a relaxation by CHGNet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobflow import Maker, job
from pymatgen.core import Structure

from fermiloop.flows.engines.chgnet_phonon.declaration import CHGNET_PHONON
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError

TASK = "fermiloop.flows.engines.chgnet_phonon.task:run"


@dataclass
class PhononMaker(Maker):
    """Phonons of a relaxed crystal by finite displacements, in a child process.

    Parameters
    ----------
    settings
        Fields of `PhononSettings`.
    """

    name: str = "CHGNet phonons"
    settings: dict[str, Any] = field(default_factory=dict)
    calculation: str = ""
    time_limit: float = 900.0

    @job
    def make(self, labels: dict[str, Any] | None) -> dict[str, Any]:
        """What the relaxation left, with the phonon density of states where the crystal has one."""
        if labels is None:
            raise EngineError("No relaxed crystal for phonons: the relaxation failed.")
        crystal = labels["structure"]  # jobflow has made a Structure of what the step before left
        given = crystal.as_dict() if isinstance(crystal, Structure) else crystal
        task = {"kind": TASK, "labels": {**labels, "structure": given}, "settings": self.settings}
        return isolation.run(self.calculation, CHGNET_PHONON.last_step, task, self.time_limit)
