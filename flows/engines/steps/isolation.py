"""Numerical work in a process of its own: time limit, crash, memory, and never paid for twice.

Each step of a calculation has a folder. The child process locks it, reads ``input.json``, works, and
writes ``output.json`` in one move before anybody is told. A rerun takes an output that is there; waits
for a child that outlived its worker; and else begins again. What every attempt cost is in ``cost.jsonl``.

A child outlives a worker that is killed. One that is interrupted, or an evaluation that is told to stop
(`wishes`), ends its child.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fermiloop.flows.engines.steps import beat, orphans, warm, wishes
from fermiloop.flows.engines.steps.children import LOG, Child, FreshChild
from fermiloop.platform.errors import EngineError
from fermiloop.platform.settings import settings

INPUT, OUTPUT, FAILURE, FAILURE_LOG, COST, LOCK = (
    "input.json",
    "output.json",
    "failure.json",
    "failure.log",
    "cost.jsonl",
    "lock",
)
BUSY: Final = 75  # exit code of a child that found the folder locked
POLL: Final = 0.1  # s
NO_LOCKS: Final = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)  # a folder whose files have none
PATIENCE: Final = 3.0  # s that a child which is told to stop may take
GRACE: Final = 30.0  # s that an orphan may take beyond its limit


@dataclass(frozen=True)
class Failure:
    """Why a step gave no output."""

    step: str
    reason: str


def step_folder(calculation: str, step: str) -> Path:
    """Folder of one step of a calculation."""
    return settings().data_dir.expanduser() / "calculations" / calculation / step


def run(calculation: str, step: str, task: Mapping[str, Any], time_limit: float) -> dict[str, Any]:
    """Output of a task, from an earlier attempt where there is one.

    Parameters
    ----------
    task
        JSON-ready: ``kind`` names an entry of `child.TASKS` or the place of a function, the rest are its arguments.
    time_limit
        Seconds of wall time.

    Raises
    ------
    EngineError
        With the reason, if the child failed, crashed, ran out of its time or was told to stop, or the disk is full.
    """
    folder = step_folder(calculation, step)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / INPUT, json.dumps({**task, "time_limit": time_limit}))
    except OSError as error:
        raise EngineError(_disk_sentence(folder, error)) from None
    try:
        with wishes.heard(calculation) as wish:
            done, reason = _worked(folder, str(task["kind"]), time_limit, wish)
    except (KeyboardInterrupt, SystemExit):
        end_orphans(folder)  # one of an earlier attempt, too, that this one was waiting for
        raise
    if done is None:
        write_atomically(folder / FAILURE, json.dumps({"reason": reason}))
        if not (folder / FAILURE_LOG).exists():  # the child was ended before it could write one
            (folder / FAILURE_LOG).write_text(f"{reason}\n\n{_said(folder)}", encoding="utf-8")
        raise EngineError(f"The {step} of {calculation} failed: {reason}.")
    return done


def _worked(folder: Path, kind: str, time_limit: float, wish: wishes.Wish) -> tuple[dict[str, Any] | None, str]:
    """Output of a step's folder, or why there is none."""
    deadline = time.monotonic() + time_limit + GRACE
    while True:
        with held(folder, deadline, wish):
            beat.wait_for_others(folder, lambda place: read_output(place) is not None or bool(wish.reason))
            done = read_output(folder)
        if done is not None:
            return done, ""
        if wish.reason:
            end_orphans(folder)
            return read_output(folder), wish.sentence
        for name in (FAILURE, FAILURE_LOG):
            (folder / name).unlink(missing_ok=True)
        code = _attempt(folder, kind, time_limit, wish)
        if code != BUSY:
            break
    return read_output(folder), wish.sentence if wish.reason else _reason(folder, code, time_limit)


def read_output(folder: Path) -> dict[str, Any] | None:
    """What a finished child left, None where there is nothing whole."""
    try:
        return dict(json.loads((folder / OUTPUT).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def read_failure(calculation: str) -> Failure | None:
    """First step of a calculation that failed, with its reason."""
    for path in sorted(step_folder(calculation, "").glob(f"*/{FAILURE}"), key=lambda p: p.stat().st_mtime):
        try:
            return Failure(path.parent.name, json.loads(path.read_text(encoding="utf-8"))["reason"])
        except (OSError, ValueError, KeyError):
            return Failure(path.parent.name, "its reason could not be read")
    return None


def failure_logs(calculation: str) -> dict[str, str]:
    """What each failed step of a calculation left of its failure, with its traceback, by step."""
    paths = sorted(step_folder(calculation, "").glob(f"*/{FAILURE_LOG}"), key=lambda path: path.stat().st_mtime)
    return {path.parent.name: path.read_text(encoding="utf-8", errors="replace") for path in paths}


def forget_failure(calculation: str) -> None:
    """Let a calculation that failed be tried again: what its finished steps left is kept."""
    for name in (FAILURE, FAILURE_LOG):
        for path in step_folder(calculation, "").glob(f"*/{name}"):
            path.unlink(missing_ok=True)


def forget_lacking(calculation: str) -> None:
    """Let a step be done again whose output says that a property is missing: what else lies in its folder is kept."""
    for path in step_folder(calculation, "").glob(f"*/{OUTPUT}"):
        if (read_output(path.parent) or {}).get("missing"):
            path.unlink(missing_ok=True)


def core_seconds(calculation: str) -> float:
    """Processor time of all attempts at all steps of a calculation."""
    return sum(cost for path in step_folder(calculation, "").glob(f"*/{COST}") for cost in _costs(path))


def attempts(calculation: str) -> int:
    """How many children have ended for a calculation, whatever came of them."""
    return sum(len(_costs(path)) for path in step_folder(calculation, "").glob(f"*/{COST}"))


def add_cost(folder: Path, seconds: float, outcome: str) -> None:
    """Note what an attempt cost."""
    with (folder / COST).open("a", encoding="utf-8") as ledger:
        ledger.write(json.dumps({"core_seconds": round(seconds, 4), "outcome": outcome}) + "\n")


def end_orphans(folder: Path) -> None:
    """End what works in a step's folder without a worker that waits for it, and note what it had cost."""
    noted = len(ledger(folder))
    spent = sum(orphans.looked_up(pid)[1] for pid in orphans.working_in(folder))
    if orphans.end(folder, orphans.SHORT) and len(ledger(folder)) == noted:
        add_cost(folder, spent, "stopped")


def write_atomically(path: Path, text: str, *, through: bool = True) -> None:
    """Write a whole file or nothing; through to the disk, unless it may be lost where the machine itself goes down.

    Others may write the same file at the same time, in folders that workers share: the last one stays.
    """
    partial = path.with_name(f"{path.stem}-{uuid.uuid4().hex}.part")
    try:
        with partial.open("w", encoding="utf-8") as out:
            out.write(text)
            if through:
                out.flush()
                os.fsync(out.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def held(folder: Path, deadline: float, wish: wishes.Wish | None = None) -> Iterator[None]:
    """Hold a step's folder, once no other process does.

    Parameters
    ----------
    deadline
        On the monotonic clock, s.
    wish
        Should it be to stop, a process that outlived its worker and holds the folder is ended.

    Raises
    ------
    EngineError
        If another process holds it beyond that.
    """
    with (folder / LOCK).open("a", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno in NO_LOCKS:
                    break  # the claim in the database and `beat` are what keeps others out
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            if wish is not None and wish.reason:
                end_orphans(folder)
            if time.monotonic() > deadline:
                raise EngineError(f"Another process holds {folder} beyond its time limit; end it and rerun.")
            time.sleep(POLL)
        yield


def ledger(step: Path) -> list[tuple[float, str]]:
    """Cost (core-seconds) and outcome of each attempt at a step that has ended; none where that cannot be read."""
    try:
        rows = [json.loads(line) for line in (step / COST).read_text(encoding="utf-8").splitlines()]
        return [(float(row["core_seconds"]), str(row["outcome"])) for row in rows]
    except (OSError, ValueError, KeyError):
        return []


def _costs(path: Path) -> list[float]:
    return [cost for cost, _ in ledger(path.parent)]


def _attempt(folder: Path, kind: str, time_limit: float, wish: wishes.Wish) -> int:
    """Run one child to its end; its exit code, negative for a signal."""
    noted = len(ledger(folder))
    child = _started(folder, kind, noted)
    deadline, outcome = time.monotonic() + time_limit, "killed"
    try:
        while not child.wait(POLL):
            if time.monotonic() > deadline:
                outcome = "out of time"
                _end(child, 0.0)
                return -signal.SIGALRM
            if wish.reason:
                outcome = "stopped"
                _end(child, PATIENCE)
    except BaseException:
        outcome = "stopped"
        _end(child, PATIENCE)
        raise
    finally:
        # one that ends by itself notes its cost, however it does
        if child.returncode is not None and child.returncode < 0 and len(ledger(folder)) == noted:
            add_cost(folder, child.core_seconds, outcome)
    return int(child.returncode or 0)


def _started(folder: Path, kind: str, noted: int) -> Child:
    """A child at work; one that was begun but is not known here yet when this process is interrupted is ended."""
    try:
        return warm.start(folder, kind) or FreshChild(folder)
    except (KeyboardInterrupt, SystemExit):
        end_orphans(folder)
        if len(ledger(folder)) == noted:
            add_cost(folder, 0.0, "stopped")
        raise


def _end(child: Child, patience: float) -> None:
    """End a child and all that it has started: asked for so many seconds, then killed."""
    if patience:
        _signal(child, signal.SIGTERM)
        child.wait(patience)
    _signal(child, signal.SIGKILL)  # what it had started may be left
    while not child.wait(POLL):
        _signal(child, signal.SIGKILL)


def _signal(child: Child, how: signal.Signals) -> None:
    for send in (os.killpg, os.kill) if child.returncode is None else (os.killpg,):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(child.pid, how)


def _reason(folder: Path, code: int, time_limit: float) -> str:
    try:
        return str(json.loads((folder / FAILURE).read_text(encoding="utf-8"))["reason"])
    except (OSError, ValueError, KeyError):
        pass
    if code == -signal.SIGALRM:
        return f"ran out of its {time_limit:g} s"
    if code == -signal.SIGKILL:
        return "was killed, perhaps for lack of memory"
    if code < 0:
        return f"crashed with signal {-code} ({signal.Signals(-code).name})"
    lines = _said(folder).strip().splitlines()
    return f"ended with code {code}: {lines[-1][-300:] if lines else 'it said nothing'}"


def _said(folder: Path) -> str:
    """What a child has printed; nothing where none was started."""
    try:
        return (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _disk_sentence(folder: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk that holds {folder} is full; free some space and rerun."
    return f"The folder {folder} cannot be written: {error.strerror}."
