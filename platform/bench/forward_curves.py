"""From crystals to their curves, and back by asking whose predicted curve is the one that was measured.

The forward model learns from crystals with curves, and predicts those of held-out crystals: the cosine to the true
curves, and how often the true crystal is among the five of all whose predicted curves are most like a true curve.
Beside it stand the curve of the nearest crystal that was learned from, by descriptors of its composition; the mean
curve; and chance, the curve of a random crystal. Phonon densities of states are also computed by a potential, which has
learned no curve.
"""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.dos import folds_of
from fermiloop.platform.bench.potential_scores import bootstrap
from fermiloop.platform.bench.scores import TOP
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.predictors.descriptors import composition_descriptors
from fermiloop.platform.predictors.forward_dos import ForwardDos
from fermiloop.platform.representations.phonon_curves import imaginary_modes, refusal
from fermiloop.platform.representations.spectrum import cosine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Progress = Callable[[str, float], None]

OURS, NEAREST, MEAN, CHANCE = "forward model", "nearest crystal", "mean curve", "random crystal"
BROADENING: Final = 0.5  # THz; the points of JARVIS's curves lie 0.6 THz apart
COMPUTED: Final = 24
MOST_SITES: Final = 8
TIGHT: Final = 0.01  # eV/Å
STEPS: Final = 500
SEPARATION, DISPLACEMENT, MESH = 8.0, 0.03, 40.0  # Å, the defaults of the engine


@dataclass
class Outcome:
    """Of each of n held-out crystals, by each way to predict.

    Parameters
    ----------
    cosines
        (n,) cosine of the predicted curve to the true one.
    ranks
        (n,) crystals whose predicted curves are more like its true curve than its own predicted one; half of those that
        are equally like. All n were predicted by what had not learned from them.
    """

    cosines: dict[str, Array]
    ranks: dict[str, Array]


def forward_rows(data: TrainingSet, folds: int, seed: int, progress: Progress, share: float) -> list[dict[str, Any]]:
    """Both figures for each way to hold crystals out."""
    rows = []
    splits = ("held-out random", "held-out composition", "held-out composition and prototype")
    for split in splits:
        progress(f"forward model, {split}", share)
        began = time.process_time()
        found = outcome(data, folds_of(data, split, folds, seed), seed)
        seconds = time.process_time() - began
        rows += [_cosine_row(found, split, seed, seconds), _rank_row(found, split, seconds)]
    return rows


def outcome(data: TrainingSet, folds: Sequence[tuple[Rows, Rows]], seed: int) -> Outcome:
    """Predictions for every crystal by what its fold learned from the others."""
    n, rng = len(data), np.random.default_rng(seed)
    curves = data.grid.normalise(np.maximum(data.curves, 0))
    near = composition_descriptors(data.structures)
    predicted = {name: np.full((n, data.grid.n), np.nan) for name in (OURS, NEAREST, MEAN, CHANCE)}
    for train, test in folds:
        model = ForwardDos()
        model.fit(data.subset(train.tolist()), seed, lambda _what, _share: None)
        predicted[OURS][test] = model.predict([data.structures[i] for i in test]).mean(axis=0)
        predicted[NEAREST][test] = curves[train][_nearest(near[train], near[test])]
        predicted[MEAN][test] = curves[train].mean(axis=0)
        predicted[CHANCE][test] = curves[rng.choice(train, len(test))]
    found = Outcome({}, {})
    for name, rows in predicted.items():
        like = cosine(rows[None], curves[:, None])  # true curve by predicted one
        own = np.diagonal(like)
        found.cosines[name] = own.copy()
        found.ranks[name] = (like > own[:, None]).sum(axis=1) + ((like == own[:, None]).sum(axis=1) - 1) / 2
    return found


def computed_rows(data: TrainingSet, quick: bool, seed: int, progress: Progress) -> list[dict[str, Any]]:
    """Phonon densities of states by CHGNet against those of the file; none where phonopy is not installed."""
    if importlib.util.find_spec("phonopy") is None:
        return []
    small = [i for i, structure in enumerate(data.structures) if len(structure) <= MOST_SITES]
    chosen = np.random.default_rng(seed).permutation(small)[: 2 if quick else COMPUTED]
    curves, began = data.grid.normalise(np.maximum(data.curves, 0)), time.process_time()
    values, soft, failed = [], 0, 0
    for place, i in enumerate(chosen):
        progress("phonons by CHGNet", 0.6 + 0.4 * place / len(chosen))
        try:
            curve = _computed(data.structures[i], data)
        except FermiloopError:
            failed += 1
            continue
        soft += curve is None
        values.append(0.0 if curve is None else float(cosine(curve, curves[i])))
    seconds, like = time.process_time() - began, np.array(values)
    if not len(like):
        return []
    others = np.random.default_rng(seed).permutation(chosen)
    chance = float(np.mean(cosine(curves[others], curves[chosen])))
    measured = bootstrap(lambda rows: float(like[rows].mean()), len(like), seed)
    note = (
        f"median {np.median(like):.3f}; {soft} with imaginary modes, which count 0; {failed} not relaxed or too large; "
        f"{seconds / len(chosen):.1f} s a crystal; learned no curve"
    )
    return [_row("cosine of the curve computed by CHGNet", measured, chance, seconds, note)]


def _computed(structure: Structure, data: TrainingSet) -> Array | None:
    """Unit-area curve by CHGNet, None where the crystal has imaginary modes.

    Raises
    ------
    FermiloopError
        If it does not relax, or takes too large a supercell.
    """
    from fermiloop.platform.errors import EngineError
    from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
    from fermiloop.platform.predictors.potential.phonons import curve_of, modes_of
    from fermiloop.platform.predictors.potential.relaxing import relax

    potential = ChgnetPotential()
    found = relax(potential, structure, fmax=TIGHT, steps=STEPS)
    if not found.converged:
        raise EngineError("it did not relax")
    modes = modes_of(potential.calculator(), found.structure, SEPARATION, DISPLACEMENT, MESH)
    if refusal(imaginary_modes(modes.frequencies, modes.weights)):
        return None
    return data.grid.normalise(data.grid.resample(*curve_of(modes, len(structure), BROADENING)))


def _nearest(known: Array, asked: Array) -> Rows:
    """(k,) place of the nearest known row of each, in units of the spread of each descriptor."""
    spread = known.std(axis=0)
    kept = spread > 1e-9
    a, b = known[:, kept] / spread[kept], asked[:, kept] / spread[kept]
    squares = (b**2).sum(axis=1)[:, None] - 2 * b @ a.T + (a**2).sum(axis=1)
    return np.asarray(squares.argmin(axis=1))


def _cosine_row(found: Outcome, split: str, seed: int, seconds: float) -> dict[str, Any]:
    ours, nearest = found.cosines[OURS], found.cosines[NEAREST]
    measured = bootstrap(lambda rows: float(ours[rows].mean()), len(ours), seed)
    gain = bootstrap(lambda rows: float((ours - nearest)[rows].mean()), len(ours), seed)
    note = (
        f"median {np.median(ours):.3f}; nearest crystal {nearest.mean():.3f} (ours beyond it {gain.value:+.3f}, "
        f"{gain.low:+.3f} to {gain.high:+.3f}); mean curve {found.cosines[MEAN].mean():.3f}; baseline a random crystal"
    )
    chance = float(found.cosines[CHANCE].mean())
    return _row(f"cosine of the predicted curve, {split}", measured, chance, seconds, note)


def _rank_row(found: Outcome, split: str, seconds: float) -> dict[str, Any]:
    hits, nearest = found.ranks[OURS] < TOP, found.ranks[NEAREST] < TOP
    low, high = wilson(int(hits.sum()), len(hits))
    chance = min(TOP / len(hits), 1.0)
    note = (
        f"first {np.mean(found.ranks[OURS] < 1):.3f}; curves of the nearest crystals {nearest.mean():.3f}; baseline "
        f"chance among {len(hits)}"
    )
    return {
        "what": f"the crystal of a curve is among the first five, {split}", "published": None,
        "ours": round(float(hits.mean()), 4), "ours_low": round(low, 4), "ours_high": round(high, 4), "n": len(hits),
        "baseline": round(chance, 4), "seconds": round(seconds, 1), "note": note,
    }  # fmt: skip


def _row(what: str, measured: Any, baseline: float, seconds: float, note: str) -> dict[str, Any]:
    return {
        "what": what, "published": None, "ours": round(measured.value, 4), "ours_low": round(measured.low, 4),
        "ours_high": round(measured.high, 4), "n": measured.n, "baseline": round(baseline, 4),
        "seconds": round(seconds, 1), "note": note,
    }  # fmt: skip
