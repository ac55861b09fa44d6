"""The composer and the forward model on other curves than densities of states, each kind from a file of its own.

Phonon densities of states and measured absorption come with their crystals (`curve_data`): the composer learns
composition from curve, the forward model curve from crystal (`forward_curves`). Of a file of crystals alone powder
patterns are computed, which cost nothing and whose truth is known.

The same networks and processes as for the density of states learn composition from curve, in-sample (Bang et al., J.
Mater. Chem. A 12, 6004, 2024: 98 of 100 compositions of a DOS among the first five) and held out at random, by
composition, and by composition and prototype. Of powder patterns also whole crystals: the composer is given patterns of
crystals, seen or of unseen compositions and prototypes, and the patterns of its first five answers are compared with
the one asked for; a prototype that it has not seen it cannot propose, so another one must have the pattern.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.baselines import NearestNeighbour, RandomRows
from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.curve_data import kind_of, read_curves
from fermiloop.platform.bench.dos import FOLDS, SPLITS, answers_of, folds_of, learnable
from fermiloop.platform.bench.forward_curves import computed_rows, forward_rows
from fermiloop.platform.bench.scores import TOP, Answers
from fermiloop.platform.bench.splits import APART, SEED, Parts, apart
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.dos_composer import ComposerOptions, DosComposer
from fermiloop.platform.generators.factorised import FactorisedModel, FactorisedOptions
from fermiloop.platform.generators.heads import HeadsOptions
from fermiloop.platform.generators.protocol import Space
from fermiloop.platform.generators.samples import samples_of
from fermiloop.platform.representations.composition import row_of
from fermiloop.platform.representations.diffraction import xrd_patterns
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectrum import cosine
from fermiloop.platform.representations.training import Target
from fermiloop.platform.search.random_pick import RandomPick, RandomPickOptions
from fermiloop.schemas.curve_kinds import SpectrumKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Generator
    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.training import TrainingSet

    Progress = Callable[[str, float], None]

KIND: Final = SpectrumKind.XRD
PUBLISHED_IN_SAMPLE: Final = 0.98
MOST_CRYSTALS: Final = 500
QUICK_CRYSTALS: Final = 90
QUICK_EPOCHS: Final = 2
TARGETS: Final = 60
QUICK_TARGETS: Final = 8
CRYSTALS: Final = (0.8, 0.2)
"""Shares of the crystals that the composer learns from and is asked for."""
ALIKE: Final = 0.9
"""Cosine from which two patterns count as the same."""


@dataclass(frozen=True)
class Found:
    """What a generator answered to each of n patterns.

    Parameters
    ----------
    nearest
        (n,) best cosine of the patterns of its first five crystals to the one asked for.
    composition
        (n,) whether one of them has the composition asked for.
    """

    nearest: NDArray[np.float64]
    composition: NDArray[np.bool_]


def run_bench(data: Path, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Rows of the table.

    Parameters
    ----------
    data
        Crystals, of which only those of one or two elements with amounts of at most 3 take part, 500 of them at random;
        or phonon densities of states or refractive indices, of which the composer sees only such crystals.
    quick
        Few crystals, epochs and targets: a check, not a figure.
    seed
        Of the random draws, folds and trainings.

    Raises
    ------
    InputError
        If the file cannot be read or holds too few such crystals.
    """
    began = time.process_time()
    kind = kind_of(data)
    if kind is KIND:
        crystals, refused = _patterns(data, quick, seed, progress)
        samples = samples_of(crystals)
        rows = composition_rows(crystals, samples, quick, seed, progress)
        rows += crystal_rows(crystals, quick, seed, progress)
    else:
        crystals, refused = read_curves(data, kind)
        samples = samples_of(learnable(crystals))
        rows = composition_rows(learnable(crystals), samples, quick, seed, progress)
        rows += forward_rows(crystals, _folds(quick), seed, progress, 0.55)
        rows += computed_rows(crystals, quick, seed, progress) if kind is SpectrumKind.PHONON_DOS else []
    progress("done", 1.0)
    grid = GRIDS[kind]
    told = {"file": data.name, "refused": refused, "crystals": len(crystals), "learnable": len(samples)}
    return {
        "rows": [row | {"what": f"{kind}: {row['what']}"} for row in rows],
        "data": told | {"compositions": len(set(samples.rows)), "table": len(samples.table())},
        "settings": {
            "kind": str(kind),
            "grid": f"{grid.lo:g} to {grid.hi:g} {grid.unit} in {grid.n} points",
            "folds": _folds(quick),
            "seed": seed,
            "quick": quick,
        },
        "seconds": round(time.process_time() - began, 1),
    }


def composition_rows(
    crystals: TrainingSet, samples: Samples, quick: bool, seed: int, progress: Progress
) -> list[dict[str, Any]]:
    """The true composition among the first five, in-sample and held out, beside retrieval and chance."""
    rows = []
    for place, name in enumerate(SPLITS):
        progress(f"compositions, {name}", 0.1 + 0.15 * place)
        folds = folds_of(crystals, name, _folds(quick), seed)
        began = time.process_time()
        ours = answers_of(lambda: _model(quick), samples, folds, seed)
        seconds = time.process_time() - began
        chance = answers_of(RandomRows, samples, folds, seed)
        retrieved = answers_of(NearestNeighbour, samples, folds, seed)
        published = PUBLISHED_IN_SAMPLE if name == "in-sample" else None
        note = ("published: of a density of states; " if published else "") + (
            f"first {_share(ours.ranks < 1)}, median rank {np.median(ours.ranks):g}; "
            f"nearest curve {_share(_hit(retrieved))}, baseline at random; elements of the first answer right "
            f"{_pairs(ours)}, of the nearest curve {_pairs(retrieved)}, at random {_pairs(chance)}"
        )
        rows.append(
            _row(f"composition among the first five, {name}", _hit(ours), _hit(chance), published, seconds, note)
        )
    return rows


def crystal_rows(crystals: TrainingSet, quick: bool, seed: int, progress: Progress) -> list[dict[str, Any]]:
    """Crystals proposed for patterns of crystals that were learned from, and of unseen compositions."""
    train, test = apart(crystals, CRYSTALS, SEED + seed)
    known, unseen = crystals.subset(train.tolist()), crystals.subset(test.tolist())
    began = time.process_time()
    composer = DosComposer(
        "factorised",
        ComposerOptions(epochs=QUICK_EPOCHS if quick else None, potential="none", temperature=0.0, test_share=0.0),
    )
    picker = RandomPick(RandomPickOptions(potential="none"))
    for generator in (composer, picker):
        generator.fit(known, seed, lambda _what, _share: None)
    fitted = time.process_time() - began
    rows = []
    for place, (name, asked) in enumerate((("in-sample", known), (f"held-out {APART}", unseen))):
        progress(f"crystals, {name}", 0.7 + 0.15 * place)
        rng = np.random.default_rng(seed)
        n = min(QUICK_TARGETS if quick else TARGETS, len(asked))
        asked = asked.subset(np.sort(rng.permutation(len(asked))[:n]).tolist())
        began = time.process_time()
        ours, random = (proposed(generator, asked, _space(crystals), rng) for generator in (composer, picker))
        seconds = fitted + time.process_time() - began
        means = f"mean cosine of the nearest {ours.nearest.mean():.3f}, at random {random.nearest.mean():.3f}"
        alike = (ours.nearest >= ALIKE, random.nearest >= ALIKE)
        rows.append(_row(f"a crystal of the first five has the pattern, {name}", *alike, None, seconds, means))
        same = (ours.composition, random.composition)
        rows.append(_row(f"a crystal of the first five has the composition, {name}", *same, None, seconds, ""))
    return rows


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:
    """What figures of held-out crystals are learned from and measured on."""
    data = _chosen(crystals, quick, seed)
    folds = [*folds_of(data, SPLITS[-1], _folds(quick), seed), apart(data, CRYSTALS, SEED + seed)]
    return [Parts("fold", data.subset(train.tolist()), data.subset(test.tolist())) for train, test in folds]


def proposed(generator: Generator, asked: TrainingSet, space: Space, rng: np.random.Generator) -> Found:
    """Ask a generator for each crystal of `asked` by its curve alone."""
    curves = asked.grid.normalise(asked.curves)
    nearest, same = np.zeros(len(asked)), np.zeros(len(asked), dtype=bool)
    for i, structure in enumerate(asked.structures):
        answers: list[Structure] = [
            proposal.structure for proposal in generator.sample(Target(asked.grid, curves[i]), space, TOP, rng)
        ]
        found = cosine(xrd_patterns(answers, asked.grid), curves[i])
        nearest[i] = np.max(np.nan_to_num(found), initial=0.0)
        same[i] = any(row_of(answer.composition) == row_of(structure.composition) for answer in answers)
    return Found(nearest, same)


def _patterns(path: Path, quick: bool, seed: int, progress: Progress) -> tuple[TrainingSet, int]:
    """Learnable crystals of a file with their patterns, and how many lines were refused."""
    crystals, refused = read_crystals(path)
    crystals = _chosen(crystals, quick, seed)
    if not len(crystals):
        raise InputError(f"{path} holds no crystal of one or two elements with amounts of at most 3; give another.")
    progress("diffraction patterns", 0.0)
    curves = xrd_patterns(crystals.structures, GRIDS[KIND])
    return replace(crystals, grid=GRIDS[KIND], curves=curves).with_curves(), len(refused)


def _chosen(crystals: TrainingSet, quick: bool, seed: int) -> TrainingSet:
    """Learnable crystals that take part, at random."""
    data = learnable(crystals)
    chosen = np.random.default_rng(seed).permutation(len(data))[: QUICK_CRYSTALS if quick else MOST_CRYSTALS]
    return data.subset(np.sort(chosen).tolist())


def _folds(quick: bool) -> int:
    return 2 if quick else FOLDS


def _model(quick: bool) -> FactorisedModel:
    return FactorisedModel(FactorisedOptions(heads=HeadsOptions(epochs=QUICK_EPOCHS)) if quick else FactorisedOptions())


def _space(crystals: TrainingSet) -> Space:
    symbols = sorted({element.symbol for s in crystals.structures for element in s.composition.elements})
    return Space(tuple(symbols))


def _hit(answers: Answers) -> NDArray[np.bool_]:
    return np.asarray(answers.ranks < TOP)


def _pairs(answers: Answers) -> float:
    """Share of the samples whose first answer has the right elements."""
    return round(float(np.mean(answers.pair == 1)), 4)


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(np.mean(hits)), 4)


def _row(
    what: str,
    ours: NDArray[np.bool_],
    baseline: NDArray[np.bool_],
    published: float | None,
    seconds: float,
    note: str,
) -> dict[str, Any]:
    low, high = wilson(int(ours.sum()), len(ours))
    return {
        "what": what,
        "published": published,
        "ours": _share(ours),
        "ours_low": round(low, 4),
        "ours_high": round(high, 4),
        "n": len(ours),
        "baseline": _share(baseline),
        "seconds": round(seconds, 1),
        "note": note,
    }
