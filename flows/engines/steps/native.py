"""Steps that run another program by atomate2's own jobs: a folder of their own, cost, reason, never paid twice.

atomate2 runs its programs in the folder of the worker, where one calculation would read what another left.
Here every attempt at a step has a new folder, ``calculations/ID/STEP/attempt-N``; a finished step leaves its
task document in the step's folder, which a rerun takes up; and an attempt that was killed leaves its last
geometry to the next. A program that outlived its worker is ended, and what it had finished by then is read, not
computed again. What an attempt cost is its wall time on all the cores that the program says it ran on.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jobflow import Response
from pymatgen.core import Structure

from fermiloop.flows.engines.steps import documents, failures, isolation, orphans, wishes
from fermiloop.flows.engines.steps.geometry import with_moments_of
from fermiloop.platform.errors import EngineError

logger = logging.getLogger("fermiloop.flows")
DOCUMENT: Final = "document.json.gz"
ATTEMPT: Final = "attempt-"
# custodian counts wall time from the first run of a process unless this is gone
WALLTIME_VARIABLE: Final = "CUSTODIAN_WALLTIME_START"

Compute = Callable[[list[Path]], Response]  # folders of the attempts before, to the response of the job


@dataclass(frozen=True)
class Program:
    """What must be known of a program to account for its runs.

    Parameters
    ----------
    cores
        Number of cores that it says it ran on, from its output in a folder.
    told_by
        What it says of a failure, from its output in a folder; empty where it says nothing.
    is_whole
        Whether its output in a folder is that of a run which came to its end.
    """

    cores: Callable[[Path], int]
    told_by: Callable[[Path], str] = lambda _: ""
    is_whole: Callable[[Path], bool] = lambda _: False


def once(
    calculation: str,
    step: str,
    compute: Compute,
    program: Program,
    time_limit: float,
    read: Callable[[], Response] | None = None,
) -> Response:
    """Response of a step, from an earlier attempt where one finished.

    Parameters
    ----------
    compute
        Runs the program in the working folder; it is given the folders of the attempts before, first to last.
    time_limit
        Seconds that another process may hold the step for.
    read
        Reads the output of a run that came to its end in the working folder when its worker did not.

    Raises
    ------
    EngineError
        With the reason, if the program failed or its results are not to be used.
    """
    folder = isolation.step_folder(calculation, step)
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + time_limit + isolation.GRACE
    with wishes.heard(calculation) as wish, isolation.held(folder, deadline, wish):
        document = folder / DOCUMENT
        if document.exists():
            return Response(output=documents.load(document))
        before = attempts(folder)
        found = _left_whole(before, program, read)
        if found is not None:
            found.output = _keep(found.output, document)
            _end(folder, before[-1], program.cores, "done", until=_last_written(before[-1]))
            return found
        for left in before:
            _account_for(folder, left, program.cores)
        work = folder / f"{ATTEMPT}{len(before) + 1}"
        details = lambda: "" if wish.reason else program.told_by(work)  # noqa: E731
        with failures.told(calculation, step, details), _charged(folder, work, program):
            with _working_in(work), wishes.obeyed_in(work, wish):
                if wish.reason:
                    raise EngineError(wish.sentence)
                found = compute(before)
            found.output = _keep(found.output, document)
        return found


def _left_whole(before: list[Path], program: Program, read: Callable[[], Response] | None) -> Response | None:
    """What the last attempt had finished when its worker was killed; None where that cannot be used."""
    if not before or "outcome" in _note_of(before[-1]):
        return None
    orphans.end(before[-1])
    if read is None or not program.is_whole(before[-1]):
        return None
    try:
        with _inside(before[-1]):
            return read()
    except Exception as error:  # noqa: BLE001  (whatever is wrong with it, a new attempt follows)
        logger.warning("what %s left is not used: %s: %s", before[-1], type(error).__name__, error)
        return None


@contextlib.contextmanager
def _charged(folder: Path, work: Path, program: Program) -> Iterator[None]:
    """Note what an attempt cost, however it ends but by a kill."""
    try:
        yield
    except Exception:
        _end(folder, work, program.cores, "failed")
        raise
    except (KeyboardInterrupt, SystemExit):
        _end(folder, work, program.cores, "stopped")
        raise
    _end(folder, work, program.cores, "done")


def last_of(before: list[Path], read: Callable[[Path, Structure], Structure | None], like: Structure) -> Structure:
    """Geometry that the latest attempt left which left any, with the moments that were asked for; else `like`."""
    left = (read(folder, like) for folder in reversed(before))
    return next((with_moments_of(like, found) for found in left if found is not None), like)


def attempts(folder: Path) -> list[Path]:
    """Folders of all attempts at a step, first to last."""
    found = [path for path in folder.glob(f"{ATTEMPT}*") if path.name.removeprefix(ATTEMPT).isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix(ATTEMPT)))


def _keep(output: Any, document: Path) -> Any:
    return documents.keep(output, document)


def _account_for(folder: Path, work: Path, cores: Callable[[Path], int]) -> None:
    """Note what an attempt cost that was killed before it could: up to the last that it wrote."""
    if "outcome" not in _note_of(work):
        _end(folder, work, cores, "killed", until=_last_written(work))


def _last_written(work: Path) -> float:
    return max((path.stat().st_mtime for path in work.iterdir()), default=0.0)


def _end(folder: Path, work: Path, cores: Callable[[Path], int], outcome: str, until: float | None = None) -> None:
    end = until or time.time()
    began = float(_note_of(work).get("began", end))
    isolation.add_cost(folder, max(0.0, end - began) * max(1, cores(work)), outcome)
    isolation.write_atomically(_note(work), json.dumps({"began": began, "outcome": outcome}))


def _note(work: Path) -> Path:
    """Where it is written when an attempt began: beside its folder, in which atomate2 compresses all that it finds."""
    return work.with_name(f"{work.name}.json")


def _note_of(work: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_note(work).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


@contextlib.contextmanager
def _working_in(work: Path) -> Iterator[None]:
    work.mkdir()
    isolation.write_atomically(_note(work), json.dumps({"began": time.time()}))
    os.environ.pop(WALLTIME_VARIABLE, None)
    with _inside(work):
        yield


@contextlib.contextmanager
def _inside(work: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(work)
    try:
        yield
    finally:
        os.chdir(before)
