"""GPAW as an engine: relaxation, static calculation and density of states by PBE; two families of one code."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw.declaration import GPAW, GPAW_HARD
from fermiloop.flows.engines.gpaw.settings import (
    BY_HARD,
    HARD_CUTOFF,
    HARD_RELAX_CUTOFF,
    KINDS,
    GpawEngineSettings,
    GpawSettings,
    of_engine,
    refusal,
    relax_refusal,
)
from fermiloop.flows.engines.moments import of_collinear_spins
from fermiloop.flows.engines.protocol import Availability, EngineEntry, MethodRecord, chain, version, versions
from fermiloop.platform.representations.molecules import is_molecule

if TYPE_CHECKING:
    from jobflow import Flow

PACKAGES: Final = ("gpaw", "gpaw-data", "ase")


def method(engine: str, settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: PBE with these settings, or PBE+U where they say so."""
    return MethodRecord(engine, "PBE", of_engine(settings, engine).science(), versions(PACKAGES))


def flow(engine: str, calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Relax, then static with density of states."""
    from fermiloop.flows.engines.gpaw.makers import GpawDosMaker, GpawRelaxMaker

    checked = of_engine(settings, engine)
    static = {f.name: getattr(checked, f.name) for f in fields(GpawSettings)}
    relax = GpawRelaxMaker(
        settings={
            **static,
            "kpoint_density": checked.relax_kpoint_density,
            "cutoff": checked.cutoff + checked.relax_extra_cutoff,
        },
        steps=checked.relax_steps,
        relax_kwargs={"fmax": checked.relax_fmax},
        calculation=calculation,
        time_limit=time_limit,
    ).make(structure)
    dos = GpawDosMaker(settings=static, calculation=calculation, time_limit=time_limit).make(relax.output.structure)
    return chain("GPAW relax, static and DOS", [relax], {"static": dos})


def static(engine: str, calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Static with density of states, at the geometry as it is."""
    from fermiloop.flows.engines.gpaw.makers import GpawDosMaker

    checked = of_engine(settings, engine)
    own = {f.name: getattr(checked, f.name) for f in fields(GpawSettings)}
    dos = GpawDosMaker(settings=own, calculation=calculation, time_limit=time_limit).make(structure)
    return chain("GPAW static and DOS", [], {"static": dos})


def available() -> Availability:
    """Whether GPAW is installed."""
    if importlib.util.find_spec("gpaw") is None:
        compiler = "" if shutil.which("g++") else " after a C and C++ compiler (Debian: build-essential)"
        return Availability(False, f"install it with pip install '.[dft]' in fermiloop's folder{compiler}")
    return Availability(True, f"GPAW {version('gpaw')}")


def refuses(engine: str, structure: Structure, settings: Mapping[str, Any]) -> str | None:
    """Why the cutoff is too low for a crystal, or an element has no setup; None where it can be computed."""
    remedy = f"leave cutoff out, or write {HARD_CUTOFF:g} or more" if engine == GPAW_HARD.name else BY_HARD
    return refusal(structure.symbol_set, cutoffs(KINDS[engine], settings)[0], remedy)


def refuses_to_relax(engine: str, structure: Structure, settings: Mapping[str, Any]) -> str | None:
    """Why the cutoff is too low for a crystal's stresses; None where its cell can be relaxed."""
    if is_molecule(structure):  # its cell is left as it is
        return None
    cutoff, extra = cutoffs(KINDS[engine], settings)
    least = f"leave relax_extra_cutoff out, or write {HARD_RELAX_CUTOFF - cutoff:g} or more"
    return relax_refusal(structure.symbol_set, cutoff + extra, least if engine == GPAW_HARD.name else BY_HARD)


def dos_range(engine: str, settings: Mapping[str, Any]) -> tuple[float, float]:
    """First and last energy of the density of states, eV."""
    energies = of_engine(settings, engine).dos_energies
    return float(energies[0]), float(energies[-1])


def cutoffs(kind: type[GpawEngineSettings], settings: Mapping[str, Any]) -> tuple[float, float]:
    """Cutoff, and by how much that of relaxations lies above it, of settings that are right, eV."""
    extra = float(settings.get("relax_extra_cutoff", kind.relax_extra_cutoff))
    return float(settings.get("cutoff", kind.cutoff)), extra


def _entry(engine: str) -> EngineEntry:
    return EngineEntry(
        partial(method, engine),
        partial(flow, engine),
        available,
        refuses=partial(refuses, engine),
        refuses_to_relax=partial(refuses_to_relax, engine),
        dos_range=partial(dos_range, engine),
        static=partial(static, engine),
    )


ENGINE: Final = of_collinear_spins(_entry(GPAW.name))
HARD: Final = of_collinear_spins(_entry(GPAW_HARD.name))
