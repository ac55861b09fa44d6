"""What a generator may learn from, and training it on that: for schedules and by hand.

A tenth of all crystals, by the hash of their id and so for ever, is never learned from: it tests all checkpoints.
What a campaign proposed and no calculation confirmed is left out, and so is what would make a generator's own
proposals more than half of its training set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fermiloop.db_init.importers.report import silent
from fermiloop.flows.rounds.retrain import fit_and_save, state_folder
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.generators import generator as declared
from fermiloop.platform.plugins.provenance import provenance
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import checkpoints, methods, snapshots, training

TENTH: Final = 10
OWN_SHARE: Final = 0.5


@dataclass(frozen=True)
class Split:
    """Ids to learn from, ids held out, and how many were dropped and why."""

    learn: list[str]
    test: list[str]
    dropped: dict[str, int]


def split(generator: str, method: str, own_share: float = OWN_SHARE) -> Split:
    """All that a generator may learn of a Method, and what is kept from it."""
    known = training.materials_of(method)
    loose = training.unverified(known, method)
    sound = [key for key in known if key not in loose]
    learn = [key for key in sound if not is_held_out(key)]
    own = training.proposed_by(learn, generator)
    room = int(own_share / (1 - own_share) * (len(learn) - len(own)))
    excess = set(sorted(own, key=_digest)[room:])
    test = [key for key in sound if is_held_out(key)]
    dropped = {"unverified": len(loose), "own proposals above their share": len(excess)}
    return Split([key for key in learn if key not in excess], test, dropped)


def is_held_out(material: str) -> bool:
    """Whether a material belongs to the tenth that nobody learns from."""
    return _digest(material) % TENTH == 0


def train(
    generator: str,
    preset: str | None,
    options: dict[str, Any],
    method: str,
    seed: int,
    progress: Callable[[str, float], None] = silent,
) -> tuple[str, Split]:
    """Checkpoint of a generator trained on all that it may learn of a Method, and what that was.

    Started again after a kill it goes on where it was, and ends with the same checkpoint.

    Raises
    ------
    InputError
        If there is too little to learn from.
    """
    entry = declared(generator)
    preset = preset or entry.default_preset
    given = split(generator, method)
    if not given.learn:
        raise InputError(f"{generator} has nothing to learn from by the method {method}; load some first.")
    query = {"method": method, "dropped": given.dropped}
    snapshot = snapshots.freeze(given.learn, query=query, split_seed=seed, method=method)
    data = training.training_set(given.learn, DOS_GRID, method, label_ids=snapshots.label_ids(snapshot))
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


def _digest(material: str) -> int:
    return int(hashlib.sha256(material.encode()).hexdigest(), 16)
