"""Reading a file that `fermiloop materials export` or `candidates export` wrote: its header, then record after record.

JSON lines, JSON and OPTIMADE lines are told apart by what the first line holds, packed or not by the first bytes; the
name of the file says nothing. One line is in memory at a time, and none may be longer than a document can be.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.optimade_fields import PREFIX
from fermiloop.platform.store import exchange
from fermiloop.platform.store.exports import RECORDS
from fermiloop.platform.store.optimade_export import RECORD

LONGEST: Final = 20_000_000  # bytes of a line: a document of 16 MB, written as text
LARGEST: Final = 16_000_000_000  # bytes of a file, unpacked
LARGEST_WHOLE: Final = 500_000_000  # bytes of a JSON document that is not a record a line, and is read at once
FIRST: Final = 4096  # bytes in which a document that was laid out again says its format
SAYS: Final = re.compile(rf'"format"\s*:\s*"{exchange.FORMAT}"'.encode())
GZIP: Final = b"\x1f\x8b"
TYPES: Final = ("method", "material", "candidate")


@dataclass(frozen=True)
class Line:
    """One record of a file.

    Parameters
    ----------
    number
        Its line, counted from 1; its place where the document was read at once.
    type
        ``method``, ``material`` or ``candidate``; None where it is no record, nothing where it stands for readers only.
    record
        Its fields; none of a candidate of OPTIMADE lines.
    fault
        Why it is no record.
    """

    number: int
    type: str | None
    record: Mapping[str, Any]
    fault: str = ""


@dataclass(frozen=True)
class Opened:
    """A file of ours: how many records of each type its header promises, and the records."""

    counts: Mapping[str, int]
    lines: Iterator[Line]


def is_ours(path: Path) -> bool:
    """Whether the beginning of a file says that it is one of ours, of whatever version."""
    try:
        with _unpacked(path) as raw:
            first = raw.readline(LONGEST)
            return _header(first) is not None or SAYS.search((first + raw.read(FIRST))[:FIRST]) is not None
    except (OSError, EOFError, zlib.error):
        return False


def read(path: Path) -> Opened:
    """Open a file of ours.

    Raises
    ------
    InputError
        If it cannot be read, is of a later version, or its header is damaged.
    """
    try:
        with _unpacked(path) as raw:
            header = _header(raw.readline(LONGEST))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from None
    if header is not None:
        return Opened(_counts(path, header), _lines(path, header))
    header = _whole(path)
    records = header.get("records")
    if not isinstance(records, list):
        raise InputError(f"The file {path} is damaged: it has no list of records.")
    lines = [_record(number, one) for number, one in enumerate(records, 1)]
    order = {name: place for place, name in enumerate((None, *TYPES))}  # Methods before what names them
    return Opened(_counts(path, header), iter(sorted(lines, key=lambda line: order[line.type])))


def _header(first: bytes) -> dict[str, Any] | None:
    """Header of a file that is a record a line, the Methods of OPTIMADE lines in it; None where it is none."""
    text = first.strip()
    if text.endswith(RECORDS.encode()):
        text += b"]}"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict) and isinstance(found.get("x-optimade"), dict):
        meta = found["x-optimade"].get("meta")
        found = meta.get(f"_{PREFIX}") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) and found.get("format") == exchange.FORMAT else None


def _counts(path: Path, header: Mapping[str, Any]) -> dict[str, int]:
    version = header.get("version")
    if header.get("format") != exchange.FORMAT or isinstance(version, bool) or not isinstance(version, int):
        raise InputError(f"The file {path} is damaged: its header names no version of {exchange.FORMAT}.")
    if version > exchange.VERSION or version < 1:
        raise InputError(
            f"The file {path} is of version {version} of {exchange.FORMAT}, and this fermiloop reads up to "
            f"{exchange.VERSION}: upgrade fermiloop to load it."
        )
    counts = header.get("counts")
    if not isinstance(counts, dict):
        raise InputError(f"The file {path} is damaged: its header tells no counts.")
    found = {name.removesuffix("s"): n for name, n in counts.items() if isinstance(n, int) and n >= 0}
    return {name: found.get(name, 0) for name in TYPES}


def _lines(path: Path, header: Mapping[str, Any]) -> Iterator[Line]:
    """Records that stand one a line, commas of a JSON document between them."""
    for method in header.get("methods") or ():  # of OPTIMADE lines
        yield _record(1, {"type": "method", **method} if isinstance(method, dict) else method)
    number, size = 1, 0
    try:
        with _unpacked(path) as raw:
            raw.readline(LONGEST)
            while text := raw.readline(LONGEST):
                number, size = number + 1, size + len(text)
                if size > LARGEST:
                    raise InputError(f"The file {path} is larger than {LARGEST // 10**9} GB unpacked.")
                if len(text) == LONGEST and not text.endswith(b"\n"):
                    yield Line(number, None, {}, f"a line of more than {LONGEST // 10**6} MB")
                    while (rest := raw.readline(LONGEST)) and not rest.endswith(b"\n"):
                        size += len(rest)
                    continue
                plain = text.strip().removesuffix(b",")
                if plain and plain != b"]}":
                    yield _parsed(number, plain)
    except (OSError, EOFError, zlib.error) as error:
        yield Line(number + 1, None, {}, f"the file is damaged from here on: {error}")


def _parsed(number: int, text: bytes) -> Line:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:  # bytes that are no UTF-8 among them
        return Line(number, None, {}, f"no JSON: {str(error)[:100]}")
    if isinstance(found, dict) and found.get("type") in ("structures", "references", "info"):
        return _optimade(number, found)
    return _record(number, found)


def _record(number: int, found: Any) -> Line:
    if not isinstance(found, dict) or found.get("type") not in TYPES:
        return Line(number, None, {}, "no record: its type is none of " + ", ".join(TYPES))
    return Line(number, found["type"], {name: value for name, value in found.items() if name != "type"})


def _optimade(number: int, entry: Mapping[str, Any]) -> Line:
    """The material that an entry of OPTIMADE bears; candidates and references bear none."""
    attributes = entry.get("attributes")
    if entry["type"] != "structures":
        return Line(number, "", {})
    if not isinstance(attributes, dict):
        return Line(number, None, {}, "an entry without attributes")
    if attributes.get(f"_{PREFIX}_kind") == "candidate":
        return Line(number, "candidate", {})
    record = attributes.get(f"_{PREFIX}_{RECORD}")
    if not isinstance(record, dict):
        return Line(number, None, {}, f"an entry without _{PREFIX}_{RECORD}, which fermiloop writes")
    if fault := _contradiction(entry, attributes, record):
        return Line(number, None, {}, fault)
    return Line(number, "material", record)


def _contradiction(entry: Mapping[str, Any], attributes: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Why the crystal of an entry is not that of its record, nothing where it is."""
    try:
        same_cell = attributes["lattice_vectors"] == record["structure"]["lattice"]["matrix"]
        symbols = [site["species"][0]["element"] for site in record["structure"]["sites"]]
        if entry.get("id") == record["id"] and same_cell and attributes["species_at_sites"] == symbols:
            return ""
    except (LookupError, TypeError):
        pass
    return f"the crystal of the entry is not that of its _{PREFIX}_{RECORD}: one of them was changed"


def _whole(path: Path) -> dict[str, Any]:
    """A JSON document that another program has laid out again, bounded in size."""
    try:
        with _unpacked(path) as raw:
            text = raw.read(LARGEST_WHOLE + 1)
        if len(text) > LARGEST_WHOLE:
            raise InputError(
                f"The file {path} is larger than {LARGEST_WHOLE // 10**6} MB and has more than one record a line; "
                "export it as .jsonl."
            )
        found = json.loads(text)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise InputError(f"The file {path} is damaged: it is no JSON object.")
    return found


def _unpacked(path: Path) -> BinaryIO | gzip.GzipFile:
    """The file as plain bytes, whatever its name."""
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")
