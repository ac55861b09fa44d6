"""Steps of the cheap engines as jobs of the same shape as the DFT's: a relaxation by a potential, a made-up curve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobflow import Maker, job
from pymatgen.core import Structure

from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError


@dataclass
class ChildRelaxMaker(Maker):
    """Relaxation by a cheap potential in a child process.

    Parameters
    ----------
    kind
        Entry of `child.TASKS`.
    arguments
        What the task takes beside the structure.
    """

    name: str = "cheap relax"
    kind: str = "chgnet_relax"
    arguments: dict[str, Any] = field(default_factory=lambda: {"fmax": 0.05, "steps": 200})
    calculation: str = ""
    time_limit: float = 600.0

    @job
    def make(self, structure: Structure | None) -> dict[str, Any]:
        """Relaxed structure (dictionary) and energy in eV per cell."""
        if structure is None:
            raise EngineError("No structure to relax: the step before failed.")
        task = {"kind": self.kind, "structure": structure.as_dict(), **self.arguments}
        return isolation.run(self.calculation, "relax", task, self.time_limit)


@dataclass
class AnalyticDosMaker(Maker):
    """A made-up density of states, for tests."""

    name: str = "analytic DOS"
    curve: str = ""  # another kind that is wanted too
    calculation: str = ""
    time_limit: float = 600.0

    @job(data=["energies", "density"])
    def make(self, structure: Structure | None) -> dict[str, Any]:
        """Energies in eV, density in states/eV/cell."""
        if structure is None:
            raise EngineError("No structure for the density of states: the relaxation failed.")
        task = {"kind": "analytic_static", "structure": structure.as_dict(), "curve": self.curve}
        return isolation.run(self.calculation, "static", task, self.time_limit)
