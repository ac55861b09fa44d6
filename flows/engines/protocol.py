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
from fermiloop.schemas.vocabulary import Engine

if TYPE_CHECKING:
    from jobflow import Flow, Job

T = TypeVar("T")
# Counted from free atoms: the strongest bonds (W, C) give 13 eV per atom, magnetic energies and corrections some more.
LOWEST_ENERGY: Final = -40.0  # eV per atom


@dataclass(frozen=True)
class MethodRecord:
    """What makes results of an engine comparable; `settings` hold all that changes a number."""

    engine: Engine
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
        eV per atom.
    gap
        eV.
    magnetic_moment
        Bohr magnetons per cell.
    fermi_level
        eV.
    energies, density
        (n_bins,) eV about the Fermi level, and (n_bins,) states/eV/cell; None where the engine has no DOS.
    functional
        What the program says that it ran; None where it says nothing.
    hubbard_u
        Effective Hubbard U by element, eV.
    """

    structure: Structure
    energy_per_atom: float
    gap: float | None = None
    magnetic_moment: float | None = None
    fermi_level: float | None = None
    n_electrons: float | None = None
    energies: NDArray[np.float64] | None = None
    density: NDArray[np.float64] | None = None
    functional: str | None = None
    hubbard_u: dict[str, float] = field(default_factory=dict)

    def per_cell(self) -> dict[str, Any]:
        """What was computed per cell, with the cell: labels and curves are brought to the material's own cell."""
        return {
            "n_sites": len(self.structure),
            "volume": float(self.structure.volume),  # Å³
            "magnetic_moment": self.magnetic_moment,  # μB
            "n_electrons": self.n_electrons,
        }

    def computed_by(self) -> dict[str, Any]:
        """What the program says that it computed by, for the record; empty where it says nothing."""
        if self.functional is None:
            return {}
        return {"functional": self.functional, "hubbard_u": dict(self.hubbard_u)}


@dataclass(frozen=True)
class Availability:
    """Whether an engine can run here, and what to do about it where not."""

    ready: bool
    detail: str


@dataclass(frozen=True)
class EngineEntry:
    """One engine of the registry.

    Parameters
    ----------
    gives_dos
        Whether its results hold a density of states.
    method
        Settings to Method; refuses unknown settings.
    flow
        Calculation id, crystal, settings and time limit (s) to a jobflow Flow whose output is a mapping.
    results
        Output of the flow to results.
    available
        Whether it is installed.
    refuses
        Why it cannot compute a crystal, None where it can.
    last_step
        Step whose output holds the labels: in the flow's output and in the calculation's folder.
    lowest_energy
        eV per atom below which no result is believed; see `sanity`.
    by_element
        Whether what it refuses follows from the elements, so that a space can be looked at before any crystal.
    at_once
        Whether its steps are so short that a whole evaluation is one job of the queue.
    """

    gives_dos: bool
    method: Callable[[Mapping[str, Any]], MethodRecord]
    flow: Callable[[str, Structure, Mapping[str, Any], float], Flow]
    results: Callable[[Mapping[str, Any]], EvaluationResult]
    available: Callable[[], Availability]
    refuses: Callable[[Structure, Mapping[str, Any]], str | None] = field(default=lambda *_: None)
    last_step: str = "static"
    lowest_energy: float = LOWEST_ENERGY
    by_element: bool = True
    at_once: bool = False


def checked_settings(kind: type[T], given: Mapping[str, Any], what: str) -> T:
    """Settings object of an engine from what a person wrote.

    Raises
    ------
    InputError
        If a setting is unknown, or its value is no finite number of the right kind.
    """
    known = {f.name: f.default for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise InputError(f"The {what} engine has no setting {name!r}; {hint}")
        default = known[name]
        if isinstance(default, float | int) and (
            isinstance(value, bool) or not isinstance(value, float | int) or not np.isfinite(value)
        ):
            raise InputError(f"The setting {name} of the {what} engine must be a number, not {value!r}.")
    return kind(**{name: type(cast("Any", known[name]))(value) for name, value in given.items()})


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
