"""The one clock of all leases: the database server's. Clocks of hosts differ, some by minutes."""

from __future__ import annotations

from datetime import UTC, datetime

from fermiloop.platform.store import connection


def moment() -> datetime:
    """The database server's time, in UTC."""
    found: datetime = connection.database().client.admin.command("hello")["localTime"]
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
