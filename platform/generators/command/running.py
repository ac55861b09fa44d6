"""One run of another program in a folder: bounded in time and bytes, ended with all that it has started."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.settings import settings, without_secrets

FOLDER: Final = "FERMILOOP_FOLDER"
STDOUT, STDERR = "stdout.txt", "stderr.txt"
POLL: Final = 0.05  # s, of the end
LOOK_EVERY: Final = 0.5  # s, of what it has written
MOST_FILES: Final = 2000
TAIL: Final = 300  # characters of the standard error that a reason repeats
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Bounds:
    """What one run may take: seconds of wall time, and bytes beside what its folder held before."""

    seconds: float
    most_bytes: int


def run(words: Sequence[str], folder: Path, bounds: Bounds, progress: Callable[[float], None] | None = None) -> float:
    """Run a program in a folder, which is its last argument; wall time in seconds.

    Parameters
    ----------
    progress
        Told the share of the time limit that is gone; an exception out of it ends the program.

    Raises
    ------
    InputError
        If it cannot be started, runs out of its time, writes too much, or ends with another exit code than 0.
    """
    before, began = usage(folder), time.monotonic()
    process = _start([*words, str(folder)], folder, environment(folder))
    try:
        reason = _watch(process, folder, before, bounds, progress)
    finally:
        _end(process)
    reason = reason or _excess(folder, before, bounds.most_bytes) or _ended_badly(process.returncode)
    if reason is not None:
        raise InputError(f"The command {named(words)} {reason}{_said(folder)}")
    return time.monotonic() - began


def environment(folder: Path) -> dict[str, str]:
    """Environment of a program: no account of a database, no key, as many threads as the settings say."""
    threads = dict.fromkeys(THREADS, str(settings().threads))
    return {**without_secrets(os.environ), **threads, FOLDER: str(folder)}


def named(words: Sequence[str]) -> str:
    """A program as errors call it: its first words, cut where they are long."""
    text = " ".join(words)
    return text if len(text) <= 120 else f"{text[:119]}…"


def usage(folder: Path) -> tuple[int, int]:
    """Bytes and number of all files in a folder, links not followed; the count ends soon after `MOST_FILES`."""
    size = number = 0
    for entry in _entries(folder):
        number += 1
        with contextlib.suppress(OSError):
            found = entry.stat(follow_symlinks=False)
            size += found.st_size if stat.S_ISREG(found.st_mode) else 0
        if number > 2 * MOST_FILES:
            break
    return size, number


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder."""
    left = [str(folder)]
    while left:
        with contextlib.suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)


def _start(words: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        with (folder / STDOUT).open("wb") as out, (folder / STDERR).open("wb") as err:
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment,
                start_new_session=True,
            )  # fmt: skip
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"The command {named(words[:-1])} cannot be started: {why.lower()}; check its path.") from None


def _watch(
    process: subprocess.Popen[bytes],
    folder: Path,
    before: tuple[int, int],
    bounds: Bounds,
    progress: Callable[[float], None] | None,
) -> str | None:
    """Wait for the end; why a program must be ended before it."""
    began = looked = time.monotonic()
    while process.poll() is None:
        now = time.monotonic()
        if now - began > bounds.seconds:
            return f"ran out of its {bounds.seconds:g} s (raise the option time_limit, or propose less)"
        if now - looked > LOOK_EVERY:
            if (reason := _excess(folder, before, bounds.most_bytes)) is not None:
                return reason
            if progress is not None:
                progress(min(0.99, (now - began) / bounds.seconds))
            looked = time.monotonic()
        time.sleep(POLL)
    return None


def _excess(folder: Path, before: tuple[int, int], most_bytes: int) -> str | None:
    size, number = usage(folder)
    if size - before[0] > most_bytes:
        return f"wrote more than {most_bytes} bytes (raise the option most_bytes, or write less)"
    if number - before[1] > MOST_FILES:
        return f"wrote more than {MOST_FILES} files (write one file with many crystals)"
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program, and what it has started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ended_badly(code: int) -> str | None:
    if code < 0:
        return f"was ended by signal {-code} ({signal.strsignal(-code) or 'unknown'})"
    return f"ended with exit code {code}" if code else None


def _said(folder: Path) -> str:
    """The end of the standard error, as the end of a sentence."""
    try:
        with (folder / STDERR).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4 * TAIL))
            text = file.read(4 * TAIL).decode("utf-8", "replace")
    except OSError:
        text = ""
    shown = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f"; the end of its standard error: {shown[-TAIL:].rstrip('.')}." if shown else "."
