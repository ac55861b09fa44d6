"""A relaxation by a potential as a job of the same shape as the DFT's."""

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
