"""How well properties are foretold, and how far the stated uncertainty can be trusted.

Formation energy, band gap and energy above the hull, from composition alone and from the crystal, on crystals held
out at random and by composition (no test formula was seen), beside the mean of the training set and a random forest
on the same descriptors. Published figures are those of the review (Noh et al., Chem. Sci. 11, 4871, 2020), on other
data: they say what is usual. The forward model of the density of states is judged on held-out compositions.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri

from fermiloop.platform.bench.crystal_data import formulas, read_crystals, split
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.ensemble import DESCRIPTORS, EnsembleOptions, PropertyEnsemble
from fermiloop.platform.predictors.forward_dos import ForwardDos
from fermiloop.platform.predictors.reliability import reliability
from fermiloop.platform.representations.spectrum import cosine
from fermiloop.platform.representations.training import Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet

    Progress = Callable[[str, float], None]

PROPERTIES: Final = ("formation_energy_per_atom", "band_gap", "energy_above_hull")
PUBLISHED: Final = {
    ("formation_energy_per_atom", "composition"): "0.12 (Meredig's heuristic), 0.16 (tree ensemble)",
    ("formation_energy_per_atom", "structure"): "0.039 (CGCNN)",
}
FEWEST: Final = 100
TREES: Final = 200
QUICK_ROWS: Final = 1200
QUICK_EPOCHS: Final = 15
Z95: Final = float(ndtri(0.975))


def run_bench(data: Path, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Rows of the table.

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
    crystals, refused = read_crystals(data)
    if quick and len(crystals) > QUICK_ROWS:
        crystals = crystals.subset(np.random.default_rng(seed).permutation(len(crystals))[:QUICK_ROWS].tolist())
    rows: list[dict[str, Any]] = []
    known = [name for name in PROPERTIES if _n_labelled(crystals, name) >= FEWEST]
    splits = ("composition",) if quick else ("random", "composition")
    jobs = [(name, inputs, held) for name in known for inputs in DESCRIPTORS for held in splits]
    for place, (name, inputs, held) in enumerate(jobs):
        progress(f"{name} from {inputs}, held out by {held}", place / (len(jobs) + 1))
        labelled = crystals.subset(np.flatnonzero(np.isfinite(crystals.labels[name])).tolist())
        rows += _property_rows(labelled, name, inputs, held, quick, seed)
    with_curves = crystals.with_curves()
    if len(with_curves) >= FEWEST:
        rows.append(_forward_row(with_curves, seed))
    if not rows:
        raise InputError(
            f"{data} holds fewer than {FEWEST} labels of any property and as few curves; give another file."
        )
    progress("done", 1.0)
    return {"rows": rows, "data": {"file": data.name, "crystals": len(crystals), "refused": len(refused)}}


def _n_labelled(data: TrainingSet, name: str) -> int:
    return int(np.isfinite(data.labels.get(name, np.array([np.nan]))).sum())


def _property_rows(
    data: TrainingSet, name: str, inputs: str, held: str, quick: bool, seed: int
) -> list[dict[str, Any]]:
    groups = formulas(data) if held == "composition" else None
    train, test = split(len(data), (0.9, 0.1), 21 + seed, groups)
    truth = data.labels[name]
    began = time.process_time()
    model = PropertyEnsemble(name, inputs, EnsembleOptions(epochs=QUICK_EPOCHS if quick else None))
    model.fit(data.subset(train.tolist()), seed, lambda _what, _share: None)
    asked = data.subset(test.tolist())
    mean, std = model.predict(asked.structures)
    low, high = model.interval(asked.structures, 0.9)
    seconds = time.process_time() - began
    inside = int(((truth[test] >= low) & (truth[test] <= high)).sum())
    row = _row(name, inputs, held, "ensemble", truth[test], mean, seconds)
    found = reliability(truth[test], mean, std)
    row |= {
        "coverage_90": round(inside / len(test), 4),
        "coverage_low": round(wilson(inside, len(test))[0], 4),
        "coverage_high": round(wilson(inside, len(test))[1], 4),
        "ence": round(found.calibration_error, 3),
        "miscalibration_area": round(found.miscalibration_area, 4),
        "sharpness": round(found.sharpness, 4),
    }
    return [row, _forest_row(data, name, inputs, held, train, test, seed)]


def _forest_row(
    data: TrainingSet, name: str, inputs: str, held: str, train: NDArray[np.int64], test: NDArray[np.int64], seed: int
) -> dict[str, Any]:
    """The baseline: a random forest on the same descriptors."""
    from sklearn.ensemble import RandomForestRegressor

    began = time.process_time()
    x, y = DESCRIPTORS[inputs](data.structures), data.labels[name]
    forest = RandomForestRegressor(TREES, max_features=0.3, min_samples_leaf=2, random_state=seed, n_jobs=1)
    forest.fit(x[train], y[train])
    row = _row(name, inputs, held, "random forest", y[test], forest.predict(x[test]), time.process_time() - began)
    row["mae_of_mean"] = round(float(np.abs(y[test] - y[train].mean()).mean()), 4)
    return row


def _row(
    name: str, inputs: str, held: str, model: str, truth: NDArray[np.float64], mean: NDArray[np.float64], seconds: float
) -> dict[str, Any]:
    error = truth - mean
    spread = Z95 * np.abs(error).std() / np.sqrt(len(error))
    mae = float(np.abs(error).mean())
    return {
        "property": name,
        "inputs": inputs,
        "held_out_by": held,
        "model": model,
        "published": PUBLISHED.get((name, inputs)),
        "mae": round(mae, 4),
        "mae_low": round(mae - spread, 4),
        "mae_high": round(mae + spread, 4),
        "r2": round(float(1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum()), 4),
        "n": len(error),
        "mae_of_mean": None,
        "coverage_90": None,
        "coverage_low": None,
        "coverage_high": None,
        "ence": None,
        "miscalibration_area": None,
        "sharpness": None,
        "seconds": round(seconds, 1),
    }


def _forward_row(data: TrainingSet, seed: int) -> dict[str, Any]:
    """Similarities to other curves as targets, foretold for held-out compositions."""
    began = time.process_time()
    train, test = split(len(data), (0.8, 0.2), 21 + seed, formulas(data))
    model = ForwardDos()
    model.fit(data.subset(train.tolist()), seed, lambda _what, _share: None)
    asked = data.subset(test.tolist())
    curves = data.grid.normalise(np.maximum(asked.curves, 0))
    targets = data.grid.normalise(np.maximum(data.curves[train[:: max(1, len(train) // 20)]], 0))
    truth, mean, std = [], [], []
    for target in targets:
        foretold = model.similarity(asked.structures, Target(data.grid, target))
        truth.append(cosine(curves, target))
        mean.append(foretold[0])
        std.append(foretold[1])
    y, centre, width = (np.concatenate(part) for part in (truth, mean, std))
    row = _row("similarity to a DOS", "structure", "composition", "forward_dos", y, centre, time.process_time() - began)
    found = reliability(y, centre, np.maximum(width, 1e-3))
    low, high = wilson(found.covered, found.n)
    return row | {
        "coverage_90": round(found.covered / found.n, 4),
        "coverage_low": round(low, 4),
        "coverage_high": round(high, 4),
        "ence": round(found.calibration_error, 3),
        "miscalibration_area": round(found.miscalibration_area, 4),
        "sharpness": round(found.sharpness, 4),
        "mae_of_mean": round(float(np.abs(y - y.mean()).mean()), 4),
    }
