"""Quarantine: what was refused, with its reason."""

from __future__ import annotations

from fermiloop.schemas.base import content_id
from fermiloop.schemas.quarantine import EXCERPT, Quarantine


def put(source: str, line: int | None, reason: str, excerpt: str) -> str:
    """Keep refused input; the same line of the same source is one document."""
    entry = Quarantine(
        id=content_id("q", source, line, excerpt[:EXCERPT]),
        source=source,
        line=line,
        reason=reason,
        excerpt=excerpt[:EXCERPT],
    )
    entry.check()
    entry.save()
    return str(entry.id)


def find(source: str | None = None, limit: int = 100) -> list[Quarantine]:
    """Refused input, newest first."""
    query = {"source": source} if source else {}
    return list(Quarantine.objects(**query).order_by("-created_at", "id").limit(limit))
