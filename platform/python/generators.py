"""Generators: trained on the store, sampled for a target, without a campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fermiloop.platform.app import generators as app
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Condition, Proposal, Space, Target
from fermiloop.platform.python.connecting import connected
from fermiloop.platform.python.dos import Bounds, DosLike, curve_of

if TYPE_CHECKING:
    from fermiloop.schemas.checkpoint import Checkpoint as _Document

__all__ = ["Checkpoint", "Proposal", "sample", "train"]


@dataclass(frozen=True)
class Checkpoint:
    """A trained generator as the store keeps it.

    Parameters
    ----------
    id
        Its id.
    generator, preset
        What was trained.
    metrics
        Of the training, by name.
    state
        ``"challenger"``, ``"champion"`` or ``"retired"``.
    seed
        Of the training.
    snapshot
        Id of the frozen set of labels that it learned from.
    """

    id: str
    generator: str
    preset: str | None
    metrics: Mapping[str, float]
    state: str
    seed: int
    snapshot: str


def train(
    name: str,
    preset: str | None = None,
    options: Mapping[str, object] | None = None,
    *,
    source: str | None = None,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Checkpoint:
    """Train a generator on all that it may learn from; the checkpoint is kept.

    Parameters
    ----------
    name, preset
        A generator, and one of its presets; its default where there is none given.
    options
        Options of the generator, as in a campaign file.
    source
        Whose labels are learned, such as ``"gpaw"``; those of the largest library otherwise.
    seed
        Of everything random in the training.
    progress
        Told a stage and the share of it that is done.

    Raises
    ------
    InputError
        If there is no such generator, preset or option, or too little to learn from.
    """
    connected()
    return _checkpoint(app.train(name, preset, options, source=source, seed=seed, progress=progress))


def sample(
    generator: str | Checkpoint,
    *,
    elements: Iterable[str],
    n: int = 10,
    dos: DosLike | None = None,
    window: Bounds | None = None,
    conditions: Mapping[str, Bounds] | None = None,
    exclude: Iterable[str] = (),
    components: tuple[int, int] = (1, 2),
    crystal_systems: Iterable[str] = ("cubic", "hexagonal"),
    max_sites: int = 8,
    seed: int = 0,
) -> list[Proposal]:
    """Proposals of a trained generator, best first; nothing is stored.

    Parameters
    ----------
    generator
        A checkpoint, its id, or the name of a generator whose checkpoint in use is taken.
    elements
        Symbols that may be used.
    n
        How many are asked for; fewer come where the generator finds no more.
    dos
        Density of states that is looked for, as `fermiloop.similar` takes it.
    window
        Energies of it that count, eV.
    conditions
        Property to lowest and highest value in its unit; None leaves a side open.
    exclude
        Formulas that may not be proposed.
    components
        Fewest and most elements of one crystal.
    crystal_systems, max_sites
        Of the primitive cell.
    seed
        Of everything random.

    Returns
    -------
    proposals
        Each with `structure`, `score`, `probability`, `parent` and `detail`.

    Raises
    ------
    InputError
        If neither a curve nor a condition is given, or the generator cannot answer them.
    NotFoundError
        If there is no such checkpoint.
    """
    connected()
    target = _target(dos, window, conditions or {}, tuple(exclude))
    space = Space(tuple(elements), components, tuple(crystal_systems), max_sites)
    return app.sample(generator.id if isinstance(generator, Checkpoint) else generator, target, space, n, seed)


def _target(
    dos: DosLike | None, window: Bounds | None, conditions: Mapping[str, Any], exclude: tuple[str, ...]
) -> Target:
    asked = tuple(
        Condition(name, -np.inf if low is None else low, np.inf if high is None else high)
        for name, (low, high) in conditions.items()
    )
    if dos is None:
        if not asked:
            raise InputError("A generator needs something to look for; give a density of states, or conditions.")
        return Target(windows=asked, exclude_formulas=exclude)
    from fermiloop.platform.store import spectra

    grid, curve = spectra.grid(), curve_of(dos, window)
    return Target(grid, grid.normalise(curve.values), windows=asked, exclude_formulas=exclude, window=window)


def _checkpoint(found: _Document) -> Checkpoint:
    return Checkpoint(
        id=str(found.id),
        generator=str(found.generator),
        preset=found.preset,
        metrics=dict(found.metrics),
        state=str(found.state),
        seed=int(found.seed),
        snapshot=str(found.snapshot),
    )
