"""Quarantine: what was refused, with its reason."""

from __future__ import annotations

from fermiloop.schemas.base import content_id
from fermiloop.schemas.quarantine import EXCERPT, Quarantine


def put(source: str, line: int | None, reason: str, excerpt: str) -> str:
    """Keep refused input; the same line of the same source is one document."""
    source, reason, excerpt = (_storable(text) for text in (source, reason, excerpt[:EXCERPT]))
    entry = Quarantine(
        id=content_id("q", source, line, excerpt), source=source, line=line, reason=reason, excerpt=excerpt
    )
    entry.check()
    entry.save()
    return str(entry.id)


def find(source: str | None = None, limit: int = 100) -> list[Quarantine]:
    """Refused input, newest first."""
    query = {"source": source} if source else {}
    return list(Quarantine.objects(**query).order_by("-created_at", "id").limit(limit))


def _storable(text: str) -> str:
    """The text without halves of characters, which undecodable bytes leave and no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
