"""CHGNet as an engine: a relaxation by a machine-learned potential, without a density of states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.chgnet.declaration import CHGNET
from fermiloop.flows.engines.protocol import Availability, EngineEntry, MethodRecord, chain, checked_settings, version
from fermiloop.flows.engines.relaxation import RelaxSettings
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential

if TYPE_CHECKING:
    from jobflow import Flow


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: the pretrained potential."""
    checked_settings(RelaxSettings, settings, CHGNET.name)
    return MethodRecord(CHGNET.name, "CHGNet 0.3.0", {}, {"chgnet": version("chgnet")})


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Relax cell and positions."""
    from fermiloop.flows.engines.makers import ChildRelaxMaker

    checked = checked_settings(RelaxSettings, settings, CHGNET.name)
    relax = ChildRelaxMaker(
        name="CHGNet relax",
        kind="chgnet_relax",
        arguments={"fmax": checked.fmax, "steps": checked.steps},
        calculation=calculation,
        time_limit=time_limit,
    ).make(structure)
    return chain("CHGNet relax", [], {"relax": relax})


def static(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Energy at the geometry as it is; its step bears the name of the relaxation's, which holds the labels."""
    from fermiloop.flows.engines.makers import ChildRelaxMaker

    checked_settings(RelaxSettings, settings, CHGNET.name)
    energy = ChildRelaxMaker(
        name="CHGNet energy", kind="chgnet_static", arguments={}, calculation=calculation, time_limit=time_limit
    ).make(structure)
    return chain("CHGNet energy", [], {"relax": energy})


def available() -> Availability:
    """It comes with the platform."""
    return Availability(True, f"CHGNet {version('chgnet')}")


def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:  # noqa: ARG001  (the table's signature)
    """Why CHGNet gives no energy of a crystal, None where it does."""
    return ChgnetPotential().fault(structure)


ENGINE: Final = EngineEntry(method, flow, available, refuses=refuses, static=static)
