"""A campaign with all that it stands on, as one archive.

manifest.json            what is in it: format, versions, licences, counts, SHA-256 of each member
campaign.yaml            the campaign file, for people
documents/KIND.jsonl     documents as canonical extended JSON, one a line
files/SHA256             files of the checkpoints: safetensors and their configuration

Which documents a campaign stands on is found by `platform.store.bundle_contents`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bson import json_util

from fermiloop.db_init import bundle_manifest, tar_members
from fermiloop.db_init.bundle_manifest import FORMAT, Licence, Manifest, Member
from fermiloop.db_init.importers.entries import UNKNOWN
from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.platform.errors import FailureError, UserError
from fermiloop.platform.store import bundle_contents, campaigns, connection
from fermiloop.schemas.vocabulary import AT_REST, EXTERNAL

OWN: Final = "that of each material"  # of numbers that our own engines computed


@dataclass
class Folder:
    """Members as they are written, each with its digest."""

    path: Path
    members: dict[str, Member] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a member."""
        digest, size = hashlib.sha256(), 0
        with self.place(name).open("wb") as out:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                out.write(piece)
        self.members[name] = Member(sha256=digest.hexdigest(), size=size)

    def place(self, name: str) -> Path:
        """Where a member lies while the archive is made."""
        return self.path / name.replace("/", "~")


def export(name: str, path: Path, *, methods: Iterable[str] = (), progress: Progress = silent) -> Manifest:
    """Write the archive of a campaign that is not at work.

    `methods` are those that the campaign's file names: that of its training data, and that of its funnel.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If it is at work, or the path is taken.
    """
    campaign = campaigns.get(name)
    if campaign.state not in AT_REST:
        raise UserError(f"The campaign {name} is {campaign.state}; pause it or wait for its end, then export it.")
    if path.exists():
        raise UserError(f"The file {path} is there already; name another one.")
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = bundle_contents.closure(name, methods)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as scratch:
        folder = Folder(Path(scratch))
        folder.write(bundle_manifest.SPEC, [campaign.spec_text.encode()])
        terms: dict[tuple[str, str], Licence] = {}
        for place, kind in enumerate(ids):
            progress(kind, place / len(ids))
            folder.write(f"documents/{kind}.jsonl", _lines(folder, kind, ids[kind], terms))
        for digest, found in _files(ids["checkpoints"]):
            folder.write(f"files/{digest}", [found])
        manifest = _manifest(name, folder, _merged(terms))
        text = manifest.model_dump_json(indent=1).encode()
        folder.write(bundle_manifest.NAME, [text])
        names = [bundle_manifest.NAME, *manifest.members]
        progress("packing", 0.9)
        tar_members.write(path, ((member, folder.place(member)) for member in names))
    progress(path.name, 1.0)
    return manifest


def _lines(folder: Folder, kind: str, ids: list[str], terms: dict[tuple[str, str], Licence]) -> Iterator[bytes]:
    """Lines of a kind; licences are gathered on the way."""
    folder.counts[kind] = 0
    for raw in bundle_contents.read(kind, ids):
        folder.counts[kind] += 1
        if kind in {"settings", "materials", "methods"}:
            _gather(kind, raw, terms)
        yield json_util.dumps(raw, json_options=bundle_manifest.JSON).encode() + b"\n"


def _gather(kind: str, raw: dict[str, Any], terms: dict[tuple[str, str], Licence]) -> None:
    about = raw.get("settings", {}) if kind == "methods" else raw.get("source", {})
    own = kind == "methods" and raw.get("engine") != EXTERNAL
    source = str(raw.get("engine")) if own else str(about.get("name") or about.get("source") or UNKNOWN)
    licence = OWN if own else str(about.get("licence") or UNKNOWN)
    known = terms.get((source, licence), Licence(source=source, licence=licence, materials=0, methods=[]))
    terms[source, licence] = Licence(
        source=source,
        licence=licence,
        materials=known.materials + (kind == "materials"),
        methods=[*known.methods, str(raw["_id"])] if kind == "methods" else known.methods,
    )


def _merged(terms: dict[tuple[str, str], Licence]) -> list[Licence]:
    """The licences, those of Methods that state none taken from the materials of the same source."""
    found = dict(terms)
    for (source, licence), one in terms.items():
        stated = [key for key in terms if key[0] == source and key[1] != UNKNOWN]
        if licence == UNKNOWN and not one.materials and len(stated) == 1:
            there = found[stated[0]]
            found[stated[0]] = there.model_copy(update={"methods": [*there.methods, *one.methods]})
            del found[source, licence]
    return list(found.values())


def _files(checkpoints: list[str]) -> Iterator[tuple[str, bytes]]:
    """Digest and content of each file of the checkpoints, once."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for raw in bundle_contents.read("checkpoints", checkpoints):
        for digest in raw.get("files", {}).values():
            wanted[digest].append(raw["_id"])
    for digest, holders in sorted(wanted.items()):
        content = bundle_contents.file_content(digest)
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            raise FailureError(f"A file of the checkpoint {holders[0]} is lost or damaged; retrain it, then export.")
        yield digest, content


def _manifest(name: str, folder: Folder, terms: list[Licence]) -> Manifest:
    return Manifest(
        format=FORMAT,
        schema_version=connection.SCHEMA_VERSION,
        campaign=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        fermiloop=bundle_manifest.own_version(),
        versions=bundle_manifest.versions(),
        licences=sorted(terms, key=lambda one: (one.source, one.licence)),
        counts=folder.counts,
        members=dict(folder.members),
    )
