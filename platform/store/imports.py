"""Imports: which batches are in already, and where a cut-off import goes on."""

from __future__ import annotations

from collections.abc import Iterable

from fermiloop.platform.store import aliases
from fermiloop.schemas.base import now
from fermiloop.schemas.import_batch import ImportBatch, ImportCursor


def seen(digest: str) -> ImportBatch | None:
    """The batch of a digest, where it was taken in and all its materials are still there."""
    found = ImportBatch.objects(id=digest).first()
    if found is None or len(aliases.resolve(found.materials)) != len(set(found.materials)):
        return None
    return found


def note(digest: str, *, source: str, materials: Iterable[str], n: int, refused: int) -> None:
    """Remember that a batch is wholly in the store."""
    ImportBatch(id=digest, source=source, materials=sorted(set(materials)), n=n, refused=refused).save()


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
