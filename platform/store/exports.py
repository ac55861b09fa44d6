"""Exports in every form, as pieces of text that a file takes or a server sends: nothing is held whole.

JSON lines: a header, then one record a line. JSON: the same lines within one document. Both are canonical, so that the
same documents give the same bytes, and bear no moment of their own.
"""

from __future__ import annotations

import errno
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.store import exchange, exchange_records, export_table, optimade_export
from fermiloop.platform.store.exchange_records import Row, Selection

RECORDS: Final = '"records":['  # ends the first line of a JSON document
PIECE: Final = 200_000  # characters, of which a piece has at least so many


class Form(StrEnum):
    """Forms of one file; its ending names it."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    OPTIMADE = "optimade.jsonl"


MEDIA_TYPE: Final = {
    Form.JSON: "application/json",
    Form.JSONL: "application/jsonl",
    Form.CSV: "text/csv; charset=utf-8",
    Form.OPTIMADE: "application/jsonl",
}


def form_of(path: Path) -> tuple[Form, bool]:
    """Form of a file by its name, and whether it is packed by gzip.

    Raises
    ------
    InputError
        If its ending names none.
    """
    name = path.name.lower()
    packed = name.endswith(".gz")
    for form in (Form.OPTIMADE, Form.JSONL, Form.JSON, Form.CSV):
        if name.removesuffix(".gz").endswith(f".{form}"):
            return form, packed
    raise InputError(
        f"{path} names no format that is written; let it end in .json, .jsonl, .csv or .optimade.jsonl, each with .gz "
        "or without, or name a folder."
    )


def pieces(selection: Selection, form: Form) -> Iterator[str]:
    """Text of an export, piece by piece.

    Raises
    ------
    FailureError
        If what is exported changes meanwhile, or names what the store lacks.
    """
    held, size = [], 0
    for line in _lines(selection, form):
        held.append(line)
        size += len(line)
        if size >= PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def write(selection: Selection, path: Path) -> None:
    """Write an export into a file, whole or not at all; the same documents give the same bytes.

    Raises
    ------
    InputError
        If the ending names no form, or the file cannot be written there.
    """
    form, packed = form_of(path)
    partial = path.with_name(f".{path.name}.part")
    try:
        with _opened(partial, packed=packed) as out:
            for piece in pieces(selection, form):
                out.write(piece.encode())
        if form is Form.OPTIMADE:
            optimade_export.check(partial, packed=packed)
        partial.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise  # a full disk is no slip of the name
        raise InputError(f"The file {path} cannot be written ({error.strerror}); name another one.") from None
    finally:
        partial.unlink(missing_ok=True)


def header(selection: Selection, n_methods: int) -> Row:
    """What the first line says."""
    counts = {"methods": n_methods, "materials": len(selection.materials), "candidates": len(selection.candidates)}
    return {
        "format": exchange.FORMAT,
        "version": exchange.VERSION,
        "kind": str(selection.kind),
        "counts": {name: n for name, n in counts.items() if n or name != "candidates"},
    }


def _lines(selection: Selection, form: Form) -> Iterator[str]:
    if form is Form.CSV:
        yield from export_table.lines(selection)
    elif form is Form.OPTIMADE:
        yield from (optimade_export.dumps(line) + "\n" for line in optimade_export.lines(selection))
    else:
        methods = exchange_records.methods(selection)
        first = exchange.dumps(header(selection, len(methods)))
        lines = (exchange.dumps(record) for record in _records(selection, methods))
        if form is Form.JSON:
            yield from _document(first, lines)
        else:
            yield f"{first}\n"
            yield from (f"{line}\n" for line in lines)


def _records(selection: Selection, methods: list[Row]) -> Iterator[Row]:
    yield from ({"type": "method", **one} for one in methods)
    yield from ({"type": "material", **one} for one in exchange_records.materials(selection))
    yield from ({"type": "candidate", **one} for one in exchange_records.candidates(selection))


def _document(first: str, lines: Iterator[str]) -> Iterator[str]:
    """The lines within one JSON document, a record a line."""
    yield f"{first[:-1]},{RECORDS}"
    for place, line in enumerate(lines):
        yield f"{',' if place else ''}\n{line}"
    yield "\n]}\n"


@contextmanager
def _opened(path: Path, *, packed: bool) -> Iterator[BinaryIO | gzip.GzipFile]:
    """A file to write bytes into; a packed one bears neither name nor time."""
    with path.open("wb") as raw:
        if packed:
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as out:
                yield out
        else:
            yield raw
