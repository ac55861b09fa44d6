"""Snapshots: training sets that never change."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from typing import Any

from mongoengine import NotUniqueError

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store.materials import BATCH
from fermiloop.schemas.base import content_id
from fermiloop.schemas.label import Label
from fermiloop.schemas.snapshot import PAGE_SIZE, Snapshot, SnapshotPage
from fermiloop.schemas.spectrum import Spectrum


def freeze(
    material_ids: Iterable[str], *, query: dict[str, Any], split_seed: int, method: str, campaign: str | None = None
) -> str:
    """Id of the snapshot of these materials, with their curves and labels as they are now.

    The same content and seed give the same id.
    """
    ids = sorted(set(material_ids))
    digest = _content_hash(ids, method)
    snapshot_id = content_id("snap", digest, split_seed, method)
    pages = [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]
    for number, page in enumerate(pages):
        SnapshotPage(id=f"{snapshot_id}/{number}", snapshot=snapshot_id, number=number, materials=page).save()
    if not Snapshot.objects(id=snapshot_id).only("id").first():
        with contextlib.suppress(NotUniqueError):  # another process froze the same content in between
            Snapshot(
                id=snapshot_id,
                query=query,
                n=len(ids),
                content_hash=digest,
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
        If the store does not hold it.
    """
    found = Snapshot.objects(id=snapshot_id).first()
    if found is None:
        raise NotFoundError(f"The store holds no snapshot {snapshot_id}.")
    return found


def ids(snapshot_id: str) -> list[str]:
    """Material ids of a snapshot, sorted."""
    get(snapshot_id)
    pages = SnapshotPage.objects(snapshot=snapshot_id).order_by("number")
    return [key for page in pages for key in page.materials]


def _content_hash(material_ids: list[str], method: str) -> str:
    """Hash of the ids of all curves and labels, which in turn derive from what they hold."""
    digest = hashlib.sha256()
    for start in range(0, len(material_ids), BATCH):
        batch = material_ids[start : start + BATCH]
        curves = {s.id for s in Spectrum.objects(material__in=batch, method=method).only("id")}
        known = {label.id for label in Label.objects(material__in=batch, method=method).only("id")}
        for key in [*batch, *sorted(curves), *sorted(known)]:
            digest.update(key.encode())
    return digest.hexdigest()
