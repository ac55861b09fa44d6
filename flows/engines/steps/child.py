"""The child process of a step: ``python -m fermiloop.flows.engines.steps.child FOLDER``."""

from __future__ import annotations

import fcntl
import json
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from fermiloop.flows.engines.steps import beat, failures, isolation, tasks
from fermiloop.platform.plugins.declaration import load

Task = Callable[[dict[str, Any], Path], dict[str, Any]]  # arguments and folder of a step, to its output
TASKS: Final[dict[str, Task]] = {
    "gpaw_relax": tasks.gpaw_relax,
    "gpaw_static": tasks.gpaw_static,
    "chgnet_relax": tasks.chgnet_relax,
    "chgnet_static": tasks.chgnet_static,
    "analytic_relax": tasks.analytic_relax,
    "analytic_static": tasks.analytic_static,
}


def main(folder: Path) -> int:
    """Do the task of a folder; exit code 0 when its output is there."""
    with (folder / isolation.LOCK).open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in isolation.NO_LOCKS:
                return isolation.BUSY
        if isolation.read_output(folder) is not None:
            return 0
        task = json.loads((folder / isolation.INPUT).read_text(encoding="utf-8"))
        # Should the worker that minds the time be killed, the child still ends.
        signal.alarm(int(task.pop("time_limit")) + 5)
        with beat.beating(folder):
            return _work(task, folder)


def task_of(kind: str) -> Task:
    """A task by its name, or by its place ``"package.module:function"``: that of an engine in another package."""
    return TASKS[kind] if kind in TASKS else cast("Task", load(kind))


def _work(task: dict[str, Any], folder: Path) -> int:
    try:
        output = task_of(task.pop("kind"))(task, folder)
        outcome = "done"
    except Exception as error:  # noqa: BLE001  (whatever the engine raises is the reason of the failure)
        output, outcome = None, "failed"
        failures.write(folder, error)
    if output is not None:
        isolation.write_atomically(folder / isolation.OUTPUT, json.dumps(output))
    isolation.add_cost(folder, _core_seconds(), outcome)
    return 0 if output is not None else 1


def _core_seconds() -> float:
    """Processor time of this process and of the programs that it ran; `os.times` counts in hundredths."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
