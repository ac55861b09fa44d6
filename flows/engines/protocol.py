"""What every engine gives: a Method, a flow for one crystal, and the results out of its outputs.

A flow may hold one isolated child process or several native jobs of atomate2: its last job leaves one mapping, the
labels, with structure, energy (eV per cell), and, where the engine has them, gap, moment, Fermi level and curve.
"""

from __future__ import annotations

import difflib
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from jobflow import Flow, Job

T = TypeVar("T")
LARGEST_SETTING: Final = 1e15
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class MethodRecord:
    """What makes results of an engine comparable; `settings` hold all that changes a number."""

    engine: str
    functional: str
    settings: dict[str, Any]
    code_versions: dict[str, str]


@dataclass(frozen=True)
class EvaluationResult:
    """What one evaluation found.

    Parameters
    ----------
    structure
        Relaxed crystal.
    energy_per_atom
        eV per atom; None where the engine gives no energy.
    gap
        eV.
    magnetic_moment
        Bohr magnetons per cell.
    fermi_level
        eV.
    energies, density
        (n_bins,) eV about the Fermi level, and (n_bins,) states/eV/cell; None where the engine has no DOS.
    curves
        Other kinds of curves by their names: (n,) points and (n,) values, in the units of the kind; of this cell.
    functional
        What the program says that it ran; None where it says nothing.
    hubbard_u
        Effective Hubbard U by element, eV.
    properties
        Other declared properties by name, each in its unit; what grows with the cell is of this one.
    missing
        Why a property that the engine gives is not there, by its name: what else it gave is recorded all the same.
    details
        What else is kept of it with the calculation, JSON-ready and small.
    """

    structure: Structure
    energy_per_atom: float | None
    gap: float | None = None
    magnetic_moment: float | None = None
    fermi_level: float | None = None
    n_electrons: float | None = None
    energies: NDArray[np.float64] | None = None
    density: NDArray[np.float64] | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    functional: str | None = None
    hubbard_u: dict[str, float] = field(default_factory=dict)
    properties: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def per_cell(self) -> dict[str, Any]:
        """What was computed per cell, with the cell: labels and curves are brought to the material's own cell."""
        return {
            "n_sites": len(self.structure),
            "volume": float(self.structure.volume),  # Å³
            "magnetic_moment": self.magnetic_moment,  # μB
            "n_electrons": self.n_electrons,
        }

    def computed_by(self) -> dict[str, Any]:
        """What the program says that it computed by, and other details, for the record; empty where it says nothing."""
        told = {**self.details, "missing": dict(self.missing)} if self.missing else dict(self.details)
        if self.functional is None:
            return told
        return {**told, "functional": self.functional, "hubbard_u": dict(self.hubbard_u)}


@dataclass(frozen=True)
class Availability:
    """Whether an engine can run here, and what to do about it where not."""

    ready: bool
    detail: str


def results_of(outputs: Mapping[str, Any]) -> EvaluationResult:
    """Results of a flow whose last step leaves one mapping.

    Parameters
    ----------
    outputs
        Output by step. The last holds ``structure``; ``energy`` (eV per cell), ``gap``, ``magnetic_moment``,
        ``fermi_level``, ``n_electrons``, ``energies`` and ``density``, ``functional`` and ``hubbard_u`` where the
        engine has them; ``properties``: values of other declared properties by their names, and ``missing``: why one is
        not there; ``curves``: points and values of other kinds of curves by their names; and ``details``.
    """
    last = outputs[list(outputs)[-1]]
    found = last["structure"]
    structure = found if isinstance(found, Structure) else Structure.from_dict(found)
    curve, energy, moment = "density" in last, last.get("energy"), last.get("magnetic_moment")
    return EvaluationResult(
        structure=structure,
        energy_per_atom=None if energy is None else float(energy) / len(structure),
        gap=last.get("gap"),
        magnetic_moment=None if moment is None else abs(moment),  # its sign is turned by reversal of time
        fermi_level=last.get("fermi_level"),
        n_electrons=last.get("n_electrons"),
        energies=np.asarray(last["energies"], dtype=float) if curve else None,
        density=np.asarray(last["density"], dtype=float) if curve else None,
        curves={
            name: (np.asarray(x, float), np.asarray(y, float)) for name, (x, y) in (last.get("curves") or {}).items()
        },
        functional=last.get("functional"),
        hubbard_u=dict(last.get("hubbard_u") or {}),
        properties={name: float(value) for name, value in (last.get("properties") or {}).items()},
        missing={name: str(why) for name, why in (last.get("missing") or {}).items()},
        details=dict(last.get("details") or {}),
    )


@dataclass(frozen=True)
class EngineEntry:
    """Code of one engine; what must be known before it is imported stands in its `EngineDeclaration`.

    Parameters
    ----------
    method
        Settings to Method; refuses unknown settings.
    flow
        Calculation id, crystal, settings and time limit (s) to a jobflow Flow whose output is a mapping.
    available
        Whether it is installed.
    results
        Output of the flow to results.
    refuses
        Why it cannot compute a crystal by these settings, None where it can.
    static
        As `flow`, at the geometry as it is; None where it computes no crystal without relaxing it.
    refuses_to_relax
        Why it cannot relax a crystal by these settings though it computes it as it is, None where it can.
    dos_range
        First and last energy of its densities of states by its settings, among them ``dos_lo`` and ``dos_hi``: eV about
        the middle of the gap. None where that is not known before a crystal is computed.
    """

    method: Callable[[Mapping[str, Any]], MethodRecord]
    flow: Callable[[str, Structure, Mapping[str, Any], float], Flow]
    available: Callable[[], Availability]
    results: Callable[[Mapping[str, Any]], EvaluationResult] = results_of
    refuses: Callable[[Structure, Mapping[str, Any]], str | None] = lambda *_: None
    static: Callable[[str, Structure, Mapping[str, Any], float], Flow] | None = None
    refuses_to_relax: Callable[[Structure, Mapping[str, Any]], str | None] = lambda *_: None
    dos_range: Callable[[Mapping[str, Any]], tuple[float, float] | None] = lambda _: None

    def refusal(self, structure: Structure, settings: Mapping[str, Any], *, relax: bool = True) -> str | None:
        """Why it cannot compute a crystal by these settings, relaxed or as it is; None where it can."""
        return self.refuses(structure, settings) or (self.refuses_to_relax(structure, settings) if relax else None)


def checked_settings(kind: type[T], given: Mapping[str, Any], what: str) -> T:
    """Settings object of an engine from what a person wrote.

    Raises
    ------
    InputError
        If a setting is unknown, or its value is no number or text as its default is.
    """
    known = {f.name: f.default for f in fields(kind)}  # type: ignore[arg-type]
    refuse_unknown(known, given, what)
    for name, value in given.items():
        if wanted := _wanted(known[name], value):
            raise InputError(f"The setting {name} of the {what} engine must be {wanted}, not {value!r}.")
    return kind(**{name: type(cast("Any", known[name]))(value) for name, value in given.items()})


def _wanted(default: Any, value: Any) -> str:
    """What a value must be to stand in the place of a default; empty where it is that."""
    if isinstance(default, str):
        return "" if isinstance(value, str) else "a text"
    if isinstance(value, bool) or not isinstance(value, float | int):
        return "a number"
    if not abs(value) < LARGEST_SETTING:  # which NaN is not
        return f"a number below {LARGEST_SETTING:g}"
    return "a whole number" if isinstance(default, int) and value != int(value) else ""


def refuse_bounds(settings: Any, bounds: Mapping[str, tuple[float, float]], what: str) -> None:
    """Refuse settings of an engine by which nothing can be computed.

    Parameters
    ----------
    bounds
        Lowest and highest value by the name of the setting.

    Raises
    ------
    InputError
        With the bounds of the first that lies beyond them.
    """
    for name, (low, high) in bounds.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise InputError(
                f"The setting {name} of the {what} engine is {value:g}; write one from {low:g} to {high:g}."
            )


def refuse_unknown(names: Iterable[str], given: Mapping[str, Any], what: str) -> None:
    """Refuse a setting that an engine does not have.

    Raises
    ------
    InputError
        With the nearest that it has, or all of them.
    """
    known = list(names)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise InputError(f"The {what} engine has no setting {name!r}; {hint}")


def chain(name: str, jobs: Sequence[Job], last: Mapping[str, Job]) -> Flow:
    """Flow of jobs that all run, whatever became of the one before, so that a round never waits for ever.

    Parameters
    ----------
    jobs
        In their order.
    last
        The job whose output is the flow's, by the name of its step.
    """
    from jobflow import Flow, OnMissing  # a second: who only reads results needs none

    every = [*jobs, *last.values()]
    for step in every:
        step.config.on_missing_references = OnMissing.NONE
    return Flow(every, output={step: job.output for step, job in last.items()}, name=name)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Installed version of each package."""
    return {package: version(package) for package in packages}


def version(package: str) -> str:
    """Installed version of a package, in words where there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
