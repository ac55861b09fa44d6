"""Members of a compressed tar archive, read one after the other without trust.

Only plain files with short names are read; links, devices, folders and the extended headers that could
hold anything are refused, nothing is ever written to a path that the archive names, and every size is
bounded before memory is taken.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fermiloop.platform.errors import InputError

BLOCK: Final = tarfile.BLOCKSIZE
PIECE: Final = 1 << 20
LARGEST: Final = 2_000_000_000  # bytes of one member
MOST: Final = 16_000_000_000  # bytes of all, unpacked
MOST_MEMBERS: Final = 20_000
PLAIN: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})


def write(path: Path, members: Iterator[tuple[str, Path]]) -> None:
    """Pack files under names into a compressed archive, wholly or not at all; times and owners are left out."""
    partial = path.with_name(f".{path.name}.part")
    try:
        with (
            partial.open("wb") as out,
            gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for name, source in members:
                info = tarfile.TarInfo(name)
                info.size, info.mode = source.stat().st_size, 0o644
                with source.open("rb") as content:
                    archive.addfile(info, content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """Name, size and pieces of each member; the pieces must be used up before the next member is asked for.

    Raises
    ------
    InputError
        If it is no such archive, is cut off, or holds what is not read.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    with gzip.open(path, "rb") as packed:
        yield from _members(path, packed)


def _members(path: Path, packed: gzip.GzipFile) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    total = count = 0
    while True:
        header = _exactly(path, packed, BLOCK)
        if header == bytes(BLOCK):
            return
        try:
            info = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise InputError(f"The archive {path} is damaged or is no tar archive.") from None
        if info.type not in PLAIN:
            raise InputError(f"The archive {path} holds {info.name[:80]!r}, which is no plain file; it is not read.")
        total, count = total + max(info.size, 0) + BLOCK, count + 1
        if not 0 <= info.size <= LARGEST or total > MOST or count > MOST_MEMBERS:
            raise InputError(f"The archive {path} is larger than what is read: at {info.name[:80]!r}.")
        left = [info.size]
        yield info.name, info.size, _pieces(path, packed, left)
        if left[0]:
            raise InputError(f"The member {info.name[:80]!r} of {path} was not read to its end.")
        _exactly(path, packed, -info.size % BLOCK)


def _pieces(path: Path, packed: gzip.GzipFile, left: list[int]) -> Iterator[bytes]:
    while left[0]:
        piece = _exactly(path, packed, min(left[0], PIECE))
        left[0] -= len(piece)
        yield piece


def _exactly(path: Path, packed: gzip.GzipFile, n: int) -> bytes:
    found = io.BytesIO()
    while found.tell() < n:
        try:
            piece = packed.read(n - found.tell())
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"The archive {path} is damaged: {type(error).__name__}.") from None
        if not piece:
            raise InputError(f"The archive {path} is cut off.")
        found.write(piece)
    return found.getvalue()
