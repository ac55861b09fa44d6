"""How well properties are predicted, and how far the stated uncertainty can be trusted.

Formation energy, band gap and energy above the hull, from composition alone and from the crystal, on crystals held
out at random, as is usual, and on such as share neither a composition nor a prototype with what was learned, beside
the mean of the training set and a random forest on the same descriptors. Published figures are those of the review
(Noh et al., Chem. Sci. 11, 4871, 2020), on other data: they say what is usual. The forward model of the density of
states is judged on crystals held out in the second way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri

from fermiloop.platform.bench.crystal_data import formulas, read_crystals
from fermiloop.platform.bench.splits import APART, PUBLISHED, SEED, Parts, apart, published
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.ensemble import DESCRIPTORS, EnsembleOptions, PropertyEnsemble
from fermiloop.platform.predictors.forward_dos import ForwardDos
from fermiloop.platform.predictors.reliability import Reliability, reliability
from fermiloop.platform.representations.spectrum import cosine
from fermiloop.platform.representations.training import Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Progress = Callable[[str, float], None]

UNITS: Final = {"formation_energy_per_atom": "eV/atom", "band_gap": "eV", "energy_above_hull": "eV/atom"}
ERRORS: Final = {
    ("formation_energy_per_atom", "composition"): (0.16, "published: tree ensemble, Meredig's heuristic 0.12; "),
    ("formation_energy_per_atom", "structure"): (0.039, "published: CGCNN; "),
}
FEWEST: Final = 100
TREES: Final = 60
QUICK_ROWS: Final = 1200
QUICK_EPOCHS: Final = 15
TEST_SHARE: Final = 0.1
FORWARD: Final = (0.8, 0.2)
"""Shares of the curves that the forward model learns from and is tested on."""
Z95: Final = float(ndtri(0.975))


@dataclass(frozen=True)
class Question:
    """What is predicted, from ``composition`` or ``structure``, and how the test crystals were held out."""

    property: str
    inputs: str
    held: str


def run_bench(data: Path, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Rows of the table: of each model its error, then how many truths lie in its 90 % intervals.

    Parameters
    ----------
    data
        Crystals with labels, or a library of densities of states.
    quick
        Few crystals and epochs: a check, not a figure.
    seed
        Of the splits and the trainings.

    Raises
    ------
    InputError
        If the file holds neither enough labels nor enough curves.
    """
    began = time.process_time()
    crystals, refused = read_crystals(data)
    if quick and len(crystals) > QUICK_ROWS:
        crystals = crystals.subset(np.random.default_rng(seed).permutation(len(crystals))[:QUICK_ROWS].tolist())
    rows: list[dict[str, Any]] = []
    known = [name for name in UNITS if _n_labelled(crystals, name) >= FEWEST]
    splits = (APART,) if quick else (PUBLISHED, APART)
    jobs = [(inputs, name, held) for inputs in DESCRIPTORS for name in known for held in splits]
    described: dict[str, Array] = {}
    for place, (inputs, name, held) in enumerate(jobs):
        progress(f"{name} from {inputs}, split by {held}", place / (len(jobs) + 1))
        if inputs not in described:
            described = {inputs: DESCRIPTORS[inputs](crystals.structures)}
        rows += property_rows(Question(name, inputs, held), described[inputs], crystals, quick, seed)
    with_curves = crystals.with_curves()
    if len(with_curves) >= FEWEST:
        rows += forward_rows(with_curves, seed)
    if not rows:
        raise InputError(
            f"{data} holds fewer than {FEWEST} labels of any property and as few curves; give another file."
        )
    progress("done", 1.0)
    return {
        "rows": rows,
        "data": {"file": data.name, "crystals": len(crystals), "refused": len(refused)},
        "settings": {"quick": quick, "seed": seed, "test_share": TEST_SHARE, "trees_of_the_baseline": TREES},
        "seconds": round(time.process_time() - began, 1),
    }


def _n_labelled(data: TrainingSet, name: str) -> int:
    return int(np.isfinite(data.labels.get(name, np.array([np.nan]))).sum())


def property_rows(question: Question, x: Array, crystals: TrainingSet, quick: bool, seed: int) -> list[dict[str, Any]]:
    """Error and coverage of the ensemble on crystals held out, beside a random forest on the same descriptors.

    Parameters
    ----------
    question
        What is predicted from what.
    x
        (n, d) descriptors of the crystals.
    crystals
        With labels, NaN where there is none.
    quick
        Few epochs.
    seed
        Of the split and the training.
    """
    labelled = np.flatnonzero(np.isfinite(crystals.labels[question.property]))
    x, y = x[labelled], crystals.labels[question.property][labelled]
    known = crystals.subset(labelled.tolist())
    kinds, shares = formulas(known), (1 - TEST_SHARE, TEST_SHARE)
    at_random = question.held == PUBLISHED
    train, test = published(len(y), shares, SEED + seed) if at_random else apart(known, shares, SEED + seed)
    began = time.process_time()
    model = PropertyEnsemble(
        question.property, question.inputs, EnsembleOptions(epochs=QUICK_EPOCHS if quick else None)
    )
    model.fit_rows(x[train], y[train], [kinds[i] for i in train], seed, lambda _what, _share: None)
    mean, std = model.predict_rows(x[test])
    inside = np.abs(y[test] - mean) <= std * model.quantile(0.9)
    seconds = time.process_time() - began
    trees = _forest(x, y, train, test, seed)
    found, baseline = reliability(y[test], mean, std), reliability(y[test], trees, np.ones(len(test)))
    paper, words = ERRORS.get((question.property, question.inputs), (None, ""))
    of_mean = np.abs(y[test] - y[train].mean()).mean()
    note = f"{words}R² {found.r2:.3f}, of the forest {baseline.r2:.3f}; error of the mean {of_mean:.3f}"
    split = "random split, as published" if question.held == PUBLISHED else f"split by {question.held}"
    what = f"{question.property} from {question.inputs}, {split}"
    return [
        _error_row(f"{what}: error ({UNITS[question.property]})", y[test] - mean, paper, baseline.mae, seconds, note),
        _coverage_row(f"{what}: true values inside the 90 % interval", float(inside.mean()), len(test), found),
    ]


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:  # noqa: ARG001 - the same for both
    """What figures of held-out crystals are learned from and measured on."""
    found = []
    for name in UNITS:
        if _n_labelled(crystals, name) >= FEWEST:
            known = crystals.subset(np.flatnonzero(np.isfinite(crystals.labels[name])).tolist())
            train, test = apart(known, (1 - TEST_SHARE, TEST_SHARE), SEED + seed)
            found.append(Parts(name, known.subset(train.tolist()), known.subset(test.tolist())))
    with_curves = crystals.with_curves()
    if len(with_curves) >= FEWEST:
        train, test = apart(with_curves, FORWARD, SEED + seed)
        found.append(Parts("forward_dos", with_curves.subset(train.tolist()), with_curves.subset(test.tolist())))
    return found


def _forest(x: Array, y: Array, train: Rows, test: Rows, seed: int) -> Array:
    """(n_test,) the baseline: what a random forest on the same descriptors predicts."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(TREES, max_features=0.3, min_samples_leaf=2, random_state=seed, n_jobs=1)
    return np.asarray(forest.fit(x[train], y[train]).predict(x[test]))


def forward_rows(data: TrainingSet, seed: int) -> list[dict[str, Any]]:
    """Similarities to other curves as targets, predicted for held-out crystals by the forward model.

    Its baseline is one similarity for all, the mean. Errors of one crystal go together, so intervals count crystals.
    """
    began = time.process_time()
    train, test = apart(data, FORWARD, SEED + seed)
    model = ForwardDos()
    model.fit(data.subset(train.tolist()), seed, lambda _what, _share: None)
    asked = data.subset(test.tolist())
    curves = data.grid.normalise(np.maximum(asked.curves, 0))
    targets = data.grid.normalise(np.maximum(data.curves[train[:: max(1, len(train) // 20)]], 0))
    predicted = [model.similarity(asked.structures, Target(data.grid, target)) for target in targets]
    truth = np.stack([cosine(curves, target) for target in targets])
    mean, std = np.stack([parts[0] for parts in predicted]), np.stack([parts[1] for parts in predicted])
    found = reliability(truth.ravel(), mean.ravel(), std.ravel())
    what = f"forward_dos: similarity to a density of states, split by {APART}"
    of_mean = float(np.abs(truth - truth.mean()).mean())
    note = f"R² {found.r2:.3f}; {len(test)} crystals by {len(targets)} targets"
    seconds = time.process_time() - began
    return [
        _error_row(f"{what}: error", np.abs(truth - mean).mean(axis=0), None, of_mean, seconds, note),
        _coverage_row(f"{what}: true values inside the 90 % interval", found.covered / found.n, len(test), found),
    ]


def _error_row(
    what: str, error: Array, published: float | None, baseline: float, seconds: float, note: str
) -> dict[str, Any]:
    """Mean absolute error with its normal 95 % interval."""
    mae = float(np.abs(error).mean())
    spread = Z95 * float(np.abs(error).std()) / np.sqrt(len(error))
    return {
        "what": what,
        "published": published,
        "ours": round(mae, 4),
        "ours_low": round(mae - spread, 4),
        "ours_high": round(mae + spread, 4),
        "n": len(error),
        "baseline": round(baseline, 4),
        "seconds": round(seconds, 1),
        "note": note,
    }


def _coverage_row(what: str, share: float, n: int, found: Reliability) -> dict[str, Any]:
    """Share of the truths of `n` crystals within the interval, with its Wilson 95 % interval."""
    low, high = wilson(round(share * n), n)
    return {
        "what": what,
        "published": None,
        "ours": round(share, 4),
        "ours_low": round(low, 4),
        "ours_high": round(high, 4),
        "n": n,
        "baseline": None,
        "seconds": None,
        "note": (
            f"calibration error {found.calibration_error:.3f}, miscalibration area {found.miscalibration_area:.3f}, "
            f"sharpness {found.sharpness:.3f}, NLL {found.nll:.3f}"
        ),
    }
