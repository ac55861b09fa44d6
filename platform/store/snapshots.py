"""Snapshots: training sets that never change."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mongoengine import NotUniqueError

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import aliases, spectra
from fermiloop.schemas.base import content_id
from fermiloop.schemas.label import Label
from fermiloop.schemas.snapshot import PAGE_SIZE, Snapshot, SnapshotPage
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment

if TYPE_CHECKING:
    from hashlib import _Hash as Hash


def freeze(
    material_ids: Iterable[str], *, query: dict[str, Any], split_seed: int, method: str, campaign: str | None = None
) -> str:
    """Id of the snapshot of these materials, with their curves and labels as they are now.

    The same content and seed give the same id.
    """
    ids = sorted(set(material_ids))
    digest = hashlib.sha256()
    pages = [_page(ids[start : start + PAGE_SIZE], method, digest) for start in range(0, len(ids), PAGE_SIZE)]
    content_hash = digest.hexdigest()
    snapshot_id = content_id("snap", content_hash, split_seed, method)
    for number, page in enumerate(pages):
        page.id, page.snapshot, page.number = f"{snapshot_id}/{number}", snapshot_id, number
        page.save()
    if not Snapshot.objects(id=snapshot_id).only("id").first():
        with contextlib.suppress(NotUniqueError):  # another process froze the same content in between
            Snapshot(
                id=snapshot_id,
                query=query,
                n=len(ids),
                content_hash=content_hash,
                split_seed=split_seed,
                method=method,
                campaign=campaign,
            ).save(force_insert=True)
    return snapshot_id


def get(snapshot_id: str) -> Snapshot:
    """The snapshot of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = Snapshot.objects(id=snapshot_id).first()
    if found is None:
        raise NotFoundError(f"The store holds no snapshot {snapshot_id}.")
    return found


def test_set(name: str) -> Snapshot | None:
    """The frozen test set of a name, None before the first was made."""
    return Snapshot.objects(query__test_set=name).order_by("id").first()


def ids(snapshot_id: str) -> list[str]:
    """Material ids of a snapshot, sorted."""
    get(snapshot_id)
    pages = SnapshotPage.objects(snapshot=snapshot_id).order_by("number")
    held = [key for page in pages for key in page.materials]
    return sorted(set(aliases.current(held).values()))


def label_ids(snapshot_id: str) -> frozenset[str]:
    """Ids of the labels that a snapshot was frozen with."""
    get(snapshot_id)
    return frozenset(key for page in SnapshotPage.objects(snapshot=snapshot_id) for key in page.labels)


def _page(material_ids: list[str], method: str, digest: Hash) -> SnapshotPage:
    """The materials with what they hold by this method; the digest takes in ids, curves and values."""
    curves = _values_by_id(Spectrum, "values", material_ids, method)
    known = _values_by_id(Label, "value", material_ids, method)
    for material in material_ids:
        digest.update(material.encode())
    if curves and spectra.alignment() is not Alignment.MIDGAP:  # the same curves about another zero are other data
        digest.update(str(spectra.alignment()).encode())
    for key, values in curves.items():
        digest.update(key.encode() + bytes(values))
    for key, value in known.items():
        digest.update(f"{key}={value!r}".encode())
    return SnapshotPage(materials=material_ids, spectra=list(curves), labels=list(known))


def _values_by_id(
    kind: type[Spectrum] | type[Label], field: str, material_ids: list[str], method: str
) -> dict[str, Any]:
    """What these materials hold by this method, in the order of the ids."""
    # $in beside other conditions is 20 times slower on the embedded server: the method is looked at here
    rows = kind.objects(material__in=material_ids).only(field, "method").as_pymongo()
    return dict(sorted((row["_id"], row[field]) for row in rows if row["method"] == method))
