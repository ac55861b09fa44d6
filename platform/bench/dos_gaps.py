"""Whether vectors of compositions know the class of the band gap, as the paper checks its own.

Three classes, split at 0.2 and 3.6 eV; the paper classifies 92 % rightly from composition vectors (Bang et al., 2024)
and does not say by what. Here extremely randomised trees read the vectors of elements and binaries of a file of
crystals with gaps; one-hot and formula vectors stand beside, and the class that is the most frequent. Gaps of DFT of
crystals that share neither composition nor prototype with the training part are asked for too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.dos_vectors import FormulaVectors
from fermiloop.platform.bench.splits import APART, PUBLISHED, folds_apart
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.composition import CompositionTable, CompositionVectors, row_of
from fermiloop.platform.representations.element_vectors import centroids, fit_element_vectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]

EDGES: Final = (0.2, 3.6)
"""Between the classes, eV."""
TREES: Final = 200
FEWEST: Final = 50
"""Crystals without which nothing is said."""


def gap_rows(
    samples: Samples, path: Path, folds: int, seed: int, progress: Callable[[str, float], None]
) -> list[dict[str, Any]]:
    """Rows of the share of gaps whose class is right.

    Parameters
    ----------
    samples
        Curves that the vectors of elements are learned from.
    path
        Crystals with `band_gap`; those of one or two of the samples' elements in amounts of at most 3 are taken.
    folds
        Of the cross-validation.

    Raises
    ------
    InputError
        If the file cannot be read or holds too few such crystals.
    """
    table = CompositionTable(samples.elements)
    data = suited(read_crystals(path)[0], table)
    rows = [row_of(structure.composition) for structure in data.structures]
    classes = np.digitize(data.labels["band_gap"], EDGES)
    vectors = vectors_of(samples, table, seed)
    order = np.random.default_rng(seed).permutation(len(data))
    random = [(np.setdiff1d(order, part), part) for part in np.array_split(order, folds)]
    found = []
    for split, parts in ((PUBLISHED, random), (f"held-out {APART}", folds_apart(data, folds, seed))):
        for name, made in vectors.items():
            progress(f"class of the gap, {name}, {split}", 0.0)
            found.append(_row(name, split, _right(made.encode(rows), classes, parts, seed), classes))
        found.append(_row("most frequent class", split, _frequent(classes, parts), classes))
    return found


def suited(data: TrainingSet, table: CompositionTable) -> TrainingSet:
    """The crystals with a gap whose compositions the table holds.

    Raises
    ------
    InputError
        If there are too few.
    """
    gaps = data.labels.get("band_gap", np.full(len(data), np.nan))
    kept = [
        i
        for i, structure in enumerate(data.structures)
        if np.isfinite(gaps[i]) and row_of(structure.composition) in table.index
    ]
    if len(kept) < FEWEST:
        raise InputError(
            f"The file of gaps holds {len(kept)} crystals of one or two of the library's elements with a band gap; "
            f"give one with at least {FEWEST}."
        )
    return data.subset(kept)


def vectors_of(samples: Samples, table: CompositionTable, seed: int) -> dict[str, CompositionVectors]:
    """Vectors of compositions by name."""
    learned = fit_element_vectors(centroids(samples.curves, samples.rows, table.elements), seed)
    return {
        "composition vectors": CompositionVectors(table, learned),
        "formula vectors": FormulaVectors(table),
        "one-hot vectors": CompositionVectors(table, np.eye(len(table.elements))),
    }


def _right(
    inputs: Array, classes: NDArray[np.int64], parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]], seed: int
) -> NDArray[np.bool_]:
    """(n,) whether the class of each crystal was predicted by trees that did not see it."""
    from sklearn.ensemble import ExtraTreesClassifier  # takes a second to import

    right = np.zeros(len(classes), dtype=bool)
    for train, test in parts:
        trees = ExtraTreesClassifier(TREES, random_state=seed, n_jobs=1).fit(inputs[train], classes[train])
        right[test] = trees.predict(inputs[test]) == classes[test]
    return right


def _frequent(
    classes: NDArray[np.int64], parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> NDArray[np.bool_]:
    right = np.zeros(len(classes), dtype=bool)
    for train, test in parts:
        right[test] = classes[test] == np.bincount(classes[train]).argmax()
    return right


def _row(model: str, split: str, right: NDArray[np.bool_], classes: NDArray[np.int64]) -> dict[str, Any]:
    low, high = wilson(int(right.sum()), len(right))
    return {
        "model": model,
        "split": f"class of the gap, {split}",
        "n": len(right),
        "top1": round(float(right.mean()), 4),
        "top1_low": round(low, 4),
        "top1_high": round(high, 4),
        "balanced": round(float(np.mean([right[classes == one].mean() for one in np.unique(classes)])), 4),
    }
