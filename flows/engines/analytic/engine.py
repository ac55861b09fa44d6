"""The analytic engine: Lennard-Jones and a made-up density of states, in no time, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.analytic.declaration import ANALYTIC
from fermiloop.flows.engines.protocol import Availability, EngineEntry, MethodRecord, chain, checked_settings
from fermiloop.flows.engines.relaxation import RelaxSettings
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from jobflow import Flow


@dataclass(frozen=True)
class AnalyticSettings(RelaxSettings):
    """`RelaxSettings`, and what tests need: `sleep` in seconds, and a way in which it fails.

    Parameters
    ----------
    curve
        Another kind of curve that it makes up beside the density of states, such as ``phonon_dos``.
    """

    sleep: float = 0.0
    fail: str = ""
    curve: str = ""


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method, which no setting changes."""
    curve = checked_settings(AnalyticSettings, settings, ANALYTIC.name).curve
    if curve and curve not in ANALYTIC.gives_curves:
        raise InputError(f"The analytic engine makes up {' and '.join(ANALYTIC.gives_curves)}, not {curve!r}.")
    return MethodRecord(ANALYTIC.name, "Lennard-Jones, for tests", {}, {})


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Relax, then make up a density of states."""
    from fermiloop.flows.engines.makers import AnalyticDosMaker, ChildRelaxMaker

    arguments = asdict(checked_settings(AnalyticSettings, settings, ANALYTIC.name))
    curve = arguments.pop("curve")
    relax = ChildRelaxMaker(
        name="analytic relax",
        kind="analytic_relax",
        arguments=arguments,
        calculation=calculation,
        time_limit=time_limit,
    ).make(structure)
    dos = AnalyticDosMaker(curve=curve, calculation=calculation, time_limit=time_limit).make(relax.output["structure"])
    return chain("analytic relax and DOS", [relax], {"static": dos})


def static(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Make up a density of states at the geometry as it is."""
    from fermiloop.flows.engines.makers import AnalyticDosMaker

    curve = checked_settings(AnalyticSettings, settings, ANALYTIC.name).curve
    dos = AnalyticDosMaker(curve=curve, calculation=calculation, time_limit=time_limit).make(structure)
    return chain("analytic DOS", [], {"static": dos})


def available() -> Availability:
    """It is built in."""
    return Availability(True, "built in")


ENGINE: Final = EngineEntry(method, flow, available, static=static)
