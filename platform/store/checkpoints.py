"""Checkpoints: files in GridFS, checked by hash when they come back; champions and roll back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gridfs
from gridfs.errors import CorruptGridFile
from mongoengine import get_db

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import sequence
from fermiloop.schemas.base import content_id, now
from fermiloop.schemas.checkpoint import Checkpoint
from fermiloop.schemas.snapshot import Snapshot
from fermiloop.schemas.vocabulary import CheckpointState

BUCKET = "checkpoint_files"
HIDDEN = frozenset({".lock"})
SURROGATES = ("surrogate", "forward_dos", "property_ensemble")  # kept like generators; two of earlier versions


def save(
    folder: Path,
    *,
    generator: str,
    preset: str | None,
    config: dict[str, Any],
    metrics: dict[str, float],
    history: list[float],
    snapshot: str,
    seed: int,
    core_seconds: float = 0.0,
) -> str:
    """Store the files of a trained generator; the same files, snapshot and seed give the same id.

    Raises
    ------
    InputError
        If the folder holds no file.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in HIDDEN)
    if not paths:
        raise InputError(f"The folder {folder} holds no checkpoint files.")
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    checkpoint_id = content_id("ckpt", generator, preset, hashes, snapshot, seed)
    if Checkpoint.objects(id=checkpoint_id).only("id").first():
        return checkpoint_id
    bucket = gridfs.GridFS(get_db(), BUCKET)
    for path in paths:
        if not bucket.exists({"sha256": hashes[path.name]}):
            bucket.put(path.read_bytes(), filename=path.name, sha256=hashes[path.name])
    Checkpoint(
        id=checkpoint_id,
        generator=generator,
        preset=preset,
        config=config,
        metrics=metrics,
        history=history,
        snapshot=snapshot,
        seed=seed,
        files={name.replace(".", "|"): digest for name, digest in hashes.items()},
        core_seconds=core_seconds,
        sequence=sequence.take(),
    ).save()
    return checkpoint_id


def fetch(checkpoint_id: str, folder: Path) -> None:
    """Write the files of a checkpoint into an existing folder.

    Raises
    ------
    NotFoundError
        If the store does not contain it, or lost one of its files.
    InputError
        If a file is not what was saved.
    """
    checkpoint = get(checkpoint_id)
    files = {name.replace("|", "."): digest for name, digest in checkpoint.files.items()}
    # all are read and checked before the first is written
    contents = {name: _read(checkpoint_id, name, digest) for name, digest in files.items()}
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def get(checkpoint_id: str) -> Checkpoint:
    """The checkpoint of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = Checkpoint.objects(id=checkpoint_id).first()
    if found is None:
        raise NotFoundError(f"The store holds no checkpoint {checkpoint_id}; fermiloop generators list shows all.")
    return found


def find(generator: str | None = None, limit: int = 100) -> list[Checkpoint]:
    """Checkpoints, newest first."""
    query = {"generator": generator} if generator else {}
    return list(Checkpoint.objects(**query).order_by("-sequence", "-created_at", "id").limit(limit))


def kept_names(generators: Iterable[str]) -> list[str]:
    """Names under which checkpoints are kept or may be.

    Parameters
    ----------
    generators
        Those of the generators that are installed; others that the store has checkpoints of come last.
    """
    known = [*generators, *SURROGATES]
    return [*known, *sorted(set(Checkpoint.objects.distinct("generator")) - set(known))]


def champion(generator: str, method: str | None = None) -> Checkpoint | None:
    """The checkpoint in use of a generator.

    Parameters
    ----------
    method
        Id of the Method whose labels it must have learned; without one the newest of all.
    """
    found = _of_state(generator, CheckpointState.CHAMPION)
    return next((one for one in found if method is None or _method(one) == method), None)


def promote(checkpoint_id: str) -> Checkpoint:
    """Make a checkpoint its generator's champion for the Method that it learned; the one before it is retired."""
    promoted = get(checkpoint_id)
    # promoted first and retired then: who asks in between finds a champion, the newer one
    promoted.update(set__state=CheckpointState.CHAMPION, set__promoted_at=now(), set__promoted_sequence=sequence.take())
    _retire_others(promoted)
    return get(checkpoint_id)


def rollback(generator: str) -> Checkpoint:
    """Put the champion before this one back; a repeat goes one further back.

    Of several Methods the one whose champion was promoted last; a rollback promotes nothing.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    last = _of_state(generator, CheckpointState.CHAMPION, CheckpointState.RETIRED).first()
    current = champion(generator, None if last is None else _method(last))
    retired = _of_state(generator, CheckpointState.RETIRED)
    before = next((one for one in retired if current is None or _came_before(one, current)), None)
    if before is None:
        raise NotFoundError(f"The generator {generator} has no earlier champion to go back to.")
    if current is not None:
        current.update(set__state=CheckpointState.RETIRED)
    before.update(set__state=CheckpointState.CHAMPION)
    return get(before.id)


def _of_state(generator: str, *states: CheckpointState) -> Any:
    return Checkpoint.objects(generator=generator, state__in=states).order_by(
        "-promoted_sequence", "-promoted_at", "-sequence", "-created_at", "id"
    )


def _method(one: Checkpoint) -> str | None:
    """Id of the Method whose labels it learned; None where its snapshot is gone."""
    found = Snapshot.objects(id=one.snapshot).only("method").first()
    return None if found is None else str(found.method)


def _came_before(one: Checkpoint, current: Checkpoint) -> bool:
    """Whether one was promoted before another, for the same Method."""
    earlier = current.promoted_at is None or sequence.is_after(
        current.promoted_sequence, current.promoted_at, one.promoted_sequence, one.promoted_at
    )
    return earlier and _method(one) == _method(current)


def _retire_others(champion: Checkpoint) -> None:
    """Retire the other champions of its generator and Method: energies and curves of two Methods do not compare."""
    method = _method(champion)
    for other in _of_state(champion.generator, CheckpointState.CHAMPION):
        if other.id != champion.id and _method(other) == method:
            other.update(set__state=CheckpointState.RETIRED)


def _read(checkpoint_id: str, name: str, digest: str) -> bytes:
    """Content of a stored file, checked."""
    stored = gridfs.GridFS(get_db(), BUCKET).find_one({"sha256": digest})
    if stored is None:
        raise NotFoundError(f"The checkpoint {checkpoint_id} lost its file {name}; retrain it.")
    try:
        content = bytes(stored.read())
    except CorruptGridFile:
        content = b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"The file {name} of checkpoint {checkpoint_id} is damaged; retrain it.")
    return content
