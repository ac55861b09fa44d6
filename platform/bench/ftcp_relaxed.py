"""Case 1 of the paper: designs for four formation energies, judged after relaxation, beside random crystals.

A formation energy is no stability: the energy above the hull of the file's crystals, by their formation energies,
stands beside. CHGNet was trained on energies of the Materials Project with its corrections, so both are on one scale,
up to its error. Designs and random crystals are taken at random whatever their size, and one that does not relax in
150 steps is a failure, so that small cells are not favoured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher

from fermiloop.platform.bench.crystal_scores import Share, design_score, row
from fermiloop.platform.bench.dissimilarity import dissimilarity, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.bench.ftcp_judge import RelaxationJudge, Relaxed
    from fermiloop.platform.bench.potential_data import Hull

    Array = NDArray[np.float64]

STABLE: Final = 0.1  # eV/atom above the hull
TOLERANCE: Final = 0.06  # eV/atom


@dataclass(frozen=True)
class Case:
    """One target of case 1, with what the paper reports of it.

    Parameters
    ----------
    value
        Formation energy, eV/atom.
    success, valid, random
        Shares that the paper reports: of all designs in the band, of all designs valid, of the data set in the band.
    """

    value: float
    success: float
    valid: float
    random: float

    @property
    def times_random(self) -> float:
        """As published."""
        return self.success / self.random


CASES: Final = (
    Case(-0.5, 0.389, 0.778, 0.105),
    Case(-0.3, 0.143, 0.810, 0.103),
    Case(-0.6, 0.179, 0.964, 0.096),
    Case(-0.7, 0.214, 0.929, 0.083),
)
DISSIMILARITY: Final = 0.37
"""The paper's median over case 1."""
OTHER_STRUCTURE: Final = 0.75
PUBLISHED_HITS, PUBLISHED_DESIGNS = 21, 95
"""Over the four targets."""


@dataclass(frozen=True)
class Designs:
    """Crystals as proposed, and those that they were made from.

    Parameters
    ----------
    structures
        Designs.
    parents
        Of each; None where there is none.
    """

    structures: Sequence[Structure]
    parents: Sequence[Structure | None]


@dataclass(frozen=True)
class Outcome:
    """One target judged.

    Parameters
    ----------
    rows
        Of the table.
    success, random
        Shares in the band, of designs and of random crystals.
    dissimilarities
        Of relaxed designs from the crystals that they were made from.
    """

    rows: list[dict[str, Any]]
    success: Share
    random: Share
    dissimilarities: Array


def judged(
    designs: Designs,
    random: Sequence[Structure],
    judge: RelaxationJudge,
    hull: Hull,
    case: Case,
    told: Callable[[str, float], None],
) -> Outcome:
    """Success of designs after relaxation, beside that of random crystals judged in the same way.

    Parameters
    ----------
    designs
        As proposed.
    random
        Crystals of the data set that passed the filters of designs.
    judge
        Relaxes both.
    hull
        Of the file.
    case
        What was asked for.
    told
        What is done, and the share.
    """
    ours = judge.judge(designs.structures, lambda share: told("relaxation of designs", 0.5 * share))
    theirs = judge.judge(random, lambda share: told("relaxation of random crystals", 0.5 + 0.5 * share))
    unlike = _unlike(ours.structures)
    energies = ours.formation[unlike].tolist()
    chance = [*theirs.formation.tolist(), *[float("nan")] * (theirs.n - len(theirs.formation))]
    score = design_score(ours.n, energies, chance, case.value, TOLERANCE)
    apart = "intervals apart" if score.success.above(score.random) else "intervals overlap"
    what = f"E_f = {case.value} ± {TOLERANCE} eV/atom, relaxed by {judge.name}"
    note, chance_share = (
        f"{apart}; failures and duplicates count as misses; published: relaxed by DFT",
        score.random.value,
    )
    unlikeness, moved = _dissimilarities(designs, ours)
    rows = [
        row(f"{what}: designs in the band", score.success, published=case.success, baseline=chance_share, note=note),
        row(f"{what}: crystals of the data set at random in the band", score.random,
            published=case.random, note="through the same filters, judged in the same way"),
        row(f"{what}: times random", score.times_random, published=round(case.times_random, 2), baseline=1,
            n=score.success.n),
        row(f"{what}: valid and unlike each other", score.valid, published=case.valid),
        *_hull_rows(what, ours, theirs, unlike, hull),
        row(f"{what}: median dissimilarity from the parent", _median(unlikeness), published=DISSIMILARITY,
            n=len(unlikeness), note="published: over all of case 1; above 0.75 counts as another structure"),
        row(f"{what}: median dissimilarity by relaxation", _median(moved), n=len(moved)),
    ]  # fmt: skip
    return Outcome(rows, score.success, score.random, unlikeness)


def pooled_rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """All targets together, as the paper pools its dissimilarities.

    Random crystals are the same for all targets: the number of their interval is that of one target's.
    """
    success = Share(sum(one.success.hits for one in outcomes), sum(one.success.n for one in outcomes))
    hits, judgements = sum(one.random.hits for one in outcomes), sum(one.random.n for one in outcomes)
    crystals = max(one.random.n for one in outcomes)
    low, high = Share(round(hits * crystals / judgements), crystals).interval
    published = Share(PUBLISHED_HITS, PUBLISHED_DESIGNS)
    unlikeness = np.concatenate([one.dissimilarities for one in outcomes])
    other = int((unlikeness > OTHER_STRUCTURE).sum())
    return [
        row("all targets: designs in the band", success, published=published.value, baseline=hits / judgements,
            note=f"baseline: {hits} of {judgements} judgements of {crystals} random crystals, {low:.3f} to {high:.3f}"),
        row("all targets: median dissimilarity from the parent", _median(unlikeness), published=DISSIMILARITY,
            n=len(unlikeness), note=f"above {OTHER_STRUCTURE}, another structure: {other}"),
    ]  # fmt: skip


def _hull_rows(what: str, ours: Relaxed, theirs: Relaxed, unlike: list[int], hull: Hull) -> list[dict[str, Any]]:
    """How far above the hull of the file, beside the random crystals, which lie on or near it."""
    above = hull.above([ours.structures[i] for i in unlike], ours.formation[unlike])
    usual = hull.above(theirs.structures, theirs.formation)
    stable = Share(int((usual <= STABLE).sum()), theirs.n)
    note = "a formation energy in the band is no stability; the hull is of the file's crystals alone"
    return [
        row(f"{what}: at most {STABLE} eV/atom above the hull of the file", Share(int((above <= STABLE).sum()), ours.n),
            baseline=stable.value, note=f"{note}; the baseline is of the random crystals"),
        row(f"{what}: median energy above the hull (eV/atom)", _median(above), baseline=_median(usual), n=len(above),
            note="the baseline is of the random crystals"),
    ]  # fmt: skip


def _dissimilarities(designs: Designs, ours: Relaxed) -> tuple[Array, Array]:
    """How far relaxed designs are from the crystals that they were made from, and from themselves as decoded."""
    from_parents, moved = [], []
    for place, structure in zip(ours.places, ours.structures, strict=True):
        after, parent = fingerprint(structure), designs.parents[place]
        moved.append(dissimilarity(after, fingerprint(designs.structures[place])))
        if parent is not None:
            from_parents.append(dissimilarity(after, fingerprint(parent)))
    return np.array(from_parents), np.array(moved)


def _median(values: Array) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else None


def _unlike(structures: Sequence[Structure]) -> list[int]:
    """The first of each group of crystals that match."""
    matcher, kept = StructureMatcher(), list[int]()
    for i, one in enumerate(structures):
        formula = one.composition.reduced_formula
        alike = (structures[j] for j in kept if structures[j].composition.reduced_formula == formula)
        if not any(matcher.fit(one, other) for other in alike):
            kept.append(i)
    return kept
