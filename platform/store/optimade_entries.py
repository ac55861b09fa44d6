"""The collection that OPTIMADE serves, kept equal to materials and candidates.

Everything is derived and may be dropped: the next `sync` makes it again. A document bears a hash of what it was
made from, so that a sync reads small projections of both sides and writes only what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from fermiloop.platform.representations import optimade_fields
from fermiloop.platform.store import candidate_rows, connection, dos_search, geometry, optimade_numbers
from fermiloop.platform.store.batches import in_batches
from fermiloop.platform.store.geometry import Geometry
from fermiloop.platform.store.inserting import DUPLICATE
from fermiloop.platform.store.optimade_numbers import Curves
from fermiloop.schemas.base import content_id, now
from fermiloop.schemas.candidate import proposer_of
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES
from fermiloop.schemas.vocabulary import LIVE_CAMPAIGNS

STRUCTURES: Final = "optimade_structures"
REFERENCES: Final = "optimade_references"
LINKS: Final = "optimade_links"
STATE: Final = "optimade_state"
# made while the collection is empty: on the embedded server an index over many documents takes very long
INDEXES: Final = (
    (("id", 1),),
    (("kind", 1), ("campaign", 1)),
    (("elements", 1), ("nelements", 1)),
    (("chemical_formula_reduced", 1),),
    (("nsites", 1),),
    (("stage", 1),),
)
LAYOUT: Final = 3  # of the derived documents; another one makes all of them again
BATCH: Final = 1000
# what a document of a candidate is made from, beside its crystal, which changes with them
CHANGING: Final = ("stage", "score", "probability", "scores", "calculation", "material", "checkpoint")
SAME: Final = ("campaign", "round", "checkpoint", "parent", "seed", "probability", "stage")
COUNTED: Final = ("materials", "spectra", "labels", "candidates")  # of which a number tells that something came


def silent(what: str, share: float) -> None:
    """Progress that nobody watches."""


def sync(progress: Callable[[str, float], None] = silent) -> int:
    """Make the served collection equal to the store; returns how many documents were written or removed."""
    progress("references", 0.0)
    for keys in INDEXES:
        connection.database()[STRUCTURES].create_index(list(keys))
    _write_references()
    curves = optimade_numbers.curves()
    changed = _sync_materials(curves, progress) + _sync_candidates({}, curves, progress)
    _remember(_state())
    progress("done", 1.0)
    return changed


def refresh() -> int:
    """`sync` of what may have changed since the last one; returns how many documents were written or removed.

    Campaigns that were open then or are now are compared, and all materials where their number or that of the
    spectra or labels differs. Any other change needs `sync`.
    """
    database = connection.database()
    before, after = database[STATE].find_one({"_id": "sync"}), _state()
    if before is None or before.get("layout") != LAYOUT:
        return sync()
    changed, curves = 0, None
    if any(before[name] != after[name] for name in ("materials", "spectra", "labels")):
        curves = optimade_numbers.curves()
        changed += _sync_materials(curves, silent)
    touched = set(before["open"]) | set(after["open"]) | (set(after["campaigns"]) ^ set(before["campaigns"]))
    for campaign in sorted(touched):
        curves = curves if curves is not None else optimade_numbers.curves()
        changed += _sync_candidates({"campaign": campaign}, curves, silent)
    if before["candidates"] != after["candidates"] and not touched:
        changed += _sync_candidates({}, curves if curves is not None else optimade_numbers.curves(), silent)
    _remember(after)
    return changed


def _state() -> dict[str, Any]:
    database = connection.database()
    counts = {name: database[name].estimated_document_count() for name in COUNTED}
    states = {row["_id"]: row.get("state") for row in database["campaigns"].find({}, {"state": 1})}
    live = sorted(name for name, state in states.items() if state in LIVE_CAMPAIGNS)
    return {**counts, "campaigns": sorted(states), "open": live}


def _remember(state: dict[str, Any]) -> None:
    row = {"_id": "sync", "layout": LAYOUT, "at": now(), **state}
    connection.database()[STATE].replace_one({"_id": "sync"}, row, upsert=True)


def _write_references() -> None:
    stamp = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {"_id": key, "id": key, "last_modified": stamp, **fields}
        for key, fields in optimade_fields.references().items()
    ]
    link = {
        "_id": "root", "id": "root", "type": "links", "last_modified": stamp, "name": "fermiloop", "link_type": "root",
        "description": "This database.", "base_url": None, "homepage": None, "aggregate": "ok",
    }  # fmt: skip
    for name, wanted in ((REFERENCES, rows), (LINKS, [link])):
        collection = connection.database()[name]
        collection.bulk_write([ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in wanted])
        collection.delete_many({"_id": {"$nin": [row["_id"] for row in wanted]}})


def _sync_materials(curves: Curves, progress: Callable[[str, float], None]) -> int:
    source = connection.database()["materials"].find({}, {"created_at": 1})
    labels = optimade_numbers.marks()
    wanted = {
        row["_id"]: content_id("r", LAYOUT, optimade_numbers.revision(row["_id"], curves, labels)) for row in source
    }

    def made(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        numbers = optimade_numbers.of_materials(row["_id"] for row in rows)
        return [_of_material(row, curves, numbers.get(row["_id"], ())) for row in rows]

    return _bring("materials", {"kind": "material"}, wanted, made, progress)


def _sync_candidates(match: dict[str, Any], curves: Curves, progress: Callable[[str, float], None]) -> int:
    source = connection.database()["candidates"].find(match, dict.fromkeys(CHANGING, 1))
    wanted = {
        row["_id"]: content_id(
            "r",
            LAYOUT,
            [row.get(name) for name in CHANGING],
            optimade_numbers.revision(row.get("material") or "", curves, {}),
        )
        for row in source
    }
    scope = {"kind": "candidate", **match}
    return _bring("candidates", scope, wanted, lambda rows: [_of_candidate(row, curves) for row in rows], progress)


def _bring(
    name: str, scope: dict[str, Any], wanted: dict[str, str],
    make: Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]]],
    progress: Callable[[str, float], None],
) -> int:  # fmt: skip
    """Write what differs from `wanted`, remove what is too much; returns how many documents that were."""
    database = connection.database()
    served = database[STRUCTURES]
    there = {row["_id"]: row["revision"] for row in served.find(scope, {"revision": 1})}
    differing = [key for key, revision in wanted.items() if there.get(key) != revision]
    for start in range(0, len(differing), BATCH):
        progress(name, start / len(differing))
        rows = list(database[name].find({"_id": {"$in": differing[start : start + BATCH]}}))
        prints = dos_search.fingerprints({row["_id"] if name == "materials" else row.get("material") for row in rows})
        crystals = geometry.computed(rows) if name == "candidates" else {}
        shown = [row | {"structure": crystals.get(row["_id"], row["structure"])} for row in rows]
        made = [_finished(one, row, wanted[row["_id"]], prints) for one, row in zip(make(rows), shown, strict=True)]
        for one in made if name == "candidates" else ():
            one["geometry"] = str(Geometry.COMPUTED if one["_id"] in crystals else Geometry.PROPOSED)
        _insert([document for document in made if document["_id"] not in there])
        stale = [d | {"last_modified": _whole_second(now())} for d in made if d["_id"] in there]
        if stale:
            served.bulk_write([ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in stale])
    gone = [key for key in there if key not in wanted]
    for batch in in_batches(gone, BATCH):
        served.delete_many({"_id": {"$in": batch}})
    return len(differing) + len(gone)


def _insert(fresh: list[dict[str, Any]]) -> None:
    """Insert new documents, of which another process may have inserted some meanwhile."""
    try:
        if fresh:
            connection.database()[STRUCTURES].insert_many(fresh, ordered=False)
    except BulkWriteError as error:
        if any(one["code"] != DUPLICATE for one in error.details["writeErrors"]):
            raise


def _finished(
    document: dict[str, Any], row: dict[str, Any], revision: str, prints: Mapping[str, list[int]]
) -> dict[str, Any]:
    """A document with what all of them share."""
    key = row["_id"] if document["kind"] == "material" else row.get("material")
    return {
        **dict.fromkeys(optimade_fields.PROVIDER_FIELDS),
        **optimade_fields.structure_fields(row["structure"]),
        **document,
        "dos_fingerprint": prints.get(key) if key else None,
        "_id": row["_id"],
        "id": row["_id"],
        "revision": revision,
    }


def _of_material(row: dict[str, Any], curves: Curves, labels: Iterable[dict[str, Any]]) -> dict[str, Any]:
    source = row.get("source") or {}
    curve = curves.get(row["_id"])
    return {
        "kind": "material",
        **{name: row.get(name) for name in ("origin", "prototype", "crystal_system", "candidate")},
        "space_group_it_number": row["space_group"],
        **optimade_numbers.fields(labels, curve),
        "calculation": curve.calculation if curve else None,
        "source_name": source.get("name"),
        "source_key": _text(source.get("key")),
        "licence": source.get("licence"),
        "last_modified": _whole_second(row["created_at"]),
        "relationships": optimade_fields.relationships(source.get("name")),
    }


def _of_candidate(row: dict[str, Any], curves: Curves) -> dict[str, Any]:
    known, curve = candidate_rows.flat(row), curves.get(row.get("material") or "")
    return {
        "kind": "candidate",
        "generator": proposer_of(row["generator"], row.get("preset")),
        **{name: row.get(name) for name in (*SAME, "material", "calculation")},
        **{name: known[name] for name in (GENERATOR, HIT, *SCORES)},
        **({"method": curve.method, **curve.fields()} if curve else {}),
        "last_modified": _whole_second(row["created_at"]),
        "relationships": optimade_fields.relationships(row["generator"]),
    }


def entries(match: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Served documents that match, by id."""
    collection = connection.database()[STRUCTURES]
    keys = sorted(row["_id"] for row in collection.find(match, {"_id": 1}))
    for batch in in_batches(keys, BATCH):
        rows: Iterable[dict[str, Any]] = collection.find({"_id": {"$in": batch}})
        yield from sorted(rows, key=lambda row: row["_id"])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _whole_second(moment: datetime) -> datetime:
    """Without the fraction, which the time format of OPTIMADE does not have."""
    return moment.replace(microsecond=0)
