"""Content of files as people have them: packed or not, in any usual encoding, with any line ends."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final, cast

from fermiloop.platform.errors import InputError

PACKINGS: Final[dict[str, Callable[..., Any]]] = {
    ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".lzma": lzma.open,
}  # fmt: skip
DAMAGED: Final = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
# byte order marks, the longer ones first
MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
SAMPLE: Final = 4000  # bytes that tell text from something else
END_OF_FILE: Final = "\x1a"  # which DOS wrote


def plain_name(path: Path) -> str:
    """Name of a file without the ending of its packing."""
    return path.stem if path.suffix.lower() in PACKINGS else path.name


def opened(path: Path) -> IO[bytes]:
    """A file to read from, unpacked."""
    unpack = PACKINGS.get(path.suffix.lower())
    return cast("IO[bytes]", unpack(path, "rb")) if unpack else path.open("rb")


def content_of(path: Path, largest: int) -> bytes:
    """Unpacked content of a file.

    Raises
    ------
    InputError
        If it is larger than `largest` bytes, or its packing is damaged.
    OSError
        If it cannot be read.
    """
    if path.stat().st_size > largest:  # it is not even opened
        raise too_large(path, largest)
    try:
        with opened(path) as stream:
            found = stream.read(largest + 1)
    except DAMAGED as error:
        raise InputError(f"The file {path.name} cannot be unpacked: {error}.") from None
    if len(found) > largest:
        raise too_large(path, largest)
    return found


def too_large(path: Path, largest: int) -> InputError:
    """Refusal of a file that is beyond the bound."""
    return InputError(f"The file {path.name} is larger than {largest // 1_000_000} MB.")


def text_of(content: bytes, what: str) -> str:
    """Text of a file with line ends of one character.

    UTF-8, UTF-16 and UTF-32 are known by their marks or their pattern of zeros; what is not valid UTF-8 is read as
    Windows-1252 or Latin-1, whose letters beyond ASCII stand in names and comments only.

    Raises
    ------
    InputError
        If it is no text.
    """
    text = content.decode(_encoding(content, what), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip(END_OF_FILE).replace("\ufeff", "")


def encoding_of(sample: bytes) -> str | None:
    """Encoding that the first bytes of a text speak for, None where they are no text."""
    for mark, name in MARKS:
        if sample.startswith(mark):
            return name
    zeros = sample[:SAMPLE].count(0)
    if not zeros:
        return "utf-8"
    even, half = sample[:SAMPLE:2].count(0), len(sample[:SAMPLE]) / 2
    if zeros > 0.8 * half and even in {0, zeros}:
        return "utf-16-be" if even else "utf-16-le"
    return None


def _encoding(content: bytes, what: str) -> str:
    name = encoding_of(content)
    if name is None:
        raise InputError(f"The {what} holds no crystal: it is no text.")
    if name != "utf-8":
        return name
    for candidate in ("utf-8", "cp1252"):
        try:
            content.decode(candidate)
        except UnicodeDecodeError:
            continue
        return candidate
    return "latin-1"
