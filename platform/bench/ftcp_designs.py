"""Designs for formation energies, judged after relaxation by a potential, and by an ensemble as they are.

Designs are made as a campaign makes them: the generator proposes, a surrogate that learned from the same crystals
says which of the proposals are likeliest in the band, and these are relaxed. The ensemble that judges shares neither a
composition nor a prototype with either. Its error is larger than the band of the paper, and it sees designs that are
not relaxed: what counts is the judge of `ftcp_judge`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtr

from fermiloop.platform.bench.crystal_scores import Share, composition_valid, design_score, row
from fermiloop.platform.bench.ftcp_relaxed import CASES, TOLERANCE, Case, Designs, Outcome, judged, pooled_rows
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.predictors.ensemble import EnsembleOptions, PropertyEnsemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.bench.ftcp_judge import RelaxationJudge
    from fermiloop.platform.bench.potential_data import Hull
    from fermiloop.platform.generators.ftcp.generator import Ftcp
    from fermiloop.platform.generators.protocol import Proposal
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Rows = list[dict[str, Any]]

PROPERTY: Final = "formation_energy_per_atom"
SYSTEMS: Final = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
SCALE, GEOMETRY = 1.0, 0.06
"""How designs are drawn around known crystals: elements change, structures hardly do, so that most relax."""
RANDOM: Final = 1000
"""Crystals of the data set that the random baseline is taken from at most."""


@dataclass(frozen=True)
class Relaxing:
    """How designs and random crystals are relaxed: `n` of each."""

    judge: RelaxationJudge
    hull: Hull
    n: int
    told: Callable[[str, float], None]


def design_rows(
    generator: Ftcp,
    learned: TrainingSet,
    others: TrainingSet,
    n: int,
    judge_epochs: int | None,
    relaxing: Relaxing,
    seed: int,
) -> Rows:
    """Success of designs for the four targets, beside that of crystals of the data set that pass the same filters.

    Parameters
    ----------
    generator
        Trained on `learned`.
    learned
        Also what the random baseline is drawn from, and what the ensemble's error is measured on.
    others
        Crystals that the ensemble learns from, none of them learned by the generator.
    n
        Designs for each target.
    judge_epochs
        Of the ensemble.
    relaxing
        The judge by relaxation, and of how many.
    seed
        Of everything random.
    """
    known = passing(learned, seed)
    surrogate, ensemble = (trained_on(data, judge_epochs, seed) for data in (learned, others))
    random = ensemble.predict([structure for _, structure in known])[0]
    rows: Rows = []
    outcomes: list[Outcome] = []
    for place, case in enumerate(CASES):
        began = time.process_time()
        proposals = designs_for(generator, learned, case, n, seed)
        seconds = time.process_time() - began
        told = _within(relaxing.told, place, len(CASES))
        if proposals:
            designs = chosen(proposals, learned, surrogate, case, relaxing.n)
            crystals = [structure for _, structure in known[: relaxing.n]]
            outcomes.append(judged(designs, crystals, relaxing.judge, relaxing.hull, case, told))
            rows += outcomes[-1].rows
        structures = [proposal.structure for proposal in proposals]
        energies = ensemble.predict(structures)[0] if structures else np.zeros(0)
        rows += _ensemble_rows(case, energies, random, seconds)
        rows += _drawn_rows(case, generator, structures)
    rows += pooled_rows(outcomes) if outcomes else []
    labels = np.array([learned.labels[PROPERTY][i] for i, _ in known])
    rows.append(
        row("ensemble, mean absolute error (eV/atom)", float(np.nanmean(np.abs(random - labels))), n=len(labels),
            baseline=float(np.nanmean(np.abs(labels - np.nanmedian(labels)))),
            note=f"learned from {len(others)} other crystals; the baseline says the median")
    )  # fmt: skip
    return rows


def designs_for(generator: Ftcp, learned: TrainingSet, case: Case, n: int, seed: int) -> list[Proposal]:
    """Designs for one target, nearest to it by the network's own prediction first."""
    generator.options = replace(generator.options, scale=SCALE, geometry=GEOMETRY)
    target = Target(windows=(PropertyWindow(PROPERTY, case.value, TOLERANCE),))
    return generator.sample(target, _space(learned), n, np.random.default_rng([seed, round(-100 * case.value)]))


def trained_on(data: TrainingSet, epochs: int | None, seed: int) -> PropertyEnsemble:
    """An ensemble that has learned the formation energies of some crystals."""
    ensemble = PropertyEnsemble(PROPERTY, "structure", EnsembleOptions(epochs=epochs))
    ensemble.fit(data, seed, lambda _what, _share: None)
    return ensemble


def chosen(
    proposals: Sequence[Proposal], learned: TrainingSet, surrogate: PropertyEnsemble, case: Case, n: int
) -> Designs:
    """The designs that are likeliest in the band by the surrogate, with their parents."""
    mean, std = surrogate.predict([one.structure for one in proposals])
    likely = ndtr((case.value + TOLERANCE - mean) / std) - ndtr((case.value - TOLERANCE - mean) / std)
    parents = dict(zip(learned.ids, learned.structures, strict=True))
    found = [proposals[i] for i in np.argsort(-likely, kind="stable")[:n]]
    return Designs([one.structure for one in found], [parents.get(one.parent or "") for one in found])


def passing(data: TrainingSet, seed: int) -> list[tuple[int, Structure]]:
    """Places and crystals of the data set, in random order, that pass the filters of designs, one a formula."""
    found: dict[str, tuple[int, Structure]] = {}
    labelled, space = np.flatnonzero(np.isfinite(data.labels[PROPERTY])), _space(data)
    for i in np.random.default_rng(seed).permutation(labelled)[:RANDOM]:
        crystal = accept(data.structures[i], Target(windows=(PropertyWindow(PROPERTY, 0.0, 1.0),)), space)
        if not isinstance(crystal, str):
            found.setdefault(crystal.composition.reduced_formula, (int(i), crystal))
    return list(found.values())


def _ensemble_rows(case: Case, judged: Array, random: Array, seconds: float) -> Rows:
    score = design_score(len(judged), judged.tolist(), random.tolist(), case.value, TOLERANCE)
    apart = "intervals apart" if score.success.above(score.random) else "intervals overlap"
    what = f"E_f = {case.value} ± {TOLERANCE} eV/atom, not relaxed, by the ensemble"
    return [
        row(f"{what}: designs in the band", score.success, published=case.success, baseline=score.random.value,
            seconds=seconds, note=f"{apart}; one crystal a formula, formulas not learned"),
        row(f"{what}: crystals of the data set at random in the band", score.random, published=case.random),
    ]  # fmt: skip


def _drawn_rows(case: Case, generator: Ftcp, structures: Sequence[Structure]) -> Rows:
    tried = len(structures) + sum(generator.failures.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in generator.failures.most_common(4))
    what = f"E_f = {case.value} eV/atom"
    return [
        row(f"{what}: draws that became designs", Share(len(structures), tried), note=f"refused: {reasons or 0}"),
        row(f"{what}: designs with valid compositions", Share.of(composition_valid(s) for s in structures)),
    ]


def _within(told: Callable[[str, float], None], place: int, n: int) -> Callable[[str, float], None]:
    return lambda what, share: told(what, (place + share) / n)


def _space(data: TrainingSet) -> Space:
    symbols = sorted({element.symbol for structure in data.structures for element in structure.composition.elements})
    return Space(tuple(symbols), (1, 3), SYSTEMS, max(len(structure) for structure in data.structures))
