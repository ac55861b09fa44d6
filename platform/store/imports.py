"""Imports: which batches are in already, and where a cut-off import goes on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fermiloop.platform.store import aliases
from fermiloop.schemas.base import now
from fermiloop.schemas.import_batch import ImportBatch, ImportCursor


def seen(digest: str) -> ImportBatch | None:
    """The batch of a digest, where it was taken in and all its materials are still there."""
    found = ImportBatch.objects(id=digest).first()
    if found is None or len(aliases.resolve(found.materials)) != len(set(found.materials)):
        return None
    return found


def note(
    digest: str,
    *,
    source: str,
    materials: Iterable[str],
    n: int,
    refused: int,
    answers: Iterable[dict[str, Any]] = (),
    added: Iterable[str] = (),
) -> None:
    """Remember that a batch is wholly in the store, with what its entries say and the labels that were new with it."""
    ids = sorted(set(materials))
    ImportBatch(
        id=digest, source=source, materials=ids, n=n, refused=refused, answers=list(answers), added=list(added)
    ).save()


def answers_of(digests: Iterable[str]) -> dict[str, ImportBatch]:
    """Batches with what their entries say, by digest."""
    return {str(found.id): found for found in ImportBatch.objects(id__in=sorted(set(digests)))}


def add_labels(digest: str, labels: Iterable[str]) -> None:
    """Remember labels that a batch added after it was noted."""
    ImportBatch.objects(id=digest).update(add_to_set__added=list(labels))


def cursor(run: str) -> str | None:
    """Where the import of this id was cut off; None where it was not."""
    found = ImportCursor.objects(id=run).first()
    return str(found.cursor) if found else None


def move_cursor(run: str, source: str, cursor: str | None) -> None:
    """Note where the import goes on, or with None that it came to its end."""
    if cursor is None:
        ImportCursor.objects(id=run).delete()
    else:
        ImportCursor(id=run, source=source, cursor=cursor, updated_at=now()).save()
