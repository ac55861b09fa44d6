"""Signals: what ends a command, besides the keyboard, ends it in the same orderly way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any, Final

# the end of a job of a cluster, and of the terminal, unless nohup keeps that away
STOPPING: Final = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def as_interrupts() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for Ctrl-C, in the main thread, which alone gets signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = {kind: signal.getsignal(kind) for kind in STOPPING}
    for kind, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(kind, stop)
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
