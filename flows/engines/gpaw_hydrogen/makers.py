"""Interstitial hydrogen as a jobflow Maker, after a static calculation by GPAW."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobflow import Maker, job
from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw_hydrogen.declaration import GPAW_HYDROGEN
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError
from fermiloop.platform.settings import settings

TASK = "fermiloop.flows.engines.gpaw_hydrogen.task:run"


@dataclass
class HydrogenMaker(Maker):
    """Hydrogen in the interstitial sites of a relaxed crystal, in a child process.

    Parameters
    ----------
    settings
        Fields of `GpawHydrogenSettings`.
    versions
        Of the programs by which the molecule is computed too.
    moments
        That the atoms of the crystal were given to begin with, μB; the step before does not hand them on.
    """

    name: str = "GPAW interstitial hydrogen"
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    moments: list[float] | None = None
    calculation: str = ""
    time_limit: float = 3600.0

    @job(data=["energies", "density"])
    def make(self, labels: dict[str, Any] | None) -> dict[str, Any]:
        """The labels of the static calculation, with the energy of interstitial hydrogen in eV per H."""
        if labels is None:
            raise EngineError("No relaxed crystal to put hydrogen into: a step before failed.")
        crystal = labels["structure"]  # jobflow has made a Structure of what the step before left
        given = crystal.as_dict() if isinstance(crystal, Structure) else crystal
        task = {
            "kind": TASK,
            "labels": {**labels, "structure": given},
            "settings": self.settings,
            "versions": self.versions,
            "moments": self.moments,
            "molecules": str(settings().data_dir.expanduser() / "molecules"),
        }
        return isolation.run(self.calculation, GPAW_HYDROGEN.last_step, task, self.time_limit)
