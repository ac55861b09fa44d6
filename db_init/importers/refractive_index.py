"""Absorption of measured refractive indices: one table a line, as of refractiveindex.info.

``material`` is a formula, ``page`` the measurement, ``energy_eV`` (eV) and ``k`` the table, ``comment`` what was said
of the sample. The absorption coefficient is α = 4π k / λ in cm⁻¹, in steps of 0.05 eV (`absorption_curve`).

A table says of what it was measured by its formula alone, so it goes to the stored crystal of that formula with the
lowest energy, which is told; one that lies above the hull is refused. What is said to be liquid, amorphous, layers of a
few atoms or computed is left out. Of several tables of one formula the one that is most like all others counts:
samples, temperatures and axes differ, and nothing else says which is the usual one. All that is left out is in
quarantine with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition

from fermiloop.db_init.importers.entries import BAD, Batch, Curve, Entry, Refusal, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.json_files import lines_of
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.absorption import absorption_curve, sample_refusal, usual
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.store import labels, materials
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Property

Array = NDArray[np.float64]

NAME: Final = "refractiveindex.info"
LICENCE: Final = "CC0"
FUNCTIONAL: Final = "measured"
KIND: Final = SpectrumKind.ABSORPTION
ABOVE: Final = Property.ENERGY_ABOVE_HULL
HIGHEST: Final = 0.1  # eV/atom above the hull; beyond, it is not what samples are made of
ENERGIES: Final = (ABOVE, Property.FORMATION_ENERGY_PER_ATOM, Property.ENERGY_PER_ATOM)
FORMULA: Final = re.compile(r"[A-Za-z0-9().]{1,60}")


@dataclass(frozen=True)
class Table:
    """One measurement: its line, name, reduced formula, and curve in eV and cm⁻¹."""

    line: int
    key: str
    formula: str
    points: Array
    values: Array


def load(path: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a file; what cannot be taken goes to quarantine, the rest goes in; a repeat adds nothing.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return take_in(path.name, _batches(path, options.licence or LICENCE), progress)


def _batches(path: Path, licence: str) -> Iterator[Batch]:
    """One batch: which table of a formula counts depends on all of them, and where it goes on the store."""
    lines = lines_of(path)
    read = [_table(number, line) for number, line in lines]
    tables = [one for one in read if isinstance(one, Table)]
    crystals = crystals_of(one.formula for one in tables)
    homes = sorted(str(one.id) for one in crystals.values() if isinstance(one, Material))
    made_of = digest("refractive index", licence, lines, homes)
    yield Batch(path.name, made_of, 1.0, partial(_entries, read, crystals, licence))


def _entries(
    read: list[Table | Refusal], crystals: Mapping[str, Material | str], licence: str
) -> Iterator[Entry | Refusal]:
    tables = [one for one in read if isinstance(one, Table)]
    best = {formula: usual_of([one for one in tables if one.formula == formula]) for formula in crystals}
    for one in read:
        if isinstance(one, Refusal):
            yield one
        elif isinstance(home := crystals[one.formula], str):
            yield Refusal(one.key, home, line=one.line)
        elif one is not best[one.formula]:
            reason = f"{best[one.formula].key} is more like the other tables of {one.formula} and is kept."
            yield Refusal(one.key, f"absorption left out: {reason}", line=one.line)
        else:
            yield _entry(one, home, licence)


def _entry(one: Table, home: Material, licence: str) -> Entry:
    curve = Curve(one.points, one.values, external(NAME, FUNCTIONAL, licence), kind=KIND)
    told = f"absorption taken as that of {home.id} (space group {home.space_group}), of lowest energy of its formula"
    source = {"name": NAME, "key": one.key, "licence": licence}
    return Entry(one.key, home.to_structure(), source, curve=curve, remarks=(told,), line=one.line)


def _table(number: int, line: str) -> Table | Refusal:
    key = str(number)
    try:
        row = json.loads(line)
        key = f"{row['material']}/{row['page']}"
        if told := sample_refusal(f"{row['page']} {row.get('comment') or ''}"):
            raise InputError(told)
        if not FORMULA.fullmatch(str(row["material"])):
            raise InputError(f"{row['material']} is no formula")
        formula = Composition(row["material"]).reduced_formula
        points, values = absorption_curve(row["energy_eV"], row["k"])
        grid = GRIDS[KIND]
        grid.resample(points, values)
        return Table(number, key, formula, points, values)
    except BAD as error:
        return Refusal(key, f"absorption left out: {reason_of(error)}", line[:120], number)


def usual_of(tables: list[Table]) -> Table:
    """The table most like all the others, by the mean cosine of the curves; of two the first."""
    curves = np.stack([GRIDS[KIND].resample(one.points, one.values) for one in tables])
    return tables[usual(curves)]


def crystals_of(formulas: Iterator[str]) -> dict[str, Material | str]:
    """The stored crystal of lowest energy of each formula, or why there is none, a sentence."""
    asked = sorted(set(formulas))
    stored: dict[str, list[Material]] = {formula: [] for formula in asked}
    for one in materials.of_formulas(asked):
        stored[str(one.formula)].append(one)
    return {formula: _lowest(formula, found) for formula, found in stored.items()}


def _lowest(formula: str, found: list[Material]) -> Material | str:
    if not found:
        return f"No crystal {formula} is stored; load one first, and this file again."
    energies: dict[tuple[str, str], dict[str, float]] = {}
    for label in labels.of_materials([one.id for one in found]):
        if label.property in ENERGIES:
            energies.setdefault((label.method, label.property), {})[label.material] = float(label.value)
    if len(found) > 1 and not energies:
        return f"{len(found)} crystals {formula} are stored without energies, so nobody knows which was measured."
    _, known = max(energies.items(), key=lambda pair: (len(pair[1]), pair[0]), default=(None, {}))
    lowest = min(found, key=lambda one: (known.get(one.id, float("inf")), one.id))
    above = [known[lowest.id] for (_, name), known in energies.items() if name == ABOVE and lowest.id in known]
    if above and min(above) > HIGHEST:
        return (
            f"The crystal {formula} of lowest energy that is stored lies {min(above):.3g} eV/atom above the hull, so "
            "another one was measured; load that one first, and this file again."
        )
    return lowest
