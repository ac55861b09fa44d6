"""The engine ``flow``: any jobflow Maker as an evaluation, its output mapped to properties by the campaign file.

The Maker's own code runs: a campaign file that names one is to be trusted as a program is. Nothing else is run: the
name is imported, its arguments are plain values, and paths in the output are looked up. The whole flow of one crystal
is one step in a child process, with the time limit, the cost and the reason of a failure that every step has. A flow
that was cut off before its end begins again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jobflow import Flow, Maker, job
from pymatgen.core import Structure

from fermiloop.flows.engines.flow.building import maker_of, origin_of
from fermiloop.flows.engines.flow.declaration import FLOW
from fermiloop.flows.engines.flow.settings import checked
from fermiloop.flows.engines.protocol import Availability, EngineEntry, MethodRecord, chain, versions
from fermiloop.flows.engines.steps import isolation

TASK: Final = "fermiloop.flows.engines.flow.task:run"
PACKAGES: Final = ("jobflow", "atomate2", "pymatgen")


@dataclass
class FlowStepMaker(Maker):
    """All jobs of a user's flow for one crystal, in a child process.

    Parameters
    ----------
    settings
        As `settings.checked` takes them.
    """

    name: str = "flow"
    settings: dict[str, Any] = field(default_factory=dict)
    calculation: str = ""
    time_limit: float = 3600.0

    @job(data=["energies", "density"])
    def make(self, structure: Structure) -> dict[str, Any]:
        """What is recorded of the flow's output."""
        task = {"kind": TASK, "settings": self.settings, "structure": structure.as_dict()}
        return isolation.run(self.calculation, FLOW.last_step, task, self.time_limit)


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: the Maker with its arguments, its version, and what is taken of its output.

    Raises
    ------
    InputError
        If the Maker cannot be imported or does not take the arguments, or a setting is wrong.
    """
    chosen = checked(settings)
    maker_of(chosen)
    science = {**chosen.science(), "version": origin_of(chosen.maker)}
    return MethodRecord(FLOW.name, chosen.maker, science, versions(PACKAGES))


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """One job that runs the Maker's flow."""
    checked(settings)
    made = FlowStepMaker(settings=dict(settings), calculation=calculation, time_limit=time_limit).make(structure)
    return chain(str(settings["maker"]), [], {FLOW.last_step: made})


def available() -> Availability:
    """It is built in; whether the Maker can be imported is asked with the settings."""
    return Availability(True, "built in; runs the Maker that a campaign file names")


ENGINE: Final = EngineEntry(method, flow, available)
