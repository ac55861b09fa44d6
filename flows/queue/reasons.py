"""Why a calculation ended without a result: what its steps left, what the queue caught, what lies in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from fermiloop.flows.engines.steps import isolation, native
from fermiloop.flows.queue.documents import launches
from fermiloop.flows.queue.launchpad import launchpad

LONGEST: Final = 500  # characters
CONSEQUENCES: Final = ("the step before failed", "the relaxation failed")  # of steps that had nothing to begin with


def reason_of(calculation: str) -> str:
    """Why a calculation has no result, in words."""
    failure = isolation.read_failure(calculation)
    if failure is not None:
        return f"{failure.step}: {failure.reason}"
    return caught_by_queue(calculation) or left_in_folder(calculation)


def caught_by_queue(calculation: str) -> str | None:
    """What FireWorks noted of the first of a calculation's jobs that failed; None where it noted nothing."""
    pad = launchpad()
    try:
        failures = launches.failures(pad, calculation)
    finally:
        pad.connection.close()
    found = [(failure.name, _exception(failure.trace)) for failure in failures]
    told = [f"{name}: {said}" for name, said in found if said and not any(words in said for words in CONSEQUENCES)]
    if told:
        return told[0][:LONGEST]
    lost = [name for name, said in found if not said]
    return f"{lost[0]}: its worker was lost, {_times(lost.count(lost[0]))}" if lost else None


def left_in_folder(calculation: str) -> str:
    """What a calculation's folder says where nobody said anything: its steps and how far each came."""
    folder = isolation.step_folder(calculation, "")
    steps = sorted((path for path in folder.glob("*") if path.is_dir()), key=lambda path: path.stat().st_mtime)
    if not steps:
        return f"it ended without a result, and its folder {folder} is empty"
    came = ", ".join(f"{step.name} {_state(step)}" for step in steps)
    return f"it ended without a result: {came}; see {folder}"


def _exception(trace: str) -> str:
    """Last line of the traceback that a run ended with, and nothing where it had none."""
    lines = [line.strip() for line in trace.strip().splitlines() if line.strip()]
    return lines[-1].removeprefix("fermiloop.platform.errors.") if lines else ""


def _state(step: Path) -> str:
    if (step / native.DOCUMENT).exists() or (step / isolation.OUTPUT).exists():
        return "was finished"
    tried = len(native.attempts(step))
    ended = [json.loads(line)["outcome"] for line in _lines(step / isolation.COST)]
    if ended:
        return f"was {ended[-1]} ({_times(len(ended))})" if len(ended) > 1 else f"was {ended[-1]}"
    return f"was begun {_times(tried)} and never ended" if tried else "was begun and never ended"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
