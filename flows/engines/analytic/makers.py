"""The made-up density of states of the analytic engine, as a job of the same shape as the DFT's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import Maker, job
from pymatgen.core import Structure

from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError


@dataclass
class AnalyticDosMaker(Maker):
    """A made-up density of states, for tests."""

    name: str = "analytic DOS"
    calculation: str = ""
    time_limit: float = 600.0

    @job(data=["energies", "density"])
    def make(self, structure: Structure | None) -> dict[str, Any]:
        """Energies in eV, density in states/eV/cell."""
        if structure is None:
            raise EngineError("No structure for the density of states: the relaxation failed.")
        task = {"kind": "analytic_static", "structure": structure.as_dict()}
        return isolation.run(self.calculation, "static", task, self.time_limit)
