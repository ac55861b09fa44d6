"""Loading a campaign's archive: everything is checked before anything is written, and nothing is written over.

What is in the store stays as it is. Checkpoints come in as challengers, so that no generator in use here
changes; a label that says otherwise than the one here is told in quarantine.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bson import json_util
from bson.errors import BSONError

from fermiloop.db_init import bundle_crystals, bundle_manifest, tar_members
from fermiloop.db_init.bundle_manifest import Manifest
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.db_init.migrations import m0004_scores, m0005_goals, m0007_launches, m0011_scores
from fermiloop.platform.campaign import scores
from fermiloop.platform.errors import InputError, UserError
from fermiloop.platform.representations.training import Target
from fermiloop.platform.settings import settings
from fermiloop.platform.store import bundle_contents, connection, quarantine
from fermiloop.platform.store.labels import SAME
from fermiloop.schemas.vocabulary import AT_REST, CheckpointState

BATCH: Final = 500
NAMED_SCORES: Final = 4  # schema version from which scores say their source
SAID_GOALS: Final = 5  # and from which files say what a hit is
TYPED: Final = 11  # schema version from which scores are numbers
RESOLVED: Final = 7  # schema version of presets beside generators, and of one document of what a launch resolved
LONGEST: Final = 20_000_000  # bytes of a line: a document of 16 MB, written as text


def load(path: Path, progress: Progress = silent) -> LoadReport:
    """Load the archive of a campaign; a repeat adds nothing.

    Returns
    -------
    report
        New documents, documents that were there, and labels that say otherwise than those here.

    Raises
    ------
    InputError
        If the archive is damaged, was changed, or holds what does not belong into it.
    UserError
        If another campaign here bears the name.
    """
    scratch = settings().data_dir.expanduser()
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="load-") as folder:
        progress("unpacking", 0.0)
        archive = Archive(path, Path(folder))
        for place, kind in enumerate(bundle_contents.KINDS):
            progress(f"checking {kind}", 0.1 + 0.4 * place / len(bundle_contents.KINDS))
            archive.check(kind)
        return _save(archive, progress)


class Archive:
    """An archive whose members were all read and found to be what the manifest says.

    Parameters
    ----------
    path
        The archive.
    folder
        An empty folder for its members, under names of our own.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self._folder = path, folder
        self._cells: dict[str, set[str]] = {}  # of each material, those that were found right
        self.manifest = self._unpack()

    def documents(self, kind: str) -> Iterator[dict[str, Any]]:
        """Raw documents of a kind, in the shape of now."""
        former = self.manifest.schema_version < NAMED_SCORES and kind in ("candidates", "calculations")
        unsaid = self.manifest.schema_version < SAID_GOALS
        former_shape = self.manifest.schema_version < RESOLVED
        untyped = self.manifest.schema_version < TYPED
        for raw in self._documents(kind):
            now = self._renamed(kind, raw) if former else raw
            now = self._completed(kind, now) if unsaid else now
            now = _now(kind, now) if former_shape else now
            yield m0011_scores.typed(now) if untyped and kind == "candidates" else now

    def _completed(self, kind: str, raw: dict[str, Any]) -> dict[str, Any]:
        """A document with what a hit is and the scores of now."""
        if kind == "campaigns" and _given(raw, "spec"):
            return {**raw, "spec": m0005_goals.completed(raw["spec"])}
        target = self._windows
        if target is not None and kind == "candidates" and "computed_score" in (raw.get("scores") or {}):
            return {**raw, "scores": m0005_goals.scored(target, raw["scores"])}
        if target is not None and kind == "calculations" and _given(raw, "result"):
            return {**raw, "result": m0005_goals.result_scored(target, raw["result"])}
        return raw

    @cached_property
    def _windows(self) -> Target | None:
        """The target, where it has property windows."""
        specs = [raw["spec"] for raw in self._documents("campaigns") if _given(raw, "spec")]
        return m0005_goals.target_of(specs[0].get("target") or {}) if specs else None

    def _renamed(self, kind: str, raw: dict[str, Any]) -> dict[str, Any]:
        """A candidate or calculation whose scores bear the names of now."""
        if kind == "calculations":
            return {**raw, "result": m0004_scores.renamed_result(raw["result"])} if _given(raw, "result") else raw
        alone, energies = self._about_scores
        if not _given(raw, "scores"):
            return raw
        energy = energies.get(str(raw.get("calculation")))
        return {**raw, "scores": scores.renamed(raw["scores"], curve_alone=alone, energy_per_atom=energy)}

    @cached_property
    def _about_scores(self) -> tuple[bool, dict[str, float]]:
        """Whether the target is a curve alone, and the energy of each calculation: what older scores do not tell."""
        alone = any(
            m0004_scores.curve_alone(raw["spec"]) for raw in self._documents("campaigns") if _given(raw, "spec")
        )
        results = {raw["_id"]: raw["result"] for raw in self._documents("calculations") if _given(raw, "result")}
        energies = {key: result.get("energy_per_atom") for key, result in results.items()}
        return alone, {key: float(value) for key, value in energies.items() if isinstance(value, int | float)}

    def _documents(self, kind: str) -> Iterator[dict[str, Any]]:
        if kind not in self._kinds():
            return
        with self._place(f"documents/{kind}.jsonl").open("rb") as lines:
            while line := lines.readline(LONGEST):
                try:
                    raw = json_util.loads(line, json_options=bundle_manifest.JSON)
                except (ValueError, KeyError, TypeError, RecursionError, BSONError):
                    raise self._wrong(f"a line of {kind} is no document") from None
                if not isinstance(raw, dict) or not isinstance(raw.get("_id"), str):
                    raise self._wrong(f"a document of {kind} has no id")
                yield raw

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Digest and content of each file of a checkpoint."""
        for name in self.manifest.members:
            if name.startswith("files/"):
                yield name.removeprefix("files/"), self._place(name).read_bytes()

    def check(self, kind: str) -> None:
        """Check every document of a kind that is not in the store as it is here.

        Raises
        ------
        InputError
            If one is invalid, or is not what its id says.
        """
        seen = set()
        for batch in _chunks(self.documents(kind)):
            here = {raw["_id"]: raw for raw in bundle_contents.read(kind, [raw["_id"] for raw in batch])}
            for raw in batch:
                seen.add(raw["_id"])
                if here.get(raw["_id"]) != raw or kind == "settings":
                    self._check_one(kind, raw)
        if len(seen) != self.manifest.counts.get(kind, 0) or (kind == "campaigns" and len(seen) != 1):
            raise self._wrong(f"it holds {len(seen)} {kind}, not {self.manifest.counts.get(kind)}")

    def _check_one(self, kind: str, raw: dict[str, Any]) -> None:
        key = raw["_id"][:60]
        if not bundle_crystals.is_plain(raw.get("structure")):
            raise self._wrong(f"{key} has a site with a property that is neither a number, a word nor a list of them")
        document: Any = bundle_contents.document(kind, raw)
        found = bundle_contents.KINDS[kind].id_of(document)
        if kind == "materials" and found and raw["_id"] in self._cells.get(raw["_id"], ()):
            found = raw["_id"]  # that of one of its settings
        if raw["_id"] != found:
            raise self._wrong(f"{key} is not what its id says")
        if kind == "settings":
            self._cells.setdefault(document.material, set()).add(document.cell)
        owner = raw["_id"] if kind == "campaigns" else raw.get("campaign")
        if kind in bundle_contents.OF_THE_CAMPAIGN and owner != self.manifest.campaign:
            raise self._wrong(f"{key} is of another campaign")
        if kind == "campaigns" and raw.get("state") not in AT_REST:
            raise self._wrong(f"its campaign is {str(raw.get('state'))[:20]}, and one at work is not taken over")
        if kind == "checkpoints" and not {f"files/{one}" for one in raw["files"].values()} <= set(
            self.manifest.members
        ):
            raise self._wrong(f"the checkpoint {key} lacks a file")

    def _unpack(self) -> Manifest:
        members = tar_members.read(self.path)
        first = next(members, None)
        if first is None or first[0] != bundle_manifest.NAME or first[1] > bundle_manifest.LARGEST:
            raise InputError(f"{self.path} is no archive of a campaign: it does not begin with its manifest.")
        manifest = bundle_manifest.parse(b"".join(first[2]))
        if manifest.schema_version > connection.SCHEMA_VERSION:
            raise InputError(f"{self.path} has schema version {manifest.schema_version}: upgrade fermiloop to load it.")
        left = dict(manifest.members)
        for name, size, pieces in members:
            expected = left.pop(name, None)
            if expected is None:
                raise self._wrong(f"it holds {name[:80]!r}, which its manifest does not name, or twice")
            digest = hashlib.sha256()
            with self._place(name).open("wb") as out:
                for piece in pieces:
                    digest.update(piece)
                    out.write(piece)
            named = name.removeprefix("files/") if name.startswith("files/") else expected.sha256
            if not digest.hexdigest() == expected.sha256 == named or size != expected.size:
                raise self._wrong(f"the member {name} was changed")
        kinds = {kind for kind in bundle_contents.KINDS if f"documents/{kind}.jsonl" in manifest.members}
        lacking = bundle_contents.missing_from(kinds, manifest.schema_version)
        missing = [*left, *(f"documents/{kind}.jsonl" for kind in lacking)]
        if missing:
            raise self._wrong(f"the member {missing[0]} is missing")
        return manifest

    def _kinds(self) -> set[str]:
        return {kind for kind in bundle_contents.KINDS if f"documents/{kind}.jsonl" in self.manifest.members}

    def _place(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()

    def _wrong(self, what: str) -> InputError:
        return InputError(f"The archive {self.path} is refused: {what}.")


def _now(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    """A document of a schema version below 7 in the shape of now."""
    if kind == "candidates":
        return m0007_launches.parted(raw)
    return m0007_launches.gathered(raw) if kind == "campaigns" else raw


def _given(raw: dict[str, Any], name: str) -> bool:
    return isinstance(raw.get(name), dict)


def _save(archive: Archive, progress: Progress) -> LoadReport:
    name = archive.manifest.campaign
    crystals = bundle_crystals.Crystals()
    for kind in bundle_contents.OF_THE_CAMPAIGN:
        for batch in _chunks(archive.documents(kind)):
            batch = crystals.translated(kind, batch)
            known = {raw["_id"]: raw for raw in bundle_contents.read(kind, [raw["_id"] for raw in batch])}
            if any(known.get(raw["_id"], raw) != raw for raw in batch):
                raise UserError(
                    f"A campaign named {name} is here with other content; nothing of the archive is loaded."
                )
    loaded = total = differing = 0
    for digest, content in archive.files():
        bundle_contents.put_file(digest, content, digest)
    for place, kind in enumerate(bundle_contents.KINDS):
        progress(f"saving {kind}", 0.5 + 0.5 * place / len(bundle_contents.KINDS))
        for batch in _chunks(archive.documents(kind)):
            total += len(batch)
            if kind == "settings":
                loaded += crystals.keep(batch)
            elif kind == "materials":
                loaded += crystals.take_in(batch)
            else:
                ours = crystals.translated(kind, batch)
                differing += _told(ours, archive) if kind == "labels" else 0
                loaded += bundle_contents.insert(kind, [_as_newcomer(kind, raw) for raw in ours])
    progress(name, 1.0)
    return LoadReport(loaded, total - loaded, differing)


def _as_newcomer(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint comes in as a challenger: which one is in use here is not for an archive to say."""
    if kind != "checkpoints":
        return raw
    return {**raw, "state": CheckpointState.CHALLENGER.value, "promoted_at": None}


def _told(batch: list[dict[str, Any]], archive: Archive) -> int:
    """Labels that have another value here, each told in quarantine; returns how many."""
    here = {raw["_id"]: raw["value"] for raw in bundle_contents.read("labels", [raw["_id"] for raw in batch])}
    other = [raw for raw in batch if abs(here.get(raw["_id"], raw["value"]) - raw["value"]) > SAME]
    for raw in other:
        kept = f"{raw['property']} of {raw['material']} is {here[raw['_id']]!r} here and stays so"
        reason = f"The label {raw['_id']} says {raw['value']!r}, but {kept}."
        quarantine.put(archive.path.name, None, reason, raw["_id"])
    return len(other)


def _chunks(documents: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(itertools.islice(documents, BATCH)):
        yield batch
