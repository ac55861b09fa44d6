"""What a program was: its words, the hashes of its files, and what it says of its version."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.command.running import environment, named

VERSION_SECONDS: Final = 60.0
LONGEST_LINE: Final = 200
MOST_HASHED: Final = 2_000_000_000  # bytes of one file; a larger one is named without a hash
CHUNK: Final = 1 << 20


def of(words: Sequence[str], version: Sequence[str], folder: Path) -> dict[str, Any]:
    """Lineage of a program, JSON-ready: ``command``, ``files`` (path to sha256), ``version``.

    Parameters
    ----------
    words
        The program with its arguments.
    version
        Program that prints a version; empty for none.
    folder
        Where it is run.

    Raises
    ------
    InputError
        If the program is not found, or that of its version fails.
    """
    found: dict[str, Any] = {"command": list(words), "files": [[path, hashed(Path(path))] for path in _files(words)]}
    if version:
        found["version"] = _version(version, folder)
    return found


def hashed(path: Path) -> str | None:
    """sha256 of a file; None where it is too large or cannot be read."""
    digest = hashlib.sha256()
    try:
        if path.stat().st_size > MOST_HASHED:
            return None
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest()


def _files(words: Sequence[str]) -> list[str]:
    """The executable, and every argument that is a file."""
    program = shutil.which(words[0])
    if program is None:
        raise InputError(f"The command {named(words)} cannot be started: {words[0]} is no program here.")
    arguments = [word for word in words[1:] if Path(word).is_absolute() and Path(word).is_file()]
    return [str(Path(program).absolute()), *arguments]


def _version(words: Sequence[str], folder: Path) -> str:
    try:
        ended = subprocess.run(
            list(words), stdin=subprocess.DEVNULL, capture_output=True, cwd=folder, env=environment(folder),
            timeout=VERSION_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise InputError(f"The command {named(words)} tells no version: {error}.") from None
    lines = (ended.stdout or ended.stderr).decode("utf-8", "replace").strip().splitlines()
    return lines[0][:LONGEST_LINE] if lines else ""
