"""Workers that listen: each says so every few seconds, by the clock of the database server."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fermiloop.platform.store import leases
from fermiloop.schemas.worker import Worker

SILENT: Final = 30.0  # s after which a worker is no longer said to listen
FORGOTTEN: Final = 86_400.0  # s


def note(name: str, host: str, pid: int, doing: str) -> None:
    """Say that a worker listens, and what it does."""
    moment = leases.server_time()
    Worker.objects(id=name).update_one(
        set__host=host, set__pid=pid, set__doing=doing, set__last=moment, set_on_insert__since=moment, upsert=True
    )
    Worker.objects(last__lt=moment - timedelta(seconds=FORGOTTEN)).delete()


def forget(name: str) -> None:
    """Forget a worker that has ended."""
    Worker.objects(id=name).delete()


def listening() -> list[Worker]:
    """Workers that were heard of in the last half minute, the oldest first."""
    after = leases.server_time() - timedelta(seconds=SILENT)
    return list(Worker.objects(last__gte=after).order_by("since", "id"))


def sentence(n: int) -> str:
    """How many workers listen, and what to type where none does."""
    if n == 0:
        return "No worker listens, so nothing begins yet; fermiloop worker run -n 2 starts two."
    return f"{number_of(n)} listen{'' if n > 1 else 's'}."


def number_of(n: int) -> str:
    """So many workers, in words."""
    return f"{n} worker{'' if n == 1 else 's'}"
