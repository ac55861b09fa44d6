"""Every index of the database, as one literal table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pymongo import ASCENDING, DESCENDING

from fermiloop.platform.store import optimade_entries

if TYPE_CHECKING:
    from pymongo.database import Database

UP, DOWN = ASCENDING, DESCENDING

# collection: its indexes, each a tuple of (field, direction)
INDEXES: Final[dict[str, tuple[tuple[tuple[str, int], ...], ...]]] = {
    "materials": (
        (("elements", UP),),
        (("formula", UP),),
        (("chemical_system", UP),),
        (("crystal_system", UP), ("n_sites", UP)),
        (("origin", UP),),
    ),
    "settings": ((("formula", UP),), (("material", UP),), (("form", UP),), (("cell", UP),)),
    "spectra": (
        (("material", UP), ("kind", UP), ("method", UP)),
        (("kind", UP), ("method", UP)),
        (("created_at", DOWN),),
    ),
    "labels": (
        (("material", UP), ("property", UP), ("method", UP), ("version", UP)),
        (("property", UP), ("value", UP)),
        (("calculation", UP),),
    ),
    "methods": ((("engine", UP),),),
    "snapshots": ((("campaign", UP),),),
    "snapshot_pages": ((("snapshot", UP), ("number", UP)), (("materials", UP),)),
    "checkpoints": ((("generator", UP), ("state", UP), ("created_at", DOWN)), (("snapshot", UP),)),
    "candidates": (
        (("campaign", UP), ("round", UP), ("generator", UP), ("index", UP)),
        (("stage", UP),),
        (("elements", UP),),
        (("formula", UP),),
        (("chemical_system", UP),),
        (("checkpoint", UP),),
        (("calculation", UP),),
        # elements and a range: one index holds both, so that only what is found is read
        (("elements", UP), ("scores.energy_above_hull", UP)),
        (("elements", UP), ("scores.energy_per_atom", UP)),
        (("elements", UP), ("scores.similarity_mean", UP)),
        (("elements", UP), ("scores.similarity_std", UP)),
    ),
    "calculations": ((("campaign", UP), ("created_at", UP)), (("state", UP),), (("result.material", UP),)),
    "campaigns": ((("state", UP),), (("created_at", DOWN),)),
    "rounds": ((("campaign", UP), ("number", UP)),),
    "schedules": ((("active", UP),),),
    "schedule_runs": ((("schedule", UP), ("started_at", DOWN)), (("state", UP),)),
    "tokens": ((("prefix", UP),),),
    "quarantine": ((("source", UP),),),
    optimade_entries.STRUCTURES: optimade_entries.INDEXES,
}


def missing(database: Database[dict[str, Any]]) -> list[tuple[str, tuple[tuple[str, int], ...]]]:
    """Indexes of the table that the database does not have."""
    lacking = []
    for collection, wanted in INDEXES.items():
        there = {tuple(found["key"]) for found in database[collection].index_information().values()}
        lacking += [(collection, keys) for keys in wanted if keys not in there]
    return lacking


def create(database: Database[dict[str, Any]]) -> int:
    """Make the missing indexes; returns how many."""
    lacking = missing(database)
    for collection, keys in lacking:
        database[collection].create_index(list(keys))
    return len(lacking)
