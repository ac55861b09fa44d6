"""Training a generator outside a campaign, on everything that is stored by one method."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.search.registry import GENERATORS
from fermiloop.platform.store import checkpoints, methods, snapshots, spectra
from fermiloop.schemas.vocabulary import Engine

if TYPE_CHECKING:
    from collections.abc import Callable


def train_on_everything(name: str, preset: str | None, seed: int, progress: Callable[[str, float], None]) -> str:
    """Id of the checkpoint of a generator trained on all densities of states of the best-covered method.

    Raises
    ------
    InputError
        If there is nothing to learn from, or too little.
    """
    entry = GENERATORS[name]
    preset = preset or (entry.presets[-1] if entry.presets else None)
    method, ids = _largest_library(name)
    data = spectra.training_set(ids, DOS_GRID, method)
    snapshot = snapshots.freeze(ids, query={"spectra": "dos"}, split_seed=seed, method=method)
    generator = entry.build(preset)
    report = generator.fit(data, seed, progress)
    with TemporaryDirectory() as folder:
        generator.save(Path(folder))
        return checkpoints.save(
            Path(folder),
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
    """Method with the most densities of states, and the materials that have them; methods never mix."""
    libraries = {
        method.id: ids
        for engine in Engine
        for method in methods.of_engine(engine)
        if (ids := spectra.materials_with(method.id))
    }
    if not libraries:
        raise InputError(f"{name} has no density of states to learn from; load some first: fermiloop db load seed.")
    method = max(sorted(libraries), key=lambda key: len(libraries[key]))
    return method, libraries[method]
