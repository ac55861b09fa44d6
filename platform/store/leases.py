"""Leases: a right that one process at a time has, taken by compare-and-set, until it runs out.

Whether it has run out is judged by the clock of the database server alone: clocks of hosts may be minutes off, and a
host that is fast would take what others still hold, one that is slow would lose what it holds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mongoengine import NotUniqueError, QuerySet, get_db
from pymongo import MongoClient

from fermiloop.schemas.schedule import Lease


def server_time(client: MongoClient[Any] | None = None) -> datetime:
    """Return this moment by the clock of the database server, in UTC; of another client's server where one is given."""
    told: datetime = (client or get_db().client).admin.command("hello")["localTime"]
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def take(name: str, holder: str, seconds: float, *, renew: bool = True) -> bool:
    """Take a lease; False where another holds it.

    Parameters
    ----------
    renew
        Whether its holder may take it again before it has run out; where not, a holder that was killed and started
        again under the same name waits as all others do.
    """
    moment = server_time()
    until = moment + timedelta(seconds=seconds)
    current = Lease.objects(id=name).first()
    if current is None:
        try:
            Lease(id=name, holder=holder, until=until).save(force_insert=True)
        except NotUniqueError:
            return False
        return True
    if current.until > moment and not (renew and current.holder == holder):
        return False
    same = Lease.objects(id=name, holder=current.holder, until=current.until)
    return bool(same.update(set__holder=holder, set__until=until))


def give_back(name: str, holder: str) -> None:
    """Let others have it at once."""
    _delete(Lease.objects(id=name, holder=holder))


def end(name: str) -> None:
    """End a lease, no matter who holds it: what it was for is done."""
    _delete(Lease.objects(id=name))


def _delete(found: QuerySet) -> None:
    """Delete what is there: the native embedded server fails where a collection that never was is deleted from."""
    if found.first() is not None:
        found.delete()


def holder(name: str) -> str | None:
    """Who has it now, None where nobody does."""
    current = Lease.objects(id=name).first()
    return current.holder if current is not None and current.until > server_time() else None
