"""CCDCGAN's figures on small binaries: what comes back from codes, what the constraint knows, what it does.

Published (Long et al., CCDCGAN for multicomponent systems): reproduction ratio 90 % for one system, 70 % with one
autoencoder for all elements, 87 % with one for each; constraint R² 0.90 and 0.11 eV/atom; 18.3 % of graphs give a
structure, of which 90.7 % are distinct. Here the autoencoders learn from 400 binaries of at most 6 sites and 10 Å and
are judged on 100 others. Crystals of up to three elements and 8 sites with a formation energy are parted by composition
into those that the constraint learns from, those that judge it, and those that an independent judge learns from: an
ensemble on decoded crystals that shares neither data nor inputs nor weights with the constraint.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.analysis.structure_matcher import StructureMatcher
from scipy.stats import t, ttest_rel

from fermiloop.platform.bench.crystal_data import formulas, read_crystals, select, split
from fermiloop.platform.bench.crystal_scores import Share, row
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import fault
from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
from fermiloop.platform.generators.ccdcgan.constraint import ConstraintModel, Pull
from fermiloop.platform.generators.ccdcgan.gan import CrystalGan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.ccdcgan.spaces import CompactSpace
from fermiloop.platform.predictors.descriptors import composition_descriptors
from fermiloop.platform.predictors.ensemble import EnsembleOptions, PropertyEnsemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure
    from torch import Tensor

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Progress = Callable[[str, float], None]

ENERGY: Final = "formation_energy_per_atom"
BINARY_SITES: Final = 6
PUBLISHED: Final = {"combined": 0.70, "conditional": 0.87}
PARTS: Final = (0.55, 0.15, 0.30)
"""Of the labelled crystals: for the constraint, for its test, for the judge."""
BEST: Final = 0.1
"""The constraint pulls below the formation energy that this share of its crystals is below."""
TREES: Final = 200
FEWEST: Final = 60


@dataclass(frozen=True)
class Plan:
    """How much is done: crystals for the autoencoders and held out, labelled crystals, seeds, graphs of each."""

    options: CcdcganOptions
    modes: tuple[str, ...]
    train: int
    held: int
    labelled: int
    seeds: int
    graphs: int
    judge_epochs: int | None


FULL: Final = Plan(
    CcdcganOptions(
        grid=24, box=11.25, cell_grid=8, code=108, site_epochs=14, cell_epochs=150, max_sites=8, slots=3, gan_steps=600,
        latent=32,
    ),
    ("combined", "conditional"), 400, 100, 2500, 5, 60, 60,
)  # fmt: skip
QUICK: Final = Plan(
    replace(
        FULL.options, grid=16, box=15.0, cell_grid=8, channels=6, code=64, cell_code=8, site_epochs=3, cell_epochs=6,
        gan_steps=100, constraint_epochs=8,
    ),
    ("conditional",), 60, 20, 200, 2, 20, 10,
)  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """Rows of labelled crystals in one space, and their parts."""

    data: TrainingSet
    rows: Tensor
    space: CompactSpace
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    judge: NDArray[np.int64]

    @property
    def energies(self) -> Array:
        """(n,) eV/atom."""
        return self.data.labels[ENERGY]


@dataclass(frozen=True)
class Made:
    """What one adversarial training made: means by the constraint over graphs and by the judge over crystals."""

    by_constraint: float
    by_judge: float
    graphs: int
    crystals: tuple[Structure, ...]
    adversarial: float
    pulling: float


def run_bench(data: Path | None, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Rows of the table; see the module.

    Parameters
    ----------
    data
        Crystals with formation energies.
    quick
        Coarse images and two seeds: a check, not a figure.
    seed
        Of every random draw and training.
    progress
        Told what is done.

    Raises
    ------
    InputError
        If the file holds too few small binaries or formation energies.
    """
    if data is None:
        raise InputError("The ccdcgan bench needs a file of crystals with formation energies; give it with --data.")
    began, plan = time.process_time(), QUICK if quick else FULL
    crystals, refused = read_crystals(data)
    train, held = image_crystals(crystals, plan, seed)
    rows: list[dict[str, Any]] = []
    for mode in plan.modes:
        coder, found = reproduction_rows(mode, train.structures, held.structures, plan, seed, progress)
        rows += found
    labelled = labelled_rows(crystals, train, coder, plan, seed, progress)
    model, found = constraint_rows(labelled, plan, seed, progress)
    rows += found + shift_rows(labelled, model, coder, train, plan, seed, progress)
    told = {"file": data.name, "refused": len(refused), "learned from": len(train), "held out": len(held)}
    told |= {"constraint": len(labelled.train), "its test": len(labelled.test), "judge": len(labelled.judge)}
    return {
        "rows": rows,
        "data": told,
        "settings": asdict(plan.options) | {"seed": seed, "quick": quick, "seeds": plan.seeds},
        "seconds": round(time.process_time() - began, 1),
    }


def image_crystals(crystals: TrainingSet, plan: Plan, seed: int) -> tuple[TrainingSet, TrainingSet]:
    """Small binaries that the autoencoders learn from, and held-out ones.

    Raises
    ------
    InputError
        If there are too few.
    """
    small = select(crystals, n_elements=2, max_sites=BINARY_SITES, max_length=plan.options.max_length)
    coder = GraphCoder(plan.options)
    fits = [i for i, structure in enumerate(small.structures) if coder.fits(structure)]
    if len(fits) < FEWEST:
        raise InputError(f"The ccdcgan bench needs {FEWEST} small binaries, not {len(fits)}; give another --data file.")
    order = np.random.default_rng(seed).permutation(fits)[: plan.train + plan.held].tolist()
    edge = min(plan.train, int(0.8 * len(order)))
    return small.subset(order[:edge]), small.subset(order[edge:])


def reproduction_rows(
    mode: str,
    train: Sequence[Structure],
    held: Sequence[Structure],
    plan: Plan,
    seed: int,
    progress: Progress,
) -> tuple[GraphCoder, list[dict[str, Any]]]:
    """Train autoencoders; shares of crystals that come back from their codes, both elements and the cell."""
    began = time.process_time()
    coder = GraphCoder(replace(plan.options, mode=mode), seed=seed)
    coder.train(train, seed, progress)
    return coder, reproduced(coder, train, held, time.process_time() - began)


def reproduced(
    coder: GraphCoder, train: Sequence[Structure], held: Sequence[Structure], seconds: float
) -> list[dict[str, Any]]:
    """Rows of reproduction ratios of trained autoencoders."""
    mode, found = coder.options.mode, []
    matcher = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
    for part, crystals in (("in training", train), ("held out", held)):
        back = [coder.decode(codes) for codes in coder.encode(crystals)]
        same = [not isinstance(made, str) and matcher.fit(made, one) for made, one in zip(back, crystals, strict=True)]
        found.append(
            row(
                f"reproduction ratio, {mode}, {part}",
                Share.of(same),
                published=PUBLISHED[mode],
                seconds=seconds,
                note="ltol 0.3, stol 0.5, 10°; published: 64³, one copy for each element in place of conditional",
            )
        )
    return found


def labelled_rows(
    crystals: TrainingSet, images: TrainingSet, coder: GraphCoder, plan: Plan, seed: int, progress: Progress
) -> Labelled:
    """Graphs of crystals with a formation energy, parted by composition; the judge's share no formula with `images`.

    Raises
    ------
    InputError
        If there are too few.
    """
    progress("codes of labelled crystals", 0.0)
    known = np.isfinite(crystals.labels.get(ENERGY, np.full(len(crystals), np.nan)))
    places = [i for i in np.flatnonzero(known) if coder.fits(crystals.structures[i])]
    if len(places) < FEWEST:
        raise InputError(f"The ccdcgan bench needs {FEWEST} formation energies of small crystals, not {len(places)}.")
    data = crystals.subset(np.random.default_rng(seed).permutation(places)[: plan.labelled].tolist())
    names, seen = formulas(data), set(formulas(images))
    train, test, judge = split(len(data), PARTS, 21 + seed, names)
    judge = np.array([i for i in judge if names[i] not in seen], dtype=np.int64)
    codes = coder.encode([*data.structures, *images.structures])
    space = CompactSpace.learned(coder.options, codes)
    return Labelled(data, space.rows(codes), space, train, test, judge)


def constraint_rows(
    labelled: Labelled, plan: Plan, seed: int, progress: Progress
) -> tuple[ConstraintModel, list[dict[str, Any]]]:
    """The constraint model, and its figures on held-out compositions beside a random forest on composition."""
    from sklearn.ensemble import RandomForestRegressor

    began, truth = time.process_time(), labelled.energies
    model = ConstraintModel(labelled.space, ENERGY, seed)
    model.train_on(labelled.rows[labelled.train], truth[labelled.train], plan.options, seed, progress)
    seconds = time.process_time() - began
    inputs = composition_descriptors(labelled.data.structures)
    forest = RandomForestRegressor(TREES, max_features=0.3, random_state=seed, n_jobs=1)
    forest.fit(inputs[labelled.train], truth[labelled.train])
    asked = truth[labelled.test]
    found, theirs = model.predict(labelled.rows[labelled.test]), forest.predict(inputs[labelled.test])
    error, other = np.abs(found - asked), np.abs(theirs - asked)
    note = f"{len(labelled.train)} learned from, held out by composition; baseline: random forest on composition"
    mae = row("constraint: mean error of E_f, eV/atom", float(error.mean()), published=0.11, n=len(asked),
              baseline=float(other.mean()), seconds=seconds, note=note)  # fmt: skip
    low, high = _interval(error)
    gap_low, gap_high = _interval(error - other)
    mae |= {"ours_low": low, "ours_high": high}
    mae["note"] += f"; less theirs {gap_low:.3f} to {gap_high:.3f}"
    r2 = row("constraint: R² of E_f", _r2(asked, found), published=0.90, n=len(asked), baseline=_r2(asked, theirs),
             seconds=seconds, note=note)  # fmt: skip
    return model, [r2, mae]


def shift_rows(
    labelled: Labelled,
    model: ConstraintModel,
    coder: GraphCoder,
    images: TrainingSet,
    plan: Plan,
    seed: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The network with the constraint against the one without, seed by seed, from equal weights and noise."""
    began = time.process_time()
    judge = PropertyEnsemble(ENERGY, "structure", EnsembleOptions(epochs=plan.judge_epochs))
    judge.fit(labelled.data.subset(labelled.judge.tolist()), seed + 1000, lambda _what, _share: None)
    pairs = [i for i in labelled.train if len(labelled.data.structures[i].composition) == 2]
    places = [*pairs, *range(len(labelled.data), len(labelled.data) + len(images))]
    aim = float(np.quantile(labelled.energies[labelled.train], BEST))
    pulls = (Pull(model, plan.options.constraint_weight, aim),)
    plain: list[Made] = []
    drawn: list[Made] = []
    for number in range(plan.seeds):
        progress("with and without the constraint", number / plan.seeds)
        for asked, results in (((), plain), (pulls, drawn)):
            results.append(_made(labelled, places, asked, model, judge, coder, plan, seed + number))
    seconds = time.process_time() - began
    rows = [_shift(drawn, plain, "by_constraint", "graphs by the constraint itself", seconds)]
    rows.append(_shift(drawn, plain, "by_judge", "crystals by the independent judge", seconds))
    for name, results in (("CCDCGAN", drawn), ("DCGAN", plain)):
        crystals = [crystal for one in results for crystal in one.crystals]
        n = sum(one.graphs for one in results)
        rows.append(row(f"{name}: structures per graph", Share(len(crystals), n), published=0.183))
        rows.append(row(f"{name}: unique among structures", Share(_unique(crystals), len(crystals)), published=0.907,
                        note="by StructureMatcher within a formula"))  # fmt: skip
    norms = [float(np.mean([getattr(one, name) for one in drawn])) for name in ("pulling", "adversarial")]
    rows.append(row("gradient norm of the constraint on the generator", norms[0], baseline=norms[1], n=plan.seeds,
                    note="with its weight; baseline: of the discriminator"))  # fmt: skip
    return rows


def _made(
    labelled: Labelled,
    places: Sequence[int],
    pulls: Sequence[Pull],
    model: ConstraintModel,
    judge: PropertyEnsemble,
    coder: GraphCoder,
    plan: Plan,
    seed: int,
) -> Made:
    gan = CrystalGan(labelled.space, plan.options, seed)
    report = gan.train(labelled.rows[list(places)], pulls, seed, lambda _what, _share: None)
    with torch.no_grad():
        rows = gan.rows(gan.noise(plan.graphs, torch.Generator().manual_seed(seed)))
    decoded = [coder.decode(codes) for codes in labelled.space.codes(rows)]
    crystals = tuple(one for one in decoded if not isinstance(one, str) and fault(one) is None)
    judged = float(judge.predict(crystals)[0].mean()) if crystals else float("nan")
    predicted = float(model.predict(rows).mean())
    return Made(predicted, judged, len(rows), crystals, report.adversarial, report.pulling)


def _shift(drawn: Sequence[Made], plain: Sequence[Made], field: str, words: str, seconds: float) -> dict[str, Any]:
    """Mean formation energy of both, over the seeds, and the paired test of the difference."""
    with_, without = (np.array([getattr(one, field) for one in part]) for part in (drawn, plain))
    there = np.isfinite(with_) & np.isfinite(without)
    with_, without = with_[there], without[there]
    if len(with_) < 2:
        return row(f"mean E_f of {words}, eV/atom", None, n=len(with_), note="too few structures")
    p = float(ttest_rel(with_, without, alternative="less").pvalue)
    low, high = _interval(with_ - without)
    note = (
        f"baseline: without the constraint; difference {np.mean(with_ - without):.3f} ({low:.3f} to {high:.3f}) over "
        f"{len(with_)} paired seeds, one-sided paired t-test p = {p:.2g}"
    )
    found = row(f"mean E_f of {words}, eV/atom", float(with_.mean()), baseline=float(without.mean()), n=len(with_),
                seconds=seconds, note=note)  # fmt: skip
    low, high = _interval(with_)
    return found | {"ours_low": low, "ours_high": high}


def _unique(crystals: Sequence[Structure]) -> int:
    """Groups of crystals that match."""
    by_formula: dict[str, list[Structure]] = {}
    for crystal in crystals:
        by_formula.setdefault(crystal.composition.reduced_formula, []).append(crystal)
    matcher = StructureMatcher()
    groups = [matcher.group_structures(group) for group in by_formula.values()]  # type: ignore[no-untyped-call]
    return sum(map(len, groups))


def _r2(truth: Array, found: Array) -> float:
    return float(1 - ((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def _interval(values: Array) -> tuple[float, float]:
    """Student's, 95 %, of the mean."""
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return round(float(values.mean()) - half, 4), round(float(values.mean()) + half, 4)
