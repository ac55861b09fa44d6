"""Everything that one campaign stands on, as raw documents: found here, read here, put back here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import gridfs
from mongoengine import get_db
from pymongo.errors import BulkWriteError

from fermiloop.platform.errors import InputError
from fermiloop.platform.store import aliases, campaigns, candidates, checkpoints, sequence, training
from fermiloop.platform.store.inserting import DUPLICATE
from fermiloop.schemas.base import BaseDocument
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import Campaign, Round
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.checkpoint import Checkpoint
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.snapshot import Snapshot, SnapshotPage
from fermiloop.schemas.spectrum import Spectrum

BATCH: Final = 500
# in the order in which they are put back: nothing refers to what is not there yet, the campaign comes last
KINDS: Final[dict[str, type[BaseDocument]]] = {
    "methods": Method,
    "settings": Setting,
    "materials": Material,
    "spectra": Spectrum,
    "labels": Label,
    "snapshot_pages": SnapshotPage,
    "snapshots": Snapshot,
    "checkpoints": Checkpoint,
    "calculations": Calculation,
    "candidates": Candidate,
    "rounds": Round,
    "campaigns": Campaign,
}


def closure(name: str, methods: Iterable[str] = ()) -> dict[str, list[str]]:
    """Ids by collection of a campaign and of all that it stands on.

    These are its rounds, candidates and calculations, checkpoints and snapshots; the materials of all of these and
    of the whole library of its Methods, which its report compares with; labels and curves of these materials by
    these Methods; and the calculations of other campaigns that it learned from. `methods` are those that
    its specification names, beside those of its calculations and snapshots.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    """
    campaigns.get(name)
    rounds, proposed = campaigns.rounds(name), candidates.of_campaign(name)
    learned = {key for one in rounds for key in one.checkpoints.values() if key}
    learned |= {candidate.checkpoint for candidate in proposed if candidate.checkpoint}
    frozen = {one.snapshot for one in [*rounds, *Checkpoint.objects(id__in=sorted(learned))] if one.snapshot}
    pages = list(SnapshotPage.objects(snapshot__in=sorted(frozen)))
    computed = {c.calculation for c in proposed if c.calculation}
    computed |= {c.id for c in Calculation.objects(campaign=name).only("id")}
    headers = list(Snapshot.objects(id__in=sorted(frozen)).only("method", "curve_methods"))
    used = {one.method for one in headers} | {key for one in headers for key in one.curve_methods} | set(methods)
    used |= _methods(computed)
    crystals = {key for page in pages for key in page.materials}
    crystals |= {key for c in proposed for key in (c.material, c.parent) if (key or "").startswith("m-")}
    crystals |= {key for method in sorted(used) for key in training.materials_of(method)}
    crystals = set(aliases.current(crystals).values())
    computed |= _makers(crystals)
    found = {
        "methods": used | _methods(computed),
        "settings": {row.id for ids in _batches(crystals) for row in Setting.objects(material__in=ids).only("id")},
        "materials": crystals,
        "spectra": _by_material(Spectrum, crystals, used) | {key for page in pages for key in page.spectra},
        "labels": _by_material(Label, crystals, used) | {key for page in pages for key in page.labels},
        "snapshot_pages": {page.id for page in pages},
        "snapshots": frozen,
        "checkpoints": learned,
        "calculations": computed,
        "candidates": {c.id for c in proposed},
        "rounds": {one.id for one in rounds},
        "campaigns": {name},
    }
    return {kind: sorted(map(str, found[kind])) for kind in KINDS}


def read(kind: str, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Raw documents of these ids, in their order, without this store's numbers; unknown ids are left out."""
    collection = get_db()[kind]
    for batch in _batches(ids):
        found = {row["_id"]: row for row in collection.find({"_id": {"$in": batch}})}
        yield from (_unnumbered(kind, found[key]) for key in batch if key in found)


def insert(kind: str, documents: Iterable[dict[str, Any]]) -> int:
    """Insert raw documents whose ids are new; returns how many were."""
    fresh = [_unnumbered(kind, one) for one in documents]
    if not fresh:
        return 0
    try:
        return len(get_db()[kind].insert_many(fresh, ordered=False).inserted_ids)
    except BulkWriteError as error:
        if any(one["code"] != DUPLICATE for one in error.details["writeErrors"]):
            raise
        return int(error.details["nInserted"])


def document(kind: str, raw: dict[str, Any]) -> BaseDocument:
    """The raw document as its class reads it, checked field by field.

    Raises
    ------
    InputError
        If it has a field that the class does not know, or one that is invalid.
    """
    try:
        made: BaseDocument = KINDS[kind]._from_son(raw)  # noqa: SLF001
        made.check()
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  (mongoengine raises many kinds for a document of another shape)
        raise InputError(f"A document of {kind} is invalid: {type(error).__name__}: {str(error)[:200]}.") from None
    return made


def file_content(digest: str) -> bytes | None:
    """Content of a stored file of a checkpoint by its SHA-256."""
    found = gridfs.GridFS(get_db(), checkpoints.BUCKET).find_one({"sha256": digest})
    return bytes(found.read()) if found is not None else None


def put_file(digest: str, content: bytes, name: str) -> bool:
    """Store a file of a checkpoint; False where it is there."""
    bucket = gridfs.GridFS(get_db(), checkpoints.BUCKET)
    if bucket.exists({"sha256": digest}):
        return False
    bucket.put(content, filename=name, sha256=digest)
    return True


def _unnumbered(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    """The document without the numbers of its store's counter, which mean nothing in another one."""
    own = sequence.FIELDS.get(kind, ())
    return {name: value for name, value in raw.items() if name not in own}


def _makers(materials: Iterable[str]) -> set[str]:
    """Calculations whose results are these materials."""
    rows = (row for ids in _batches(materials) for row in Calculation.objects(result__material__in=ids).only("id"))
    return {row.id for row in rows}


def _methods(calculations: Iterable[str]) -> set[str]:
    """Methods of these calculations."""
    rows = (row for ids in _batches(calculations) for row in Calculation.objects(id__in=ids).only("method"))
    return {row.method for row in rows}


def _by_material(kind: type[Label] | type[Spectrum], materials: Iterable[str], methods: set[str]) -> set[str]:
    """Ids of what these materials have by these methods."""
    # $in beside other conditions is 20 times slower on the embedded server: the method is looked at here
    rows = (row for ids in _batches(materials) for row in kind.objects(material__in=ids).only("method").as_pymongo())
    return {row["_id"] for row in rows if row["method"] in methods}


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]
