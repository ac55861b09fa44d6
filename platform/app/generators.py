"""Generators: what proposes, what it learned, which checkpoint is in use; trained, sampled, promoted by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.app.progress import Progress, silent
from fermiloop.platform.app.texts import one_of
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.plugins.generators import GENERATORS, generator
from fermiloop.platform.plugins.provenance import told
from fermiloop.platform.store import checkpoints, methods
from fermiloop.schemas.vocabulary import CheckpointState

if TYPE_CHECKING:
    from fermiloop.platform.generators.protocol import FitReport, Proposal, Space, Target
    from fermiloop.schemas.checkpoint import Checkpoint


@dataclass(frozen=True)
class Standing:
    """A generator, or a surrogate, with its checkpoints.

    Parameters
    ----------
    presets
        Names of its presets, the default last.
    checkpoints
        The newest first.
    package
        The installed package that it comes from; empty for our own.
    """

    name: str
    presets: tuple[str, ...]
    checkpoints: tuple[Checkpoint, ...]
    package: str = ""

    def of(self, state: CheckpointState) -> list[Checkpoint]:
        """Checkpoints of a state, the newest first."""
        return [one for one in self.checkpoints if one.state is state]


def presets() -> Mapping[str, tuple[str, ...]]:
    """Presets of every generator by its name, the default last."""
    return {name: declared.presets for name, declared in GENERATORS.items()}


def kept() -> tuple[str, ...]:
    """Names of all that has checkpoints: generators, then surrogates."""
    return tuple(checkpoints.kept_names(GENERATORS))


def checked(name: str, preset: str | None = None) -> str:
    """The name of a generator.

    Raises
    ------
    InputError
        If there is no such generator, or it has no such preset.
    """
    one_of("generator", name, presets())
    if preset is not None:
        one_of(f"preset of {name}", preset, presets()[name])
    return name


def standing(name: str, limit: int = 100) -> Standing:
    """A generator, or a surrogate, with its newest checkpoints.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    one_of("generator", name, kept())
    found = tuple(checkpoints.find(generator=name, limit=limit))
    package = told(GENERATORS, name, found[0].config if found else {})
    return Standing(name, tuple(presets().get(name, ())), found, package)


def standings() -> list[Standing]:
    """All of them."""
    return [standing(name) for name in kept()]


def checkpoint(identifier: str) -> Checkpoint:
    """The checkpoint of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return checkpoints.get(identifier)


def train(
    name: str,
    preset: str | None = None,
    options: Mapping[str, object] | None = None,
    *,
    source: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Checkpoint:
    """Train a generator on all that it may learn from; the checkpoint, kept as a challenger.

    Parameters
    ----------
    source
        Whose labels it learns, such as ``gpaw``; the largest library otherwise.
    seed
        Of the training and of its splits.

    Raises
    ------
    InputError
        If there is no such generator, preset or option, or too little to learn from.
    NotFoundError
        If the store holds no labels of the source.
    """
    checked(name, preset)
    from fermiloop.flows.schedules import learning

    method = methods.of_source(source).id if source else learning.largest_library(name)
    made, _ = learning.train(name, preset, dict(options or {}), method, seed, progress or silent)
    return checkpoints.get(made)


def keep(folder: Path, name: str, preset: str | None, report: FitReport, learned: str, seed: int) -> str:
    """Put a trained generator that a folder holds into the store, as a challenger; id of the checkpoint.

    Parameters
    ----------
    folder
        What the generator's `save` wrote.
    report
        Of its training.
    learned
        What it learned from, in place of a snapshot of the store.

    Raises
    ------
    InputError
        If that generator is not in the folder.
    """
    checked(name, preset)
    generator(name).load_trained(folder)
    return checkpoints.save(
        folder,
        generator=name,
        preset=preset,
        config={"preset": preset, "options": {}, **report.detail},
        metrics={key: float(value) for key, value in report.metrics.items()},
        history=[float(loss) for loss in report.history],
        snapshot=learned,
        seed=seed,
        core_seconds=report.core_seconds,
    )


def sample(identifier: str, target: Target, space: Space, n: int, seed: int = 0) -> list[Proposal]:
    """Proposals of a generator for a target, reproducible from the seed; nothing is stored.

    Parameters
    ----------
    identifier
        Id of a checkpoint, or name of a generator whose checkpoint in use is taken.
    target, space
        What is looked for, and where proposals may lie.
    n
        How many are asked for; fewer come where a generator finds no more.

    Raises
    ------
    NotFoundError
        If there is no such checkpoint, or none in use.
    InputError
        If there is no such generator, or it cannot answer the target.
    """
    found = checkpoints.get(identifier) if identifier.startswith("ckpt-") else _champion(identifier)
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.fetch(found.id, Path(folder))
        model = generator(found.generator, found.config).load_trained(Path(folder))
        return list(model.sample(target, space, n, np.random.default_rng(seed)))


def promote(identifier: str) -> Checkpoint:
    """Put a checkpoint into use; the one before is kept and can be rolled back to.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return checkpoints.promote(identifier)


def rollback(name: str) -> Checkpoint:
    """Go back to the checkpoint that was in use before; that one.

    Raises
    ------
    InputError
        If there is no such generator.
    NotFoundError
        If there is no earlier one.
    """
    return checkpoints.rollback(one_of("generator", name, kept()))


def _champion(name: str) -> Checkpoint:
    found = checkpoints.champion(checked(name))
    if found is None:
        raise NotFoundError(f"No checkpoint of {name} is in use; fermiloop generators promote puts one into use.")
    return found
