"""Leases: a right that one process at a time has, taken by compare-and-set, until it runs out."""

from __future__ import annotations

from datetime import timedelta

from mongoengine import NotUniqueError

from fermiloop.schemas.base import now
from fermiloop.schemas.schedule import Lease


def take(name: str, holder: str, seconds: float) -> bool:
    """Take or renew a lease; False where another holds it."""
    until = now() + timedelta(seconds=seconds)
    current = Lease.objects(id=name).first()
    if current is None:
        try:
            Lease(id=name, holder=holder, until=until).save(force_insert=True)
        except NotUniqueError:
            return False
        return True
    if current.holder != holder and current.until > now():
        return False
    same = Lease.objects(id=name, holder=current.holder, until=current.until)
    return bool(same.update(set__holder=holder, set__until=until))


def give_back(name: str, holder: str) -> None:
    """Let others have it at once."""
    Lease.objects(id=name, holder=holder).delete()


def holder(name: str) -> str | None:
    """Who has it now, None where nobody does."""
    current = Lease.objects(id=name).first()
    return current.holder if current is not None and current.until > now() else None
