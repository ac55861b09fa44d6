"""Synthesizability learned from ICSD labels: how well those held out are told from the unlabelled.

Labels are of the file: 1 for a crystal with an entry in the ICSD, 0 for one without, of which some can be made all the
same. So the area under the curve compares positives with unlabelled ones and is a lower bound, and no precision is
given. Every crystal is judged by a model that has seen neither its composition nor its prototype; a split by
composition alone stands beside. The simplest baselines are how often each element occurs in the ICSD, and the energy
above the hull.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.stats import rankdata

from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.crystal_scores import Share, row
from fermiloop.platform.bench.library import lines_of
from fermiloop.platform.bench.splits import APART, COMPOSITION, Parts, by_composition, folds_apart
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import atomic_fractions
from fermiloop.platform.predictors.synthesizability import Synthesizability, SynthesizabilityOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    Progress = Callable[[str, float], None]

LABEL: Final = "icsd"
FOLDS: Final = 5
KEPT: Final = (0.5, 0.1)
"""Shares of all crystals, the best ones, among which positives are counted."""
QUICK_ROWS: Final = 600
QUICK_EPOCHS: Final = 3
FEWEST: Final = 100
Z: Final = 1.96


@dataclass(frozen=True)
class Area:
    """Area under the curve of positives against the others, with an interval of 95 % (Hanley and McNeil, 1982)."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, scores: Array, positive: Flags) -> Area:
        """Of scores, higher for positives; ties count half.

        Raises
        ------
        InputError
            If all are positive, or none is.
        """
        n, others = int(positive.sum()), int((~positive).sum())
        if not n or not others:
            raise InputError(f"{n} positives and {others} others give no area under a curve; give another file.")
        ranks = rankdata(scores)
        area = float((ranks[positive].sum() - n * (n + 1) / 2) / (n * others))
        one, two = area / (2 - area), 2 * area**2 / (1 + area)
        spread = area * (1 - area) + (n - 1) * (one - area**2) + (others - 1) * (two - area**2)
        half = Z * float(np.sqrt(max(spread, 0.0) / (n * others)))
        return cls(area, max(area - half, 0.0), min(area + half, 1.0))


def run_bench(data: Path | None, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Areas under the curve and recalls, in two splits, beside the baselines.

    Parameters
    ----------
    data
        Crystals with ``icsd``.
    quick
        Few crystals and epochs: a check, not a figure.
    seed
        Of the training; the folds are always the same.
    progress
        Told the stage.

    Raises
    ------
    InputError
        If there is no file, or too few of its crystals are labelled.
    """
    if data is None:
        raise InputError("The bench of synthesizability needs crystals with ICSD labels; give --data.")
    began = time.perf_counter()
    progress("reading", 0.0)
    crystals, made = labelled(data, quick, seed)
    options = SynthesizabilityOptions(epochs=QUICK_EPOCHS) if quick else SynthesizabilityOptions()
    rows: list[dict[str, Any]] = []
    splits = {APART: folds_apart(crystals, FOLDS), COMPOSITION: by_composition(crystals, FOLDS)}
    for place, (split, folds) in enumerate(splits.items()):
        start = 0.1 + 0.45 * place
        rows += _split_rows(split, folds, crystals, made, options, seed, _within(progress, start, start + 0.45))
    progress("done", 1.0)
    return {
        "rows": rows,
        "data": {"file": data.name, "n": len(crystals), "with an ICSD entry": int(made.sum())},
        "settings": {"quick": quick, "seed": seed, "folds": FOLDS},
        "seconds": round(time.perf_counter() - began, 1),
    }


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:
    """What figures of held-out crystals are learned from and measured on, in the split that parts prototypes too."""
    del quick, seed  # the folds are always the same
    folds = folds_apart(crystals, FOLDS)
    return [
        Parts(f"fold {i + 1}", crystals.subset(a.tolist()), crystals.subset(b.tolist()))
        for i, (a, b) in enumerate(folds)
    ]


def labelled(data: Path, quick: bool = False, seed: int = 0) -> tuple[TrainingSet, Flags]:
    """Crystals of a file that have a label, and which of them are in the ICSD.

    Raises
    ------
    InputError
        If the file cannot be read, or holds fewer than 100 labels.
    """
    crystals, _ = read_crystals(data)
    known = {}
    for line in lines_of(data):
        record = json.loads(line) if f'"{LABEL}"' in line else {}
        if record.get(LABEL) is not None:
            known[str(record.get("material_id"))] = bool(record[LABEL])
    rows = [i for i, one in enumerate(crystals.ids) if one in known]
    if len(rows) < FEWEST:
        raise InputError(f"{data} holds {len(rows)} crystals with a label {LABEL}; {FEWEST} are needed.")
    if quick and len(rows) > QUICK_ROWS:
        rows = sorted(np.random.default_rng(seed).choice(rows, QUICK_ROWS, replace=False).tolist())
    return crystals.subset(rows), np.array([known[crystals.ids[i]] for i in rows], dtype=bool)


def element_scores(learned: TrainingSet, made: Flags, asked: TrainingSet) -> Array:
    """(n,) the simplest baseline: the mean over a crystal's atoms of how often crystals with the element were made."""
    there, share = atomic_fractions(learned.structures) > 0, float(made.mean())
    rate = (there[made].sum(axis=0) + share) / (there.sum(axis=0) + 1)
    return np.asarray(atomic_fractions(asked.structures) @ rate)


def _split_rows(
    split: str,
    folds: Folds,
    crystals: TrainingSet,
    made: Flags,
    options: SynthesizabilityOptions,
    seed: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    scores, simple = np.full(len(crystals), np.nan), np.full(len(crystals), np.nan)
    began = time.process_time()
    for fold, (train, test) in enumerate(folds):
        learned, asked = crystals.subset(train.tolist()), crystals.subset(test.tolist())
        model = Synthesizability(options)
        model.fit(learned.structures, made[train], seed, _within(progress, fold / len(folds), (fold + 1) / len(folds)))
        scores[test] = model.predict(asked.structures)[0]
        simple[test] = element_scores(learned, made[train], asked)
    seconds = time.process_time() - began
    hull = -np.asarray(crystals.labels["energy_above_hull"], dtype=float)
    return [
        *_score_rows(f"split by {split}: networks on the composition", scores, simple, made, seconds),
        _area_row(f"split by {split}: share of each element in the ICSD", simple, made, 0.5, "baseline"),
        _area_row("energy above the hull, nothing learned", hull, made, 0.5, "baseline; of the crystals that have one"),
    ][: None if split == APART else -1]


def _score_rows(what: str, scores: Array, simple: Array, made: Flags, seconds: float) -> list[dict[str, Any]]:
    rows = [_area_row(what, scores, made, Area.of(simple, made).value, "positives against unlabelled", seconds)]
    for share in KEPT:
        best, theirs = (np.argsort(-x, kind="stable")[: round(share * len(x))] for x in (scores, simple))
        baseline = float(made[theirs].sum() / made.sum())
        at_best = min(1.0, round(share * len(made)) / made.sum())
        note = f"at random {share:g}, at most {at_best:.3f}; the baseline ranks by the elements"
        recall = Share(int(made[best].sum()), int(made.sum()))
        rows.append(
            row(
                f"{what}: share of the synthesised crystals among the best {100 * share:.0f} %",
                recall,
                baseline=baseline,
                note=note,
            )
        )
    return rows


def _area_row(
    what: str, scores: Array, made: Flags, baseline: float, note: str, seconds: float | None = None
) -> dict[str, Any]:
    there = np.isfinite(scores)
    area = Area.of(scores[there], made[there])
    return row(f"{what}: area under the curve", area.value, baseline=baseline, n=int(there.sum()), note=note,
               seconds=seconds, interval=(area.low, area.high))  # fmt: skip


def _within(progress: Progress, start: float, end: float) -> Progress:
    return lambda what, share: progress(what, start + (end - start) * share)
