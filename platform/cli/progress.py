"""Progress of long work: a bar on a terminal, one plain line a step elsewhere, always on stderr."""

from __future__ import annotations

import io
import logging
import sys
import time
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Discarded(io.TextIOBase):
    """Takes what libraries print (CHGNet greets, ASE logs): it would spoil JSON on stdout."""

    def write(self, text: str) -> int:
        """Hand a line to the log, which shows it under --debug."""
        if text.strip():
            logging.getLogger(__name__).debug(text.rstrip())
        return len(text)


@contextmanager
def long_work(title: str, quiet_for: float = 0.0) -> Iterator[Callable[[str, float], None]]:
    """Show the progress of what runs inside.

    Parameters
    ----------
    title
        What is done.
    quiet_for
        Seconds from its beginning without lines: what ends at once needs none.

    Yields
    ------
    report
        Takes the name of the step at work and the fraction done, 0 to 1.
    """
    shown = _bar(title) if sys.stderr.isatty() else _lines(title, quiet_for)
    with shown as report, redirect_stdout(Discarded()):
        yield report


@contextmanager
def _bar(title: str) -> Iterator[Callable[[str, float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(title, total=1.0)

        def report(step: str, fraction: float) -> None:
            bar.update(task, description=f"{title}: {step}", completed=min(max(fraction, 0.0), 1.0))

        yield report


@contextmanager
def _lines(title: str, quiet_for: float) -> Iterator[Callable[[str, float], None]]:
    last, begin = "", time.monotonic() + quiet_for

    def report(step: str, fraction: float) -> None:  # noqa: ARG001 a line says the step; only the bar shows how far
        nonlocal last
        if step != last and time.monotonic() >= begin:
            last = step
            sys.stderr.write(f"{title}: {step}\n")
            sys.stderr.flush()

    yield report
