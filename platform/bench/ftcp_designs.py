"""Designs for a formation energy, judged after relaxation by a potential, and by an ensemble as they are.

The ensemble shares neither a composition nor a prototype with the network's training. Its error is larger than the band
of the paper, and it sees designs that are not relaxed: what counts is the judge of `ftcp_relaxed`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.crystal_scores import Share, composition_valid, design_score, in_band, row
from fermiloop.platform.bench.ftcp_relaxed import PUBLISHED, RelaxationJudge, relaxed_rows
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.predictors.ensemble import EnsembleOptions, PropertyEnsemble

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymatgen.core import Structure

    from fermiloop.platform.bench.potential_data import Hull
    from fermiloop.platform.generators.ftcp.generator import Ftcp
    from fermiloop.platform.representations.training import TrainingSet

PROPERTY: Final = "formation_energy_per_atom"
VALUE, TOLERANCE = -0.5, 0.06  # eV/atom, case 1 of the paper
SYSTEMS: Final = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
RANDOM: Final = 1000
"""Crystals of the data set that the random baseline is taken from at most."""


@dataclass(frozen=True)
class Relaxing:
    """How designs and random crystals are relaxed: `n` of each, at random."""

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
) -> list[dict[str, Any]]:
    """Success of designs beside that of crystals of the data set that pass the same filters.

    Parameters
    ----------
    generator
        Trained on `learned`.
    learned
        Also what the random baseline is drawn from, and what the ensemble's error is measured on.
    others
        Crystals that the ensemble learns from, none of them learned by the generator.
    n
        Designs.
    judge_epochs
        Of the ensemble.
    relaxing
        The judge by relaxation, and of how many.
    seed
        Of everything random.
    """
    judge = PropertyEnsemble(PROPERTY, "structure", EnsembleOptions(epochs=judge_epochs))
    judge.fit(others, seed, lambda _what, _share: None)
    rng = np.random.default_rng(seed)
    target = Target(windows=(PropertyWindow(PROPERTY, VALUE, TOLERANCE),))
    space = _space(learned)
    known = _passing(learned, target, space, rng)
    labels = np.array([learned.labels[PROPERTY][i] for i, _ in known])
    random = judge.predict([structure for _, structure in known])[0]
    error = float(np.nanmean(np.abs(random - labels)))
    began = time.process_time()
    proposals = generator.sample(target, space, n, rng)
    seconds = time.process_time() - began
    structures = [proposal.structure for proposal in proposals]
    judged = judge.predict(structures)[0] if structures else np.zeros(0)
    score = design_score(len(structures), judged.tolist(), random.tolist(), VALUE, TOLERANCE)
    tried = len(structures) + sum(generator.failures.values())
    true_share = Share.of(in_band(labels[np.isfinite(labels)].tolist(), VALUE, TOLERANCE))
    apart = "intervals apart" if score.success.above(score.random) else "intervals overlap"
    reasons = ", ".join(f"{count} {reason}" for reason, count in generator.failures.most_common(4))
    band = f"E_f = {VALUE} ± {TOLERANCE} eV/atom"
    chosen = rng.permutation(len(structures))[: relaxing.n].tolist()  # not those that the network is surest of
    relaxed = relaxed_rows(
        [structures[i] for i in chosen], [s for _, s in known[: relaxing.n]], relaxing.judge, relaxing.hull,
        (VALUE, TOLERANCE), relaxing.told,
    ) if structures else []  # fmt: skip
    return [
        *relaxed,
        row(f"designs for {band}, in the band by the ensemble", score.success, published=PUBLISHED["success"],
            baseline=score.random.value, seconds=seconds, note=f"{apart}; one crystal a formula, formulas not learned"),
        row("the same, crystals of the data set at random", score.random, published=PUBLISHED["random"],
            note="judged by the same ensemble, through the same filters"),
        row("the same, by their labels", true_share, published=PUBLISHED["random"]),
        row("designs, times random", score.times_random, published=3.7, baseline=1, n=score.success.n),
        row("draws that became designs", Share(len(structures), tried), published=PUBLISHED["valid"],
            note=f"published: of relaxed designs; ours are not relaxed; refused: {reasons or 0}"),
        row("designs, compositions valid", Share.of(composition_valid(s) for s in structures)),
        row("ensemble, mean absolute error (eV/atom)", error, n=len(labels),
            baseline=float(np.nanmean(np.abs(labels - np.nanmedian(labels)))),
            note=f"learned from {len(others)} other crystals; the baseline says the median"),
    ]  # fmt: skip


def _space(data: TrainingSet) -> Space:
    symbols = sorted({element.symbol for structure in data.structures for element in structure.composition.elements})
    return Space(tuple(symbols), (1, 3), SYSTEMS, max(len(structure) for structure in data.structures))


def _passing(data: TrainingSet, target: Target, space: Space, rng: np.random.Generator) -> list[tuple[int, Structure]]:
    """Random crystals of the data set that pass the filters of designs, one a formula, labelled or not."""
    found: dict[str, tuple[int, Structure]] = {}
    labelled = np.flatnonzero(np.isfinite(data.labels[PROPERTY]))
    for i in rng.permutation(labelled)[:RANDOM]:
        crystal = accept(data.structures[i], target, space)
        if not isinstance(crystal, str):
            found.setdefault(crystal.composition.reduced_formula, (int(i), crystal))
    return list(found.values())
