"""Training a generator outside a campaign, on everything that is stored by one method."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fermiloop.flows.retrain import state_folder
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.search.registry import GENERATORS
from fermiloop.platform.store import checkpoints, methods, snapshots, training
from fermiloop.schemas.vocabulary import Engine

if TYPE_CHECKING:
    from collections.abc import Callable


def train_on_everything(name: str, preset: str | None, seed: int, progress: Callable[[str, float], None]) -> str:
    """Id of the checkpoint of a generator trained on all that the best-covered method has computed.

    Raises
    ------
    InputError
        If there is nothing to learn from, or too little.
    """
    entry = GENERATORS[name]
    preset = preset or (entry.presets[-1] if entry.presets else None)
    method, ids = _largest_library(name)
    data = training.training_set(ids, DOS_GRID, method)
    snapshot = snapshots.freeze(ids, query={"method": method}, split_seed=seed, method=method)
    generator = entry.build(preset)
    with state_folder(snapshot, f"{name}-{preset}", seed) as folder:  # a second call goes on where this one is stopped
        report = generator.fit(data, seed, progress, folder)
    with TemporaryDirectory() as weights:
        generator.save(Path(weights))
        return checkpoints.save(
            Path(weights),
            generator=name,
            preset=preset,
            config={"preset": preset, "options": {}},
            metrics=dict(report.metrics),
            history=list(report.history),
            snapshot=snapshot,
            seed=seed,
            core_seconds=report.core_seconds,
        )


def _largest_library(name: str) -> tuple[str, list[str]]:
    """Method with the most curves and labels, and the materials that have them; methods never mix."""
    libraries = {
        method.id: ids
        for engine in Engine
        for method in methods.of_engine(engine)
        if (ids := training.materials_of(method.id))
    }
    if not libraries:
        raise InputError(f"{name} has nothing to learn from; load some first: fermiloop db load seed.")
    method = max(sorted(libraries), key=lambda key: len(libraries[key]))
    return method, libraries[method]
