"""Whether what is proposed for a ternary's curve has curves nearer to it than what substitution proposes.

Nothing is computed for it: the proposals that count are those whose computed curve the library holds. Every ternary is
asked of models that learned from all unaries and binaries and from ternaries of other compositions, as in `ternaries`,
and its own composition is no answer. A proposal is its composition; of several curves of one the nearest counts.
The mean over all other ternaries of the library stands beside, as what is drawn at random has it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.potential_scores import bootstrap
from fermiloop.platform.bench.ternaries import NONE, SIZE, TOP
from fermiloop.platform.generators.experts import unit
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.generators.samples import samples_of
from fermiloop.platform.representations.composition import formula_of, row_of
from fermiloop.platform.search.substitution import Substitution, SubstitutionOptions
from fermiloop.schemas.vocabulary import CrystalSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from fermiloop.platform.bench.ternaries import Readings
    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import Row
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]

SPLIT: Final = "computed curves of proposals for held-out ternaries"
MODELS: Final = ("factorised", "substitution", "random")
MOST_SITES: Final = 60
PROPOSALS: Final = 5000
"""Children of substitution that are looked through."""


def proposal_rows(
    data: TrainingSet, readings: Readings, seed: int, progress: Callable[[str, float], None]
) -> list[dict[str, Any]]:
    """Mean cosine of the first proposals that the library holds, by who proposes; one row where it has no ternaries.

    Those targets count for which all who propose name a ternary that the library holds.

    Parameters
    ----------
    readings
        Of the same library: what the composer proposes.
    """
    if not readings.asked:
        return [{"model": MODELS[0], "split": SPLIT, "n": 0, "note": NONE}]
    began = time.process_time()
    asked = samples_of(data).subset(readings.asked)
    values = np.full((len(MODELS), len(asked)), np.nan)
    parts = range(int(readings.folds.max()) + 1)
    for fold in parts:
        progress(f"proposals, part {fold + 1} of {len(parts)}", fold / len(parts))
        here = np.flatnonzero(readings.folds == fold)
        search = _substitution(data, {asked.rows[i] for i in here}, seed)
        for i in here:
            one = asked.subset([int(i)])
            similar = similarities(asked, one)
            values[0, i] = first_mean(readings.held[i], similar)
            values[1, i] = first_mean(substituted(search, data, one), similar)
            values[2, i] = np.mean(list(similar.values()))
    return _rows(values, seed, time.process_time() - began)


def similarities(library: Samples, one: Samples) -> dict[Row, float]:
    """Cosine of the nearest curve of each composition of a library, but that of the sample itself, to its curve."""
    found: dict[Row, float] = {}
    cosines = unit(library.curves) @ unit(one.curves)[0]
    for row, cosine in zip(library.rows, cosines, strict=True):
        if row != one.rows[0]:
            found[row] = max(found.get(row, -1.0), float(cosine))
    return found


def first_mean(proposed: Iterable[Row], similar: dict[Row, float]) -> float:
    """Mean similarity of the first five different compositions of which there is one; NaN where there is none."""
    held = [similar[row] for row in dict.fromkeys(proposed) if row in similar][:TOP]
    return float(np.mean(held)) if held else float("nan")


def substituted(search: Substitution, data: TrainingSet, one: Samples) -> list[Row]:
    """Compositions of the children of the nearest crystals, nearest first; elements change within their columns."""
    symbols = sorted({element.symbol for crystal in data.structures for element in crystal.composition.elements})
    space = Space(tuple(symbols), (SIZE, SIZE), tuple(str(system) for system in CrystalSystem), MOST_SITES)
    target = Target(grid=data.grid, curve=one.curves[0], exclude_formulas=(formula_of(one.rows[0]),))
    made = search.sample(target, space, PROPOSALS, np.random.default_rng(0))
    return [row_of(proposal.structure.composition) for proposal in made]


def _substitution(data: TrainingSet, left: set[Row], seed: int) -> Substitution:
    """Substitution into the crystals of all compositions but some."""
    search = Substitution(SubstitutionOptions(temperature=0.0))
    search.fit(
        data.subset([i for i, crystal in enumerate(data.structures) if row_of(crystal.composition) not in left]),
        seed,
        _silent,
    )
    return search


def _rows(values: Array, seed: int, seconds: float) -> list[dict[str, Any]]:
    there = np.isfinite(values).all(axis=0)
    told = values[:, there]
    made = []
    for name, own in zip(MODELS, told, strict=True):
        row: dict[str, Any] = {"model": name, "split": SPLIT, "n": int(there.sum())}
        if len(own):
            row |= _interval("similarity", own, seed) | _interval("nearer_than_substitution", own - told[1], seed)
        made.append(row)
    made[0]["seconds"] = round(seconds, 1)
    return made


def _interval(name: str, values: Array, seed: int) -> dict[str, float]:
    """Mean over the targets with its bootstrap interval."""
    found = bootstrap(lambda take: float(values[take].mean()), len(values), seed)
    return {
        name: round(found.value, 4), f"{name}_low": round(found.low, 4), f"{name}_high": round(found.high, 4),
    }  # fmt: skip


def _silent(_stage: str, _share: float) -> None:
    """Progress is told by part."""
