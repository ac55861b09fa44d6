"""The folder ``model/`` that a program's `fit` leaves: read with its bounds, and kept as plain bytes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.errors import InputError

MOST_FILES: Final = 500
MODEL: Final = "model/"
"""Before the path of a file of the model among the arrays that are kept."""


def collect(folder: Path, most_bytes: int) -> dict[str, bytes]:
    """Content of every file below a folder, by its path in it.

    Raises
    ------
    InputError
        If one is no plain file, such as a link, or they are too many or too large.
    """
    found: dict[str, bytes] = {}
    size = 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        size += path.lstat().st_size
        if size > most_bytes or len(found) >= MOST_FILES:
            raise InputError(
                f"The program's folder model/ has more than {most_bytes} bytes or {MOST_FILES} files; keep less in it, "
                "or raise the option most_bytes."
            )
        found[name] = path.read_bytes()
    return found


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        below = sorted(entries, key=lambda entry: entry.name)
    for entry in below:
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            yield from _files(Path(entry.path))
        elif stat.S_ISREG(mode):
            yield Path(entry.path)
        else:
            raise InputError(f"{entry.name} in the program's folder model/ is no plain file; only such are kept.")


def hashes(files: dict[str, bytes]) -> dict[str, str]:
    """sha256 of each file."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def as_arrays(files: dict[str, bytes], prefix: str = "") -> dict[str, NDArray[np.uint8]]:
    """Contents as arrays of bytes, for safetensors."""
    return {prefix + name: np.frombuffer(content, dtype=np.uint8) for name, content in files.items()}


def from_arrays(arrays: dict[str, NDArray[np.uint8]], prefix: str) -> dict[str, bytes]:
    """Contents out of arrays of bytes.

    Raises
    ------
    ValueError
        If a name leads out of the folder, or an array holds no bytes.
    """
    found = {}
    for key, values in arrays.items():
        if not key.startswith(prefix):
            continue
        name = PurePosixPath(key.removeprefix(prefix))
        if name.is_absolute() or ".." in name.parts or not name.parts or values.dtype != np.uint8:
            raise ValueError(f"{key} is no file of a model")
        found[str(name)] = values.tobytes()
    return found
