"""Why a step gave no result: in ``failure.json`` in one sentence, in ``failure.log`` with all that is known."""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError

LONGEST: Final = 500  # characters of a reason


@contextlib.contextmanager
def told(calculation: str, step: str, details: Callable[[], str] = str) -> Iterator[None]:
    """Whatever fails within is written down in the step's folder, and goes on as an `EngineError` with its reason.

    Parameters
    ----------
    details
        What the program itself said of a failure; empty where it said nothing.

    Raises
    ------
    EngineError
        With the reason.
    """
    folder = isolation.step_folder(calculation, step)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (isolation.FAILURE, isolation.FAILURE_LOG):
        (folder / name).unlink(missing_ok=True)
    try:
        yield
    except Exception as error:
        reason = write(folder, error, _safely(details))
        raise EngineError(f"The {step} of {calculation} failed: {reason}.") from error


def write(folder: Path, error: BaseException, details: str = "") -> str:
    """Leave reason and traceback of an error in a step's folder; the reason.

    An error of our own is a sentence; any other is named.
    """
    said = " ".join(str(error).split()).rstrip(".")
    sentence = said if isinstance(error, EngineError) else f"{type(error).__name__}: {said}"
    reason = f"{sentence}; {details}" if details and details not in sentence else sentence
    reason = reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1]}…"
    trace = "".join(traceback.format_exception(error))
    with contextlib.suppress(OSError):  # of a full disk, of which the queue will tell
        (folder / isolation.FAILURE_LOG).write_text(f"{reason}\n{details}\n\n{trace}", encoding="utf-8")
        isolation.write_atomically(folder / isolation.FAILURE, json.dumps({"reason": reason}))
    return reason


def _safely(details: Callable[[], str]) -> str:
    """Details of a failure; none where asking for them fails too, so that the first error is the one told."""
    try:
        return " ".join(details().split())
    except Exception:  # noqa: BLE001
        return ""
