"""Crystals of the bench of CCDCGAN: how many of them, and who learns from which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import formulas, select
from fermiloop.platform.bench.splits import SEED, apart
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.ccdcgan.spaces import CompactSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Progress = Callable[[str, float], None]

ENERGY: Final = "formation_energy_per_atom"
BINARY_SITES: Final = 6
PARTS: Final = (0.55, 0.15, 0.30)
"""Of the labelled crystals: for the constraint, for its test, for the judge."""
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
        grid=24, box=11.25, cell_grid=8, code=108, site_epochs=14, cell_epochs=150, max_sites=8, slots=3,
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


def image_crystals(crystals: TrainingSet, plan: Plan, seed: int) -> tuple[TrainingSet, TrainingSet]:
    """Small binaries that the autoencoders learn from, and held-out ones that share nothing with them.

    Raises
    ------
    InputError
        If there are too few.
    """
    fits, held = _fitting(crystals, plan)
    train, test = apart(fits, (1 - held / len(fits), held / len(fits)), seed)
    order = np.random.default_rng(seed).permutation(train)[: plan.train]
    return fits.subset(order.tolist()), fits.subset(test.tolist())


def images_at_random(crystals: TrainingSet, plan: Plan, seed: int) -> tuple[TrainingSet, TrainingSet]:
    """As many, at random."""
    fits, held = _fitting(crystals, plan)
    order = np.random.default_rng(seed).permutation(len(fits)).tolist()
    return fits.subset(order[held : held + plan.train]), fits.subset(order[:held])


def _fitting(crystals: TrainingSet, plan: Plan) -> tuple[TrainingSet, int]:
    """Small binaries that fit the box, and how many of them are held out."""
    small = select(crystals, n_elements=2, max_sites=BINARY_SITES, max_length=plan.options.max_length)
    coder = GraphCoder(plan.options)
    fits = [i for i, structure in enumerate(small.structures) if coder.fits(structure)]
    if len(fits) < FEWEST:
        raise InputError(f"The ccdcgan bench needs {FEWEST} small binaries, not {len(fits)}; give another --data file.")
    return small.subset(fits), min(plan.held, len(fits) // 5)


def labelled_rows(
    crystals: TrainingSet, images: TrainingSet, coder: GraphCoder, plan: Plan, seed: int, progress: Progress
) -> Labelled:
    """Graphs of crystals with a formation energy, in parts; the judge's share no formula with `images`.

    Raises
    ------
    InputError
        If there are too few.
    """
    progress("codes of labelled crystals", 0.0)
    data = labelled_crystals(crystals, coder, plan, seed)
    names, seen = formulas(data), set(formulas(images))
    train, test, judge = apart(data, PARTS, SEED + seed)
    judge = np.array([i for i in judge if names[i] not in seen], dtype=np.int64)
    codes = coder.encode([*data.structures, *images.structures])
    space = CompactSpace.learned(coder.options, codes)
    return Labelled(data, space.rows(codes), space, train, test, judge)


def labelled_crystals(crystals: TrainingSet, coder: GraphCoder, plan: Plan, seed: int) -> TrainingSet:
    """Crystals that fit, with a formation energy, in random order.

    Raises
    ------
    InputError
        If there are too few.
    """
    known = np.isfinite(crystals.labels.get(ENERGY, np.full(len(crystals), np.nan)))
    places = [i for i in np.flatnonzero(known) if coder.fits(crystals.structures[i])]
    if len(places) < FEWEST:
        raise InputError(f"The ccdcgan bench needs {FEWEST} formation energies of small crystals, not {len(places)}.")
    return crystals.subset(np.random.default_rng(seed).permutation(places)[: plan.labelled].tolist())
