"""Beat: who works at a step says so in its folder, where files cannot be locked or the lock is another host's.

The claim in the database is of workers. A child outlives its worker, so a file tells that it still works: it changes
all the time. The next worker waits until there is an output, or the file has not changed for a while.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from fermiloop.flows.processes.heartbeat import Watch
from fermiloop.flows.processes.identity import is_gone, worker_name

FILE: Final = "alive.json"
SECONDS: Final = 4.0  # between two beats
SILENT: Final = 30.0  # s; a shared folder shows a change some seconds late
LOOK: Final = 0.5  # s


def wait_for_others(folder: Path, is_done: Callable[[Path], bool], watch: Watch | None = None) -> None:
    """Wait until no other process works in a folder, or one has finished there."""
    watch = watch or Watch()
    while not is_done(folder):
        found = _read(folder)
        if found is None or is_gone(str(found.get("by"))):
            return
        if watch.unchanged("beat", repr(found)) > SILENT:
            return
        time.sleep(LOOK)


@contextlib.contextmanager
def beating(folder: Path) -> Iterator[None]:
    """Say that this process works in a folder, until it does not."""
    stop, path = threading.Event(), folder / FILE

    def beat() -> None:
        number = 0
        while True:
            with contextlib.suppress(OSError):  # a full disk is the work's to tell
                partial = path.with_suffix(".part")
                partial.write_text(json.dumps({"by": worker_name(), "beat": number}), encoding="utf-8")
                partial.replace(path)
            number += 1
            if stop.wait(SECONDS):
                return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SECONDS)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
