"""Ternaries held out by composition: how often their elements are among the first five sets that a curve is read as.

Every ternary of a library is asked of models that learned from all unaries and binaries and from the ternaries of other
compositions, without their having been told that three elements are looked for, and with it. Answers are sets of
elements: two compositions of one set count once. Chance is a set at random of all with three elements.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.generators.experts import unit
from fermiloop.platform.generators.inverse import Bounds, InverseSpectrumModel
from fermiloop.platform.generators.row_array import ratios_of
from fermiloop.platform.generators.samples import fold_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import Row

    Set = frozenset[int]

TOP: Final = 5
SIZE: Final = 3
MOST_ASKED: Final = 200
"""Ternaries asked about, at random of more."""
TOLD: Final = {"held-out ternaries": 1, "held-out ternaries, three elements told": SIZE}
"""Split to the fewest elements of the answers."""
ANSWERS: Final = 20_000
"""Compositions looked through: as many unaries and binaries as there are, and the best ternaries."""
NONE: Final = "no ternaries"


@dataclass(frozen=True)
class Readings:
    """What held-out ternaries were read as.

    Parameters
    ----------
    asked
        Their places in the library.
    folds
        (n,) number of the fold that each was held out in.
    hits
        By split, (2, n) whether their elements are among the first five sets of the model and of the nearest curves.
    held
        The ternary compositions of the library that the model named for each, best first.
    n_elements
        Of the library.
    seconds
        Processor time.
    """

    asked: list[int]
    folds: NDArray[np.int64]
    hits: dict[str, NDArray[np.bool_]]
    held: list[list[Row]]
    n_elements: int
    seconds: float


def read_ternaries(
    samples: Samples, folds: int, epochs: int | None, seed: int, progress: Callable[[str, float], None]
) -> Readings:
    """Ask `factorised` for every ternary, each held out with its composition; nothing where there are too few."""
    asked, began = asked_of(samples, seed), time.process_time()
    rows = [samples.rows[i] for i in asked]
    hits: dict[str, NDArray[np.bool_]] = {split: np.zeros((2, len(asked)), dtype=bool) for split in TOLD}
    held: list[list[Row]] = [[] for _ in asked]
    if len(set(rows)) < folds:
        return Readings([], np.zeros(0, dtype=np.int64), hits, [], len(samples.elements), 0.0)
    numbers, known = fold_numbers(rows, folds, np.random.default_rng(seed)), set(samples.rows)
    for fold in range(folds):
        here = np.flatnonzero(numbers == fold)
        left = {rows[i] for i in here}
        rest = samples.subset([i for i, row in enumerate(samples.rows) if row not in left])
        progress(f"ternaries, part {fold + 1} of {folds}", fold / folds)
        model = InverseSpectrumModel("factorised", epochs)
        model.fit(rest, seed, _silent)
        for done, i in enumerate(here):
            progress(f"ternaries, part {fold + 1} of {folds}", (fold + done / len(here)) / folds)
            one = samples.subset([asked[i]])
            truth = frozenset(number for number, _ in one.rows[0])
            found, nearest = rows_found(model, one), nearest_rows(rest, one)
            held[i] = [row for row in found if len(row) == SIZE and row in known]
            for split, fewest in TOLD.items():
                for j, answers in enumerate((found, nearest)):
                    hits[split][j, i] = truth in first_sets(row for row in answers if len(row) >= fewest)
    return Readings(asked, numbers, hits, held, len(samples.elements), time.process_time() - began)


def ternary_rows(readings: Readings) -> list[dict[str, Any]]:
    """Rows of `factorised`, of the nearest curves and of chance; one that says so where there are no ternaries."""
    if not readings.asked:
        return [{"model": "factorised", "split": NONE, "n": 0}]
    chance = min(1.0, TOP / comb(readings.n_elements, SIZE))
    return [row for split in TOLD for row in _rows(split, readings.hits[split], chance, readings.seconds)]


def asked_of(samples: Samples, seed: int) -> list[int]:
    """Places of the ternaries that are asked about."""
    there = np.flatnonzero([len(row) == SIZE for row in samples.rows])
    chosen = np.random.default_rng(seed).permutation(there)[:MOST_ASKED]
    return [int(i) for i in np.sort(chosen)]


def rows_found(model: InverseSpectrumModel, one: Samples) -> list[Row]:
    """Compositions that a model reads from the curve of one sample, best first, in ratios that it has seen."""
    bounds = Bounds(frozenset(model.table.elements), (1, SIZE), ratios_of(model.known.rows), most=ANSWERS)
    return [row for row, _ in model.search(one.curves[0], one.systems, bounds)]


def nearest_rows(known: Samples, one: Samples) -> list[Row]:
    """Compositions of known curves, the most similar first."""
    order = np.argsort(-(unit(known.curves) @ unit(one.curves)[0]), kind="stable")
    return [known.rows[i] for i in order if len(known.rows[i]) <= SIZE]


def first_sets(rows: Iterable[Row]) -> list[Set]:
    """The first five different sets of elements of ranked compositions."""
    found: dict[Set, None] = {}
    for row in rows:
        found.setdefault(frozenset(number for number, _ in row))
        if len(found) == TOP:
            break
    return list(found)


def _rows(split: str, hits: NDArray[np.bool_], chance: float, seconds: float) -> list[dict[str, Any]]:
    made = []
    for name, hit in zip(("factorised", "nearest_neighbour"), hits, strict=True):
        low, high = wilson(int(hit.sum()), len(hit))
        made.append({
            "model": name, "split": split, "n": len(hit), "top5": round(float(hit.mean()), 4),
            "top5_low": round(low, 4), "top5_high": round(high, 4),
        })  # fmt: skip
    made[0]["seconds"] = round(seconds / len(TOLD), 1)
    return [*made, {"model": "random", "split": split, "n": hits.shape[1], "top5": round(chance, 6)}]


def _silent(_stage: str, _share: float) -> None:
    """Progress is told by part."""
