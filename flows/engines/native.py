"""Steps that run another program by atomate2's own jobs: a folder of their own, cost, reason, never paid twice.

atomate2 runs its programs in the folder of the worker, where one calculation would read what another left.
Here every attempt at a step has a new folder, ``calculations/ID/STEP/attempt-N``; a finished step leaves its
task document in the step's folder, which a rerun takes up; and an attempt that was killed leaves its last
geometry to the next. What an attempt cost is its wall time on all the cores that the program says it ran on.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from jobflow import Response
from monty.serialization import dumpfn, loadfn
from pymatgen.core import Structure

from fermiloop.flows.engines import isolation
from fermiloop.platform.errors import EngineError

DOCUMENT: Final = "document.json.gz"
ATTEMPT: Final = "attempt-"
# custodian counts wall time from the first run of a process unless this is gone
WALLTIME_VARIABLE: Final = "CUSTODIAN_WALLTIME_START"

Compute = Callable[[list[Path]], Response]  # folders of the attempts before, to the response of the job


def once(calculation: str, step: str, compute: Compute, cores: Callable[[Path], int], time_limit: float) -> Response:
    """Response of a step, from an earlier attempt where one finished.

    Parameters
    ----------
    compute
        Runs the program in the working folder; it is given the folders of the attempts before, first to last.
    cores
        Number of cores that a program says it ran on, from its output in a folder.
    time_limit
        Seconds that another process may hold the step for.

    Raises
    ------
    EngineError
        With the reason, if the program failed or its results are not to be used.
    """
    folder = isolation.step_folder(calculation, step)
    folder.mkdir(parents=True, exist_ok=True)
    with isolation.held(folder, time.monotonic() + time_limit + isolation.GRACE):
        document = folder / DOCUMENT
        if document.exists():
            return Response(output=loadfn(document))
        (folder / isolation.FAILURE).unlink(missing_ok=True)
        before = attempts(folder)
        for left in before:
            _account_for(folder, left, cores)
        work = folder / f"{ATTEMPT}{len(before) + 1}"
        try:
            with _working_in(work):
                response = compute(before)
            _keep(response.output, document)
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
            isolation.write_atomically(folder / isolation.FAILURE, json.dumps({"reason": reason}))
            _end(folder, work, cores, "failed")
            raise EngineError(f"The {step} of {calculation} failed: {reason}.") from error
        _end(folder, work, cores, "done")
        return response


def last_of(before: list[Path], read: Callable[[Path, Structure], Structure | None], like: Structure) -> Structure:
    """Geometry that the latest attempt left which left any; the one that was asked for where none did."""
    left = (read(folder, like) for folder in reversed(before))
    return next((found for found in left if found is not None), like)


def attempts(folder: Path) -> list[Path]:
    """Folders of all attempts at a step, first to last."""
    found = [path for path in folder.glob(f"{ATTEMPT}*") if path.name.removeprefix(ATTEMPT).isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix(ATTEMPT)))


def _keep(output: Any, document: Path) -> None:
    partial = document.with_name(f"part-{document.name}")
    dumpfn(output, partial)
    partial.replace(document)


def _account_for(folder: Path, work: Path, cores: Callable[[Path], int]) -> None:
    """Note what an attempt cost that was killed before it could: up to the last that it wrote."""
    if "outcome" not in _note_of(work):
        last = max((path.stat().st_mtime for path in work.iterdir()), default=0.0)
        _end(folder, work, cores, "killed", until=last)


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
    before = Path.cwd()
    os.chdir(work)
    try:
        yield
    finally:
        os.chdir(before)
