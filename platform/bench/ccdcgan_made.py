"""What the adversarial network makes with the constraint and without: energies, stability, novelty.

A formation energy is no stability: what the constraint lowers it lowers for competing phases too, where these are
known. So beside it stands the energy above the hull of the file's own crystals, which is complete only as far as the
file is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.analysis.structure_matcher import StructureMatcher
from scipy.stats import t, ttest_rel

from fermiloop.platform.bench.ccdcgan_data import ENERGY, Labelled, Plan
from fermiloop.platform.bench.crystal_scores import Share, row
from fermiloop.platform.bench.potential_data import Hull
from fermiloop.platform.generators.acceptance import fault
from fermiloop.platform.generators.ccdcgan.constraint import ConstraintModel, Pull
from fermiloop.platform.generators.ccdcgan.gan import CrystalGan
from fermiloop.platform.predictors.ensemble import EnsembleOptions, PropertyEnsemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Progress = Callable[[str, float], None]

BEST: Final = 0.1
"""The constraint pulls below the formation energy that this share of its crystals is below."""
STABLE: Final = 0.1  # eV/atom above the hull
ABOVE: Final = "mean energy above the hull of the file, crystals by the independent judge, eV/atom"


@dataclass(frozen=True)
class Made:
    """What one adversarial training made: mean by the constraint over graphs, and energies of crystals by the judge."""

    by_constraint: float
    energies: Array
    above: Array
    graphs: int
    crystals: tuple[Structure, ...]
    adversarial: float
    pulling: float

    @property
    def by_judge(self) -> float:
        """Mean formation energy of the crystals, eV/atom; NaN of none."""
        return float(self.energies.mean()) if len(self.energies) else float("nan")

    @property
    def above_hull(self) -> float:
        """Mean energy above the hull of the file, eV/atom; NaN of none."""
        return float(self.above.mean()) if len(self.above) else float("nan")


def shift_rows(
    crystals: TrainingSet,
    labelled: Labelled,
    model: ConstraintModel,
    coder: GraphCoder,
    images: TrainingSet,
    plan: Plan,
    seed: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The network with the constraint against the one without, seed by seed, from equal weights and noise.

    The hull is that of all `crystals` with a formation energy.
    """
    began = time.process_time()
    judge = PropertyEnsemble(ENERGY, "structure", EnsembleOptions(epochs=plan.judge_epochs))
    judge.fit(labelled.data.subset(labelled.judge.tolist()), seed + 1000, lambda _what, _share: None)
    pairs = [i for i in labelled.train if len(labelled.data.structures[i].composition) == 2]
    places = [*pairs, *range(len(labelled.data), len(labelled.data) + len(images))]
    aim = float(np.quantile(labelled.energies[labelled.train], BEST))
    pulls = (Pull(model, plan.options.constraint_weight, aim),)
    hull = Hull(crystals.structures, crystals.labels[ENERGY])
    plain: list[Made] = []
    drawn: list[Made] = []
    for number in range(plan.seeds):
        progress("with and without the constraint", number / plan.seeds)
        for asked, results in (((), plain), (pulls, drawn)):
            results.append(_made(labelled, places, asked, model, judge, hull, coder, plan, seed + number))
    seconds = time.process_time() - began
    rows = [_shift(drawn, plain, "by_constraint", "mean E_f of graphs by the constraint itself, eV/atom", seconds)]
    rows.append(_shift(drawn, plain, "by_judge", "mean E_f of crystals by the independent judge, eV/atom", seconds))
    rows.append(_shift(drawn, plain, "above_hull", ABOVE, seconds))
    known = [*(labelled.data.structures[i] for i in pairs), *images.structures]
    for name, results in (("CCDCGAN", drawn), ("DCGAN", plain)):
        rows += _shares(name, results, known)
    norms = [float(np.mean([getattr(one, name) for one in drawn])) for name in ("pulling", "adversarial")]
    rows.append(row("gradient norm of the constraint on the generator", norms[0], baseline=norms[1], n=plan.seeds,
                    note="with its weight; baseline: of the discriminator"))  # fmt: skip
    return rows


def _shares(name: str, results: Sequence[Made], known: Sequence[Structure]) -> list[dict[str, Any]]:
    """How many graphs become crystals; of these the unlike ones, the new ones, and those of low energy by the judge."""
    crystals = [crystal for one in results for crystal in one.crystals]
    energies, above = (np.concatenate([getattr(one, field) for one in results]) for field in ("energies", "above"))
    note = "by StructureMatcher within a formula"
    judged = "by the independent judge, not relaxed"
    return [
        row(f"{name}: structures per graph", Share(len(crystals), sum(one.graphs for one in results)), published=0.183),
        row(f"{name}: unique among structures", Share(_unique(crystals), len(crystals)), note=note),
        row(f"{name}: unreported in the training set", unreported(crystals, known), published=0.907,
            note=f"{note}; of {len(known)} crystals; the published set has 52,615"),
        row(f"{name}: E_f below zero", Share.of(energies < 0), published=0.72,
            note=f"{judged}; published: after relaxation by DFT"),
        row(f"{name}: at most {STABLE:g} eV/atom above the hull of the file", Share.of(above <= STABLE), note=judged),
    ]  # fmt: skip


def _made(
    labelled: Labelled,
    places: Sequence[int],
    pulls: Sequence[Pull],
    model: ConstraintModel,
    judge: PropertyEnsemble,
    hull: Hull,
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
    judged = np.asarray(judge.predict(crystals)[0]) if crystals else np.zeros(0)
    predicted = float(model.predict(rows).mean())
    above = hull.above(crystals, judged)
    return Made(predicted, judged, above, len(rows), crystals, report.adversarial, report.pulling)


def _shift(drawn: Sequence[Made], plain: Sequence[Made], field: str, what: str, seconds: float) -> dict[str, Any]:
    """Mean energy of both, over the seeds, and the paired test of the difference."""
    with_, without = (np.array([getattr(one, field) for one in part]) for part in (drawn, plain))
    there = np.isfinite(with_) & np.isfinite(without)
    with_, without = with_[there], without[there]
    if len(with_) < 2:
        return row(what, None, n=len(with_), note="too few structures")
    p = float(ttest_rel(with_, without, alternative="less").pvalue)
    low, high = interval(with_ - without)
    note = (
        f"baseline: without the constraint; difference {np.mean(with_ - without):.3f} ({low:.3f} to {high:.3f}) over "
        f"{len(with_)} paired seeds, one-sided paired t-test p = {p:.2g}"
    )
    found = row(what, float(with_.mean()), baseline=float(without.mean()), n=len(with_),
                seconds=seconds, note=note)  # fmt: skip
    low, high = interval(with_)
    return found | {"ours_low": low, "ours_high": high}


def _unique(crystals: Sequence[Structure]) -> int:
    """Groups of crystals that match."""
    by_formula: dict[str, list[Structure]] = {}
    for crystal in crystals:
        by_formula.setdefault(crystal.composition.reduced_formula, []).append(crystal)
    matcher = StructureMatcher()
    groups = [matcher.group_structures(group) for group in by_formula.values()]  # type: ignore[no-untyped-call]
    return sum(map(len, groups))


def unreported(crystals: Sequence[Structure], known: Sequence[Structure]) -> Share:
    """Share of crystals that match none of the known ones."""
    by_formula: dict[str, list[Structure]] = {}
    for structure in known:
        by_formula.setdefault(structure.composition.reduced_formula, []).append(structure)
    matcher = StructureMatcher()
    return Share.of(
        not any(matcher.fit(crystal, one) for one in by_formula.get(crystal.composition.reduced_formula, ()))
        for crystal in crystals
    )


def interval(values: Array) -> tuple[float, float]:
    """Student's, 95 %, of the mean."""
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return round(float(values.mean()) - half, 4), round(float(values.mean()) + half, 4)
