"""GPAW as an engine: relaxation, static calculation and density of states by PBE."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw.declaration import GPAW
from fermiloop.flows.engines.gpaw.settings import HARD_CUTOFF, HARD_ELEMENTS, GpawEngineSettings, GpawSettings
from fermiloop.flows.engines.protocol import (
    Availability,
    EngineEntry,
    MethodRecord,
    chain,
    checked_settings,
    version,
    versions,
)

if TYPE_CHECKING:
    from jobflow import Flow

PACKAGES: Final = ("gpaw", "gpaw-data", "ase")
SCIENCE: Final = tuple(f.name for f in fields(GpawSettings))


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: PBE with these settings."""
    checked = asdict(checked_settings(GpawEngineSettings, settings, GPAW.name))
    science = {name: checked[name] for name in SCIENCE}
    return MethodRecord(GPAW.name, "PBE", science, versions(PACKAGES))


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Relax, then static with density of states."""
    from fermiloop.flows.engines.gpaw.makers import GpawDosMaker, GpawRelaxMaker

    checked = checked_settings(GpawEngineSettings, settings, GPAW.name)
    static = {name: getattr(checked, name) for name in SCIENCE}
    relax = GpawRelaxMaker(
        settings={**static, "kpoint_density": checked.relax_kpoint_density},
        steps=checked.relax_steps,
        relax_kwargs={"fmax": checked.relax_fmax},
        calculation=calculation,
        time_limit=time_limit,
    ).make(structure)
    dos = GpawDosMaker(settings=static, calculation=calculation, time_limit=time_limit).make(relax.output.structure)
    return chain("GPAW relax, static and DOS", [relax], {"static": dos})


def static(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Static with density of states, at the geometry as it is."""
    from fermiloop.flows.engines.gpaw.makers import GpawDosMaker

    checked = checked_settings(GpawEngineSettings, settings, GPAW.name)
    science = {name: getattr(checked, name) for name in SCIENCE}
    dos = GpawDosMaker(settings=science, calculation=calculation, time_limit=time_limit).make(structure)
    return chain("GPAW static and DOS", [], {"static": dos})


def available() -> Availability:
    """Whether GPAW is installed."""
    if importlib.util.find_spec("gpaw") is None:
        compiler = "" if shutil.which("g++") else " after a C and C++ compiler (Debian: build-essential)"
        return Availability(False, f"install it with pip install '.[dft]' in fermiloop's folder{compiler}")
    return Availability(True, f"GPAW {version('gpaw')}")


def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:
    """Why the cutoff is too low for a crystal, None where it is not."""
    hard = sorted(HARD_ELEMENTS & {element.symbol for element in structure.composition.elements})
    if hard and float(settings.get("cutoff", GpawSettings.cutoff)) < HARD_CUTOFF:
        return f"{', '.join(hard)} {'needs' if len(hard) == 1 else 'need'} a cutoff of {HARD_CUTOFF:g} eV"
    return None


ENGINE: Final = EngineEntry(method, flow, available, refuses=refuses, static=static)
