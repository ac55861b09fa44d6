"""Everything that one campaign stands on, as raw documents: found here, read here, put back here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import gridfs
from mongoengine import get_db
from pymatgen.core import Structure
from pymongo.errors import BulkWriteError

from fermiloop.platform.errors import InputError
from fermiloop.platform.store import aliases, campaigns, candidates, checkpoints, sequence, training
from fermiloop.platform.store.batches import in_batches
from fermiloop.platform.store.inserting import DUPLICATE
from fermiloop.schemas.base import BaseDocument, content_id
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import Campaign, Round
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.checkpoint import Checkpoint
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material, structure_id
from fermiloop.schemas.method import Method
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.snapshot import Snapshot, SnapshotPage
from fermiloop.schemas.spectrum import Spectrum

BATCH: Final = 500


@dataclass(frozen=True)
class Kind:
    """A kind of document that a bundle holds.

    Parameters
    ----------
    document
        Its class.
    found
        Ids of those that a campaign stands on.
    of_the_campaign
        Whether they belong to the campaign alone, so that another content means another campaign.
    since
        Schema version from which bundles hold the kind; in one of before it may be missing.
    id_of
        Id that a document of this content must have; its own where ids do not come from content alone.
    """

    document: type[BaseDocument]
    found: Callable[[Basis], set[str]]
    of_the_campaign: bool = False
    since: int = 0
    id_of: Callable[[Any], str] = lambda document: str(document.id)


@dataclass(frozen=True)
class Basis:
    """A campaign and what leads to all that it stands on.

    These are its rounds, candidates and calculations, checkpoints and snapshots; the materials of all of these and
    of the whole library of its Methods, which its report compares with; labels and curves of these materials by
    these Methods; and the calculations of other campaigns that it learned from.

    Parameters
    ----------
    methods
        Those that its specification names, beside those of its calculations and snapshots.
    """

    name: str
    methods: frozenset[str]

    @cached_property
    def rounds(self) -> list[Round]:
        """Its rounds."""
        return campaigns.rounds(self.name)

    @cached_property
    def candidates(self) -> list[Candidate]:
        """Its candidates."""
        return candidates.of_campaign(self.name)

    @cached_property
    def checkpoints(self) -> set[str]:
        """What it has trained or used."""
        learned = {key for one in self.rounds for key in one.checkpoints.values() if key}
        return learned | {candidate.checkpoint for candidate in self.candidates if candidate.checkpoint}

    @cached_property
    def snapshots(self) -> set[str]:
        """What these were trained on."""
        holders = [*self.rounds, *Checkpoint.objects(id__in=sorted(self.checkpoints))]
        return {one.snapshot for one in holders if one.snapshot}

    @cached_property
    def pages(self) -> list[SnapshotPage]:
        """Pages of the snapshots."""
        return list(SnapshotPage.objects(snapshot__in=sorted(self.snapshots)))

    @cached_property
    def evaluations(self) -> set[str]:
        """Calculations of its candidates, and those that were launched for it."""
        computed = {c.calculation for c in self.candidates if c.calculation}
        return computed | {c.id for c in Calculation.objects(campaign=self.name).only("id")}

    @cached_property
    def used(self) -> set[str]:
        """Methods by which it learns and computes."""
        headers = list(Snapshot.objects(id__in=sorted(self.snapshots)).only("method", "curve_methods"))
        used = {one.method for one in headers} | {key for one in headers for key in one.curve_methods}
        return used | self.methods | _methods(self.evaluations)

    @cached_property
    def materials(self) -> set[str]:
        """Materials of all of these, and of the whole library of its Methods."""
        crystals = {key for page in self.pages for key in page.materials}
        crystals |= {key for c in self.candidates for key in (c.material, c.parent) if (key or "").startswith("m-")}
        crystals |= {key for method in sorted(self.used) for key in training.materials_of(method)}
        return set(aliases.current(crystals).values())

    @cached_property
    def calculations(self) -> set[str]:
        """Its own, and those whose results are these materials."""
        return self.evaluations | _makers(self.materials)


def _settings(found: Basis) -> set[str]:
    rows = (row for ids in _batches(found.materials) for row in Setting.objects(material__in=ids).only("id"))
    return {row.id for row in rows}


def _spectra(found: Basis) -> set[str]:
    return _by_material(Spectrum, found.materials, found.used) | {key for page in found.pages for key in page.spectra}


def _labels(found: Basis) -> set[str]:
    return _by_material(Label, found.materials, found.used) | {key for page in found.pages for key in page.labels}


def _setting_id(document: Any) -> str:
    crystal = document.to_structure()
    told = (crystal.composition.reduced_formula, len(crystal), structure_id(crystal))
    return str(document.id) if told == (document.formula, document.n_sites, document.cell) else ""


def _material_id(document: Any) -> str:
    """The id of its crystal; empty where its other fields are of another one."""
    crystal = Structure.from_dict(document.structure)
    told = (crystal.composition.reduced_formula, len(crystal), crystal.chemical_system)
    return structure_id(crystal) if told == (document.formula, document.n_sites, document.chemical_system) else ""


def _checkpoint_id(document: Any) -> str:
    hashes = {name.replace("|", "."): digest for name, digest in document.files.items()}
    return content_id("ckpt", document.generator, document.preset, hashes, document.snapshot, document.seed)


KINDS: Final[dict[str, Kind]] = {
    "methods": Kind(
        Method,
        lambda found: found.used | _methods(found.calculations),
        id_of=lambda one: str(Method.make(one.engine, one.functional, dict(one.settings), {}).id),
    ),
    "settings": Kind(Setting, _settings, since=2, id_of=_setting_id),
    "materials": Kind(Material, lambda found: found.materials, id_of=_material_id),
    "spectra": Kind(Spectrum, _spectra, id_of=lambda one: content_id("s", one.material, str(one.kind), one.method)),
    "labels": Kind(
        Label, _labels, id_of=lambda one: content_id("l", one.material, str(one.property), one.method, one.version)
    ),
    "snapshot_pages": Kind(
        SnapshotPage,
        lambda found: {page.id for page in found.pages},
        id_of=lambda one: f"{one.snapshot}/{one.number}",
    ),
    "snapshots": Kind(
        Snapshot,
        lambda found: found.snapshots,
        id_of=lambda one: content_id("snap", one.content_hash, one.split_seed, one.method),
    ),
    "checkpoints": Kind(Checkpoint, lambda found: found.checkpoints, id_of=_checkpoint_id),
    "calculations": Kind(Calculation, lambda found: found.calculations),
    "candidates": Kind(Candidate, lambda found: {one.id for one in found.candidates}, of_the_campaign=True),
    "rounds": Kind(Round, lambda found: {one.id for one in found.rounds}, of_the_campaign=True),
    "campaigns": Kind(Campaign, lambda found: {found.name}, of_the_campaign=True),
}
"""What a bundle holds, by collection, in the order in which it is put back: nothing refers to what is not there yet.

A new kind is an entry here; the files of checkpoints come with them.
"""
OF_THE_CAMPAIGN: Final = tuple(name for name, kind in reversed(KINDS.items()) if kind.of_the_campaign)


def closure(name: str, methods: Iterable[str] = ()) -> dict[str, list[str]]:
    """Ids by collection of a campaign and of all that it stands on.

    Parameters
    ----------
    methods
        Those that its specification names, beside those of its calculations and snapshots.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    """
    campaigns.get(name)
    found = Basis(name, frozenset(methods))
    return {collection: sorted(map(str, kind.found(found))) for collection, kind in KINDS.items()}


def missing_from(members: Collection[str], schema_version: int) -> list[str]:
    """Collections that a bundle of this schema version must hold, and does not."""
    return [name for name, kind in KINDS.items() if kind.since <= schema_version and name not in members]


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
        made: BaseDocument = KINDS[kind].document._from_son(raw)  # noqa: SLF001
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
    return in_batches(sorted(ids), BATCH)
