"""CSV tables with a CIF in each row, as CDVAE and its followers share their sets."""

from __future__ import annotations

import csv
import gzip
import itertools
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from fermiloop.db_init.importers.entries import Batch, Entry, Refusal, attempt, digest, external
from fermiloop.db_init.importers.folder import LARGEST, from_text
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError
from fermiloop.schemas.vocabulary import Property

CHUNK: Final = 100
CIF: Final = "cif"
REST: Final = "\0rest"  # key of the cells beyond the last column
KEYS: Final = ("material_id", "id", "")  # columns that name a row, the first that is there
# columns whose unit is beyond doubt; others are named by --column
COLUMNS: Final[dict[str, Property]] = {
    **{str(kind): kind for kind in Property if kind is not Property.DOS_SIMILARITY},
    "e_above_hull": Property.ENERGY_ABOVE_HULL,
}


def load(path: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a table; rows that are bad go to quarantine, the rest goes in.

    Raises
    ------
    InputError
        If the file cannot be read at all, has no column ``cif``, or lacks a column that the options name.
    """
    return take_in(path.name, _batches(path, options), progress)


def _batches(path: Path, options: LoadOptions) -> Iterator[Batch]:
    name = options.source or path.name.removesuffix(".gz").removesuffix(".csv")
    rows = _rows(path)
    header = next(rows, (0, {}))[1]
    if CIF not in header:
        raise InputError(f"The table {path} has no column {CIF}; its columns are {', '.join(header)[:200]}.")
    columns = {column: kind for column, kind in COLUMNS.items() if column in header}
    for column, kind in options.columns.items():
        if column not in header:
            raise InputError(f"The table {path} has no column {column}; its columns are {', '.join(header)[:200]}.")
        columns[column] = Property(kind)
    key_column = next((column for column in KEYS if column in header), None)
    terms = [name, options.terms, options.theory, columns]
    size, done = path.stat().st_size * (5 if path.suffix == ".gz" else 1), 0  # packed text is a fifth or so
    while chunk := list(itertools.islice(rows, CHUNK)):

        def read(chunk: list[tuple[int, dict[str, Any]]] = chunk) -> Iterator[Entry | Refusal]:
            for line, row in chunk:
                key = str(row.get(key_column) if key_column is not None else line)
                make = partial(_entry, row, key, name, columns, options)
                yield attempt(make, key, str(row.get(CIF))[:200], line)

        done += sum(len(str(cell)) for _, row in chunk for cell in row.values())
        share = min(0.99, done / size)
        yield Batch(f"{name} to line {chunk[-1][0]}", digest("table", terms, chunk), share, read)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The columns first, as a row of themselves, then number and content of each row."""
    csv.field_size_limit(LARGEST)
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="")
        ) as lines:
            reader = csv.DictReader(_bounded(path, lines), restkey=REST)
            names = list(reader.fieldnames or [])
            yield 1, dict.fromkeys(names)
            yield from enumerate(reader, 2)
    except FileNotFoundError:
        raise InputError(f"There is no table {path}.") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table {path} cannot be read: {error}.") from None


def _bounded(path: Path, lines: TextIO) -> Iterator[str]:
    """Lines of a file, so that one without an end takes no memory without end."""
    while line := lines.readline(LARGEST):
        if len(line) == LARGEST:
            raise InputError(f"The table {path} has a line of more than {LARGEST // 1_000_000} MB.")
        yield line


def _entry(row: dict[str, Any], key: str, name: str, columns: dict[str, Property], options: LoadOptions) -> Entry:
    if REST in row or None in row.values():
        raise InputError("The row has not as many cells as the table has columns.")
    method = external(name, options.theory, options.terms)
    structure = from_text(row[CIF].encode(), CIF, f"row {key}")
    numbers = [
        (kind, found, method)
        for column, kind in columns.items()
        if (found := value_of(kind, row[column], column)) is not None
    ]
    return Entry(key, structure, {"name": name, "key": key, "licence": options.terms}, tuple(numbers))
