"""Snapshots: training sets that never change."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
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
    material_ids: Iterable[str],
    *,
    query: dict[str, Any],
    split_seed: int,
    method: str,
    curves: Sequence[str] = (),
    about: Alignment | None = None,
    campaign: str | None = None,
) -> str:
    """Id of the snapshot of these materials, with their curves and labels as they are now.

    The same content and seed give the same id, of a test set under the same name.

    Parameters
    ----------
    method
        Whose labels.
    curves
        Ids of the Methods whose curves count, the best first, one of each material; that of the labels by default.
    about
        What lies at zero of the curves; by default what the settings say.
    """
    ids = sorted(set(material_ids))
    digest, used, zero = hashlib.sha256(), set[str](), about or spectra.alignment()
    batches = [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]
    pages = [_page(batch, method, curves or (method,), zero, digest, used) for batch in batches]
    content_hash = digest.hexdigest()
    name = query.get("test_set")  # two generators may be tested on the same crystals
    snapshot_id = content_id("snap", content_hash, split_seed, method, *([name] if name else []))
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
                curve_methods=[one for one in curves if one in used] if used - {method} else [],
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
    """The frozen test set of a name, None before the first was made; empty ones of earlier versions do not count."""
    return Snapshot.objects(query__test_set=name, n__gt=0).order_by("id").first()


def ids(snapshot_id: str) -> list[str]:
    """Material ids of a snapshot, sorted."""
    get(snapshot_id)
    pages = SnapshotPage.objects(snapshot=snapshot_id).order_by("number")
    held = [key for page in pages for key in page.materials]
    return sorted(set(aliases.current(held).values()))


def curve_methods(snapshot_id: str) -> tuple[str, ...]:
    """Ids of the Methods that its curves come from, the best first; of an older snapshot that of its labels."""
    found = get(snapshot_id)
    return tuple(found.curve_methods) or (str(found.method),)


def label_ids(snapshot_id: str) -> frozenset[str]:
    """Ids of the labels that a snapshot was frozen with."""
    get(snapshot_id)
    return frozenset(key for page in SnapshotPage.objects(snapshot=snapshot_id) for key in page.labels)


def _page(
    material_ids: list[str], method: str, curves: Sequence[str], zero: Alignment, digest: Hash, used: set[str]
) -> SnapshotPage:
    """The materials with their labels and curves; the digest takes in ids, curves and values.

    Methods whose curves were taken are added to `used`.
    """
    found = _curves(material_ids, curves, used)
    known = _labels(material_ids, method)
    for material in material_ids:
        digest.update(material.encode())
    if found and zero is not Alignment.MIDGAP:  # the same curves about another zero are other data
        digest.update(str(zero).encode())
    for key, values in found.items():
        digest.update(key.encode() + bytes(values))
    for key, value in known.items():
        digest.update(f"{key}={value!r}".encode())
    return SnapshotPage(materials=material_ids, spectra=list(found), labels=list(known))


def _curves(material_ids: list[str], methods: Sequence[str], used: set[str]) -> dict[str, Any]:
    """Values by the id of the curve, in order: of each material and kind that of the first of these Methods."""
    # $in beside other conditions is 20 times slower on the embedded server: the method is looked at here
    rows = Spectrum.objects(material__in=material_ids).only("material", "kind", "values", "method").as_pymongo()
    mine = [row for row in rows if row["method"] in methods]
    best: dict[tuple[str, str], Any] = {}
    for row in sorted(mine, key=lambda one: methods.index(one["method"])):
        best.setdefault((row["material"], row["kind"]), row)
    used |= {row["method"] for row in best.values()}
    return dict(sorted((row["_id"], row["values"]) for row in best.values()))


def _labels(material_ids: list[str], method: str) -> dict[str, Any]:
    """Values of the labels of these materials by this method, in the order of their ids."""
    rows = Label.objects(material__in=material_ids).only("value", "method").as_pymongo()
    return dict(sorted((row["_id"], row["value"]) for row in rows if row["method"] == method))
