"""Calculations of one crystal by VASP, put together: the energy of one, the gap and the curve of another.

A workflow computes a crystal several times: relaxed, static, and on a uniform mesh for the density of states. The
static calculation has the energy, the moment and the Fermi level; one that is not self-consistent has no energy of its
own, but the better gap and curve. A relaxation is a Method apart: its energy bears the change of the basis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.integrate import cumulative_trapezoid

from fermiloop.db_init.importers.dos import curve_of
from fermiloop.db_init.importers.entries import BAD, Curve, Entry, Refusal, external
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.report import reason_of
from fermiloop.db_init.importers.vasp_method import Task
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.representations.alignment import METAL, Edges, zero_level
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Origin, Property

EMPTY: Final = 1e-3  # of the highest density: where no state is
FEWEST_OFF: Final = 0.3  # electrons by which a curve may miss the valence, as a metal's on a coarse grid does
SHARE_OFF: Final = 0.05  # of the valence, likewise
MOST: Final = 100.0  # eV/atom, of an energy by VASP on either side of zero


@dataclass(frozen=True)
class Density:
    """A density of states as VASP wrote it.

    Parameters
    ----------
    energies
        (m,) eV, rising, as VASP counts them.
    spins
        (m,) states/eV/cell of each spin.
    level
        VASP's Fermi level, eV.
    """

    energies: NDArray[np.float64]
    spins: tuple[NDArray[np.float64], ...]
    level: float


@dataclass(frozen=True)
class Run:
    """One finished calculation.

    Parameters
    ----------
    key
        Name by which the source knows it.
    task
        What it is good for.
    structure
        Its final crystal, Å.
    functional, settings
        What the Method says.
    energy
        eV per cell, extrapolated to no smearing.
    gap
        eV; None where it is unknown.
    edges
        Valence and conduction edge, eV, None where they are unknown or the crystal is a metal.
    level
        Fermi level, eV.
    moment
        Total magnetic moment, μB per cell.
    density
        Density of states.
    mesh
        Number of k-points.
    n_electrons
        Valence electrons in the cell.
    remarks
        What was assumed of it or left out.
    """

    key: str
    task: Task
    structure: Structure
    functional: str
    settings: dict[str, Any]
    energy: float | None = None
    gap: float | None = None
    edges: tuple[float, float] | None = None
    level: float | None = None
    moment: float | None = None
    density: Density | None = None
    mesh: int = 0
    n_electrons: float | None = None
    remarks: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse numbers that no crystal has.

        Raises
        ------
        InputError
            Naming the number.
        """
        if self.energy is not None and not abs(self.energy_per_atom) <= MOST:
            raise InputError(
                f"The energy is {self.energy_per_atom:g} eV/atom, which no crystal has by VASP; the calculation failed."
            )
        value_of(Property.BAND_GAP, self.gap, "the gap")

    @property
    def energy_per_atom(self) -> float:
        """eV/atom; infinite where there is no energy."""
        return float("inf") if self.energy is None else self.energy / len(self.structure)


@dataclass
class _Crystal:
    """Calculations of one crystal by one functional with one set of parameters."""

    runs: dict[Task, list[Run]] = field(default_factory=dict)

    def best(self, task: Task) -> Run | None:
        """Of several the one that counts: the lowest energy, for a curve the densest mesh; never the first."""
        order = _by_mesh if task is Task.UNIFORM else _by_energy
        return min(self.runs.get(task, []), key=order, default=None)


def combine(runs: Iterable[Run], source: str, licence: str) -> Iterator[Entry | Refusal]:
    """Entries of calculations, one for each crystal and Method.

    Parameters
    ----------
    runs
        All that the source has of these crystals.
    source, licence
        As they are kept with the material and the Method.
    """
    crystals: dict[tuple[str, str], _Crystal] = {}
    for run in sorted(runs, key=lambda run: run.key):
        try:
            run.check()
            material = Material.from_structure(run.structure, origin=Origin.IMPORT, source={})
        except BAD as error:
            yield Refusal(run.key, reason_of(error), run.structure.composition.reduced_formula)
            continue
        which = (str(material.id), external(source, run.functional, licence, **run.settings).id)
        crystals.setdefault(which, _Crystal()).runs.setdefault(run.task, []).append(run)
    for crystal in crystals.values():
        yield from _entries(crystal, source, licence)


def _entries(crystal: _Crystal, source: str, licence: str) -> Iterator[Entry]:
    relaxed, static, uniform = (crystal.best(task) for task in (Task.RELAX, Task.STATIC, Task.UNIFORM))
    if static or uniform:
        first = static or uniform
        assert first is not None  # for the type checker
        yield _entry(first, uniform or first, crystal, source, licence)
    if relaxed:
        alone = not any(run.density for run in (static, uniform) if run)
        yield _entry(relaxed, relaxed, crystal, source, licence, keep_curve=alone)


def _entry(run: Run, shown: Run, crystal: _Crystal, source: str, licence: str, *, keep_curve: bool = True) -> Entry:
    """Entry with the energy of one run, and the gap and the curve of another of the same crystal."""
    task = Task.RELAX if run.task is Task.RELAX else Task.STATIC
    method = external(source, f"{run.functional} (VASP)", licence, task=str(task), **run.settings)
    numbers = {Property.BAND_GAP: shown.gap if shown.gap is not None else run.gap, Property.FERMI_LEVEL: run.level}
    remarks = [*run.remarks, *(shown.remarks if shown is not run else ()), *_others(crystal, run)]
    if run.task is Task.UNIFORM:
        remarks.append("no energy: the calculation is not self-consistent, and no static one of the crystal is there")
    else:
        numbers |= {Property.ENERGY_PER_ATOM: _finite(run.energy_per_atom), Property.MAGNETIC_MOMENT: run.moment}
    drawn = shown if shown.density else run
    curve, said = _curve(drawn, method, len(run.structure) / len(drawn.structure)) if keep_curve else (None, ())
    remarks += said
    stated = tuple((kind, value, method) for kind, value in numbers.items() if value is not None)
    about = {"name": source, "key": run.key, "licence": licence}
    return Entry(run.key, run.structure, about, stated, curve, tuple(dict.fromkeys(remarks)))


def _curve(run: Run, method: Method, scale: float) -> tuple[Curve | None, tuple[str, ...]]:
    """The density of states of a run about the middle of its gap, or its Fermi level, and what is to be said of it.

    `scale` is the number of the run's cells in a cell of the crystal that the curve is kept with.
    """
    if run.density is None:
        return None, ()
    edges = Edges(*run.edges) if run.edges else Edges() if run.gap is not None and run.gap <= METAL else None
    try:
        _check_electrons(run, edges)
        curve, said = curve_of(run.density.energies, run.density.spins, run.density.level, method, edges)
    except BAD as error:
        return None, (f"density of states left out: {reason_of(error)}",)
    return replace(curve, values=scale * curve.values), said


def _check_electrons(run: Run, edges: Edges | None) -> None:
    """Refuse a curve that holds other than the valence electrons up to its zero.

    Where it begins among states, as with EMIN, deeper ones are missing: then it must not hold more.
    """
    if run.density is None or run.n_electrons is None:
        return
    x, y = run.density.energies, np.sum(run.density.spins, axis=0)
    zero = run.density.level if edges is None else zero_level(run.density.level, edges)
    held = cumulative_trapezoid(y, x, initial=0.0)
    found = float(np.interp(zero, x, held))
    whole = y[0] <= EMPTY * y.max()
    off = max(FEWEST_OFF, SHARE_OFF * run.n_electrons)
    if found > run.n_electrons + off or (whole and found < run.n_electrons - off):
        raise InputError(
            f"it holds {found:.2f} electrons up to the Fermi level, and the crystal has {run.n_electrons:g}; its "
            "k-points or its points are too few, or its file is not whole"
        )


def _others(crystal: _Crystal, run: Run) -> list[str]:
    """What is told of the calculations of the same kind whose energy does not count."""
    if run.task is Task.UNIFORM:
        return []
    lowest, far = run.energy_per_atom, PROPERTIES[Property.ENERGY_PER_ATOM].same
    return [
        f"{other.key} of the same crystal and Method has {other.energy_per_atom:.6f} eV/atom, {run.key} the lower "
        f"{lowest:.6f} eV/atom, which counts"
        for other in crystal.runs.get(run.task, [])
        if other.energy_per_atom - lowest > far
    ]


def _by_energy(run: Run) -> tuple[Any, ...]:
    return (run.energy_per_atom, *_by_mesh(run))


def _by_mesh(run: Run) -> tuple[Any, ...]:
    """Curves before none, dense meshes of k-points before coarse ones, then whatever does not depend on the order."""
    points = len(run.density.energies) if run.density else 0
    return (run.density is None, -run.mesh / len(run.structure), -points, run.energy_per_atom, run.gap or 0.0, run.key)


def _finite(energy: float) -> float | None:
    return energy if np.isfinite(energy) else None
