"""Bytes of a file as text, and the ways in which programs write numbers."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from typing import Final

from fermiloop.platform.errors import InputError

MOST_BYTES: Final = 64_000_000  # of a text or JSON file, unpacked
GZIP: Final = b"\x1f\x8b"
PACKED: Final = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstandard"}
MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdDqQ][-+]?\d+|[-+]\d+)?")
BARE: Final = re.compile(r"(?<=[\d.])(?=[-+]\d+$)")  # 1.234-100: Fortran leaves the letter out before three digits
NO_NUMBERS: Final = frozenset({"nan", "+nan", "-nan", "inf", "+inf", "-inf", "infinity", "-infinity", "+infinity"})


def unpacked(content: bytes, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file, unpacked where they are gzip's.

    Raises
    ------
    InputError
        If they are another packer's, broken, or more than `most`.
    """
    for magic, name in PACKED.items():
        if content.startswith(magic):
            raise InputError(f"The file is packed by {name}; unpack it first.")
    if content.startswith(GZIP):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(most + 1)
        except (OSError, EOFError, zlib.error):
            raise InputError("The file is gzip, but broken or cut off; copy it again.") from None
    if len(content) > most:
        raise InputError(f"The file is larger than {most} bytes; a density of states needs far less.")
    return content


def decoded(content: bytes) -> str:
    """Text in UTF-8, UTF-16 or Latin-1, with or without a byte order mark.

    Raises
    ------
    InputError
        If it is binary or empty.
    """
    mark = next((name for magic, name in MARKS if content.startswith(magic)), None)
    try:
        text = content.decode(mark or _unmarked(content))
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if any((char < " " and char not in "\t\n\r\f\x1a") or "\x7f" <= char < "\xa0" for char in text):
        raise InputError("The file is binary; give text or JSON.")
    if not text.strip():
        raise InputError("The file is empty; it needs two columns, such as energy in eV and density of states.")
    return text


def _unmarked(content: bytes) -> str:
    start = content[:400]
    if len(start) >= 4 and start[1::2].count(0) > 0.9 * len(start[1::2]):
        return "utf-16-le"
    if len(start) >= 4 and start[::2].count(0) > 0.9 * len(start[::2]):
        return "utf-16-be"
    return "utf-8"


def is_number(word: str) -> bool:
    """Whether a program may have written a number so, NaN and infinity among them."""
    return bool(NUMBER.fullmatch(word)) or word.lower() in NO_NUMBERS


def number(word: str) -> float:
    """Value of a number, also with Fortran's exponents: ``1.2D-03``, ``1.234-100``.

    Raises
    ------
    ValueError
        If it is none.
    """
    if word.lower() in NO_NUMBERS:
        return float(word)
    if not NUMBER.fullmatch(word):
        raise ValueError(word)
    return float(BARE.sub("e", re.sub(r"[dDqQ]", "e", word)))
