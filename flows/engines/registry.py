"""Every engine, in one literal table.

What makes flows (jobflow, atomate2, ASE) takes seconds to import, and most who look need only the Method or whether a
crystal is refused: it is imported when it is first asked.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw.dft import HARD_CUTOFF, HARD_ELEMENTS, RELAX_FMAX, RELAX_STEPS, GpawSettings
from fermiloop.flows.engines.protocol import (
    Availability,
    EngineEntry,
    EvaluationResult,
    MethodRecord,
    chain,
    checked_settings,
    version,
    versions,
)
from fermiloop.schemas.vocabulary import Engine

if TYPE_CHECKING:
    from jobflow import Flow

SCIENCE: Final = tuple(f.name for f in fields(GpawSettings))


@dataclass(frozen=True)
class GpawEngineSettings(GpawSettings):
    """`GpawSettings`, and how the relaxation is run, which is no part of the Method.

    Parameters
    ----------
    relax_fmax
        eV/Å.
    relax_steps
        Most ionic steps.
    relax_kpoint_density
        k-points per Å⁻¹ of the relaxation; energy and DOS always take `kpoint_density`.
    """

    relax_fmax: float = RELAX_FMAX
    relax_steps: int = RELAX_STEPS
    relax_kpoint_density: float = 3.5


@dataclass(frozen=True)
class CheapSettings:
    """How a cheap relaxation is run; `sleep` and `fail` are for tests of the analytic engine."""

    fmax: float = 0.05
    steps: int = 200
    sleep: float = 0.0
    fail: str = ""


def _gpaw_method(settings: Mapping[str, Any]) -> MethodRecord:
    checked = asdict(checked_settings(GpawEngineSettings, settings, "gpaw"))
    science = {name: checked[name] for name in SCIENCE}
    return MethodRecord(Engine.GPAW, "PBE", science, versions(("gpaw", "gpaw-data", "ase")))


def _gpaw_flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    from fermiloop.flows.engines.gpaw.makers import GpawDosMaker, GpawRelaxMaker

    checked = checked_settings(GpawEngineSettings, settings, "gpaw")
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


def _gpaw_available() -> Availability:
    if importlib.util.find_spec("gpaw") is None:
        compiler = "" if shutil.which("g++") else " after a C and C++ compiler (Debian: build-essential)"
        return Availability(False, f"install it with pip install '.[dft]' in fermiloop's folder{compiler}")
    return Availability(True, f"GPAW {version('gpaw')}")


def _gpaw_refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:
    hard = sorted(HARD_ELEMENTS & {element.symbol for element in structure.composition.elements})
    if hard and float(settings.get("cutoff", GpawSettings.cutoff)) < HARD_CUTOFF:
        return f"{', '.join(hard)} need a cutoff of {HARD_CUTOFF:g} eV"
    return None


def _chgnet_method(settings: Mapping[str, Any]) -> MethodRecord:
    checked_settings(CheapSettings, settings, "chgnet")
    return MethodRecord(Engine.CHGNET, "CHGNet 0.3.0", {}, {"chgnet": version("chgnet")})


def _chgnet_flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    from fermiloop.flows.engines.cheap.makers import ChildRelaxMaker

    checked = checked_settings(CheapSettings, settings, "chgnet")
    relax = ChildRelaxMaker(
        name="CHGNet relax",
        kind="chgnet_relax",
        arguments={"fmax": checked.fmax, "steps": checked.steps},
        calculation=calculation,
        time_limit=time_limit,
    ).make(structure)
    return chain("CHGNet relax", [], {"relax": relax})


def _analytic_method(settings: Mapping[str, Any]) -> MethodRecord:
    checked_settings(CheapSettings, settings, "analytic")
    return MethodRecord(Engine.ANALYTIC, "Lennard-Jones, for tests", {}, {})


def _analytic_flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    from fermiloop.flows.engines.cheap.makers import AnalyticDosMaker, ChildRelaxMaker

    arguments = asdict(checked_settings(CheapSettings, settings, "analytic"))
    relax = ChildRelaxMaker(
        name="analytic relax",
        kind="analytic_relax",
        arguments=arguments,
        calculation=calculation,
        time_limit=time_limit,
    ).make(structure)
    dos = AnalyticDosMaker(calculation=calculation, time_limit=time_limit).make(relax.output["structure"])
    return chain("analytic relax and DOS", [relax], {"static": dos})


def _results(outputs: Mapping[str, Any]) -> EvaluationResult:
    """Results of any flow made here: of the last step that there is."""
    last = outputs[list(outputs)[-1]]
    found = last["structure"]
    structure = found if isinstance(found, Structure) else Structure.from_dict(found)
    curve = "density" in last
    return EvaluationResult(
        structure=structure,
        energy_per_atom=float(last["energy"]) / len(structure),
        gap=last.get("gap"),
        magnetic_moment=last.get("magnetic_moment"),
        fermi_level=last.get("fermi_level"),
        n_electrons=last.get("n_electrons"),
        energies=np.asarray(last["energies"], dtype=float) if curve else None,
        density=np.asarray(last["density"], dtype=float) if curve else None,
        functional=last.get("functional"),
        hubbard_u=dict(last.get("hubbard_u") or {}),
    )


def _ready() -> Availability:
    return Availability(True, "built in")


def _chgnet_available() -> Availability:
    return Availability(True, f"CHGNet {version('chgnet')}")


def _late(engine: Engine, name: str) -> Callable[..., Any]:
    """A function of an engine's own module, which is imported at the first call."""

    def call(*arguments: Any) -> Any:
        return getattr(importlib.import_module(f"fermiloop.flows.engines.{engine}.engine"), name)(*arguments)

    return call


def _own(engine: Engine, *, gives_dos: bool, **more: Any) -> EngineEntry:
    """Entry of an engine whose module holds all that makes it."""
    method, flow, available, refuses = (_late(engine, name) for name in ("method", "flow", "available", "refuses"))
    return EngineEntry(gives_dos, method, flow, _results, available, refuses, **more)


ENGINES: Final[dict[Engine, EngineEntry]] = {
    Engine.GPAW: EngineEntry(True, _gpaw_method, _gpaw_flow, _results, _gpaw_available, _gpaw_refuses),
    Engine.CHGNET: EngineEntry(
        False, _chgnet_method, _chgnet_flow, _results, _chgnet_available, last_step="relax", at_once=True
    ),
    Engine.ANALYTIC: EngineEntry(True, _analytic_method, _analytic_flow, _results, _ready, at_once=True),
    Engine.RECORDED: _own(
        Engine.RECORDED,
        gives_dos=True,
        lowest_energy=-1e5,  # of whatever program they are
        by_element=False,
    ),
    Engine.VASP: _own(Engine.VASP, gives_dos=True),
    Engine.CP2K: _own(
        Engine.CP2K,
        gives_dos=False,
        last_step="relax",
        lowest_energy=-1e5,  # it counts from bare cores: iron has some -3,400 eV
    ),
}
