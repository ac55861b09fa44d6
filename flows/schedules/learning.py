"""Training a generator for schedules and by hand, on what `learnable` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fermiloop.db_init.importers.report import silent
from fermiloop.flows.rounds.learnable import Split, split
from fermiloop.flows.rounds.retrain import fit_and_save, state_folder
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.generators import generator as declared
from fermiloop.platform.plugins.provenance import provenance
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import checkpoints, methods, snapshots, training


def train(
    generator: str,
    preset: str | None,
    options: dict[str, Any],
    method: str,
    seed: int,
    progress: Callable[[str, float], None] = silent,
) -> tuple[str, Split]:
    """Checkpoint of a generator trained on all that it may learn of a Method and its like curves, and what that was.

    Started again after a kill it goes on where it was, and ends with the same checkpoint.

    Raises
    ------
    InputError
        If there is too little to learn from.
    """
    entry = declared(generator)
    preset = preset or entry.default_preset
    curves = methods.curves_beside(method)
    given = split(generator, method, curves)
    if not given.learn:
        raise InputError(f"{generator} has nothing to learn from by the method {method}; load some first.")
    query = {"method": method, "dropped": given.dropped}
    snapshot = snapshots.freeze(given.learn, query=query, split_seed=seed, method=method, curves=curves)
    known = snapshots.label_ids(snapshot)
    data = training.training_set(given.learn, DOS_GRID, method, label_ids=known, curves=curves)
    config = {"preset": preset, "options": options} | provenance(GENERATORS, generator)
    with state_folder(snapshot, f"{generator}-{preset}", seed) as folder:
        model = entry.build(preset, options)
        made = fit_and_save(model, data, generator, preset, config, snapshot, seed, folder, progress)
    return made, given


def largest_library(generator: str) -> str:
    """Method with the most curves and labels; methods never mix.

    Raises
    ------
    InputError
        If there is none.
    """
    sizes = {method.id: len(training.materials_of(method.id)) for method in methods.every()}
    if not any(sizes.values()):
        raise InputError(f"{generator} has nothing to learn from; load some first: fermiloop db load seed.")
    return max(sorted(sizes), key=lambda key: sizes[key])


def learned(checkpoint: str) -> set[str]:
    """Ids of the materials that a checkpoint has learned from."""
    return set(snapshots.ids(checkpoints.get(checkpoint).snapshot))
