"""Workers: processes that do what waits in the queue of a database, here or on other machines."""

from __future__ import annotations

from fermiloop.platform.app import queue as app
from fermiloop.platform.errors import InputError
from fermiloop.platform.python.connecting import connected

__all__ = ["listening", "run"]


def run(n: int = 1, *, until_idle: bool = True) -> None:
    """Run `n` workers until nothing is left to do, or until they are stopped by a signal.

    Parameters
    ----------
    until_idle
        Whether this call returns once nothing is left to do; otherwise they work until a signal.

    Raises
    ------
    InputError
        If `n` is not positive.
    """
    if n < 1:
        raise InputError(f"{n} workers do nothing; ask for at least 1.")
    connected()
    app.run_workers(n, until_idle=until_idle)


def listening() -> list[str]:
    """Names of the workers that listen to this database, on any machine, the oldest first."""
    connected()
    return [str(one.id) for one in app.listeners()]
