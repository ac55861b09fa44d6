"""CSV tables with a crystal in each row, as CDVAE and its followers share their sets: CIF, POSCAR or pymatgen's JSON.

Commas, semicolons or tabs, with or without a byte order mark, packed or not. A cell is text: what begins with ``=`` is
never evaluated.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from fermiloop.db_init.importers.columns import Column, columns_of
from fermiloop.db_init.importers.crystals import text as crystal_text
from fermiloop.db_init.importers.crystals.content import DAMAGED, PACKINGS, encoding_of, opened, plain_name
from fermiloop.db_init.importers.entries import Batch, Entry, Refusal, attempt, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError

CHUNK: Final = 100
LARGEST: Final = 5_000_000  # characters of a line, and of a cell
SAMPLE: Final = 4_000_000  # bytes that tell the encoding
CRYSTALS: Final = (
    "cif",
    "poscar",
    "contcar",
    "structure",
    "structures",
    "crystal",
    "atoms",
)  # columns, the first that is
REST: Final = "\0rest"  # key of the cells beyond the last column
KEYS: Final = ("material_id", "id", "entry_id", "mp_id", "mpid", "jid", "cod_id", "")  # columns that name a row
SAME: Final = 1e-3  # of the property's unit, by which two columns of one property may differ
DELIMITERS: Final = ",;\t"
DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Parameters
    ----------
    crystal
        Column of the crystals.
    key
        Column that names the rows, None where none does.
    columns
        Columns of properties.
    delimiter
        What stands between cells.
    """

    crystal: str
    key: str | None
    columns: tuple[Column, ...]
    delimiter: str


def load(path: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a table; rows that are bad go to quarantine, the rest goes in.

    Raises
    ------
    InputError
        If the file cannot be read at all, has no column of crystals, lacks a column that the options name, or has one
        in a unit that is unknown.
    """
    return take_in(path.name, _batches(path, options), progress)


def _batches(path: Path, options: LoadOptions) -> Iterator[Batch]:
    name = options.source or Path(plain_name(path)).stem
    rows = _rows(path)
    delimiter, header = next(rows)[1].popitem()
    layout = _layout(path, header, delimiter, options)
    terms = [name, options.terms, options.theory, str(layout)]
    packed = path.suffix.lower() in PACKINGS
    size, done = path.stat().st_size * (5 if packed else 1), 0  # packed text is a fifth or so
    while chunk := list(itertools.islice(rows, CHUNK)):

        def read(chunk: list[tuple[int, dict[str, Any]]] = chunk) -> Iterator[Entry | Refusal]:
            for line, row in chunk:
                key = str(row.get(layout.key) if layout.key is not None else line)
                make = partial(_entry, row, key, name, layout, options)
                yield attempt(make, key, str(row.get(layout.crystal))[:200], line)

        done += sum(len(str(cell)) for _, row in chunk for cell in row.values())
        share = min(0.99, done / size)
        yield Batch(f"{name} to line {chunk[-1][0]}", digest("table", terms, chunk), share, read)


def _layout(path: Path, header: list[str], delimiter: str, options: LoadOptions) -> Layout:
    """Which column holds what."""
    told = f"its columns are {', '.join(header)[:200]}"
    by_lower = {name.strip().lower(): name for name in reversed(header)}
    crystal = next((by_lower[name] for name in CRYSTALS if name in by_lower), None)
    if crystal is None:
        raise InputError(f"The table {path} has no column cif, poscar or structure; {told}.")
    for column in options.columns:
        if column not in header:
            raise InputError(f"The table {path} has no column {column}; {told}.")
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"The table {path} has the column {twice!r} twice.")
    key = next((by_lower[name] for name in KEYS if name in by_lower), None)
    others = [name for name in header if name != crystal]
    return Layout(crystal, key, tuple(_meant(columns_of(others, options.columns), options)), delimiter)


def _meant(columns: list[Column], options: LoadOptions) -> list[Column]:
    """Columns to read: where the options name those of a property, only these."""
    named = {column.kind for column in columns if column.name in options.columns}
    return [column for column in columns if column.name in options.columns or column.kind not in named]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The delimiter and the columns first, as a row of themselves, then number and content of each row."""
    csv.field_size_limit(LARGEST)
    try:
        encoding = _encoding(path)
        errors = "replace" if encoding == "cp1252" else "strict"
        with io.TextIOWrapper(opened(path), encoding=encoding, errors=errors, newline="") as lines:
            bounded = _bounded(path, lines)
            first = next(bounded, "").lstrip("\ufeff")
            number = 2
            if first.strip().lower().startswith("sep="):  # a line of Excel's that names the delimiter
                first, number = next(bounded, ""), 3
            delimiter = max(DELIMITERS, key=_unquoted(first).count)
            reader = csv.DictReader(itertools.chain([first], bounded), restkey=REST, delimiter=delimiter)
            yield 1, {delimiter: list(reader.fieldnames or [])}
            yield from enumerate(reader, number)
    except FileNotFoundError:
        raise InputError(f"There is no table {path}.") from None
    except (OSError, *DAMAGED, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table {path} cannot be read: {error}.") from None


def _encoding(path: Path) -> str:
    """Encoding of a table by its beginning."""
    with opened(path) as stream:
        sample = stream.read(SAMPLE)
    found = encoding_of(sample)
    if found is None:
        raise InputError(f"The table {path} cannot be read: it is no text.")
    if found == "utf-8":
        try:
            codecs.getincrementaldecoder("utf-8")().decode(sample)
        except UnicodeDecodeError:
            return "cp1252"
    return found


def _unquoted(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _bounded(path: Path, lines: TextIO) -> Iterator[str]:
    """Lines of a file, so that one without an end takes no memory without end."""
    while line := lines.readline(LARGEST):
        if len(line) >= LARGEST:
            raise InputError(f"The table {path} has a line of more than {LARGEST // 1_000_000} MB.")
        yield line


def _entry(row: Mapping[str, Any], key: str, name: str, layout: Layout, options: LoadOptions) -> Entry:
    if REST in row or None in row.values():
        raise InputError("The row has not as many cells as the table has columns.")
    method = external(name, options.theory, options.terms)
    crystal = crystal_text.read(row[layout.crystal], f"row {key}")
    numbers = _numbers(row, layout, len(crystal.structure))
    source = {"name": name, "key": key, "licence": options.terms}
    made = tuple((kind, value, method) for kind, value in numbers.items())
    return Entry(key, crystal.structure, source, made, remarks=crystal.remarks)


def _numbers(row: Mapping[str, Any], layout: Layout, n_sites: int) -> dict[str, float]:
    """Numbers of a row in the units of their properties.

    Raises
    ------
    InputError
        If a cell is no number, or two columns say different things of one property.
    """
    found: dict[str, float] = {}
    first: dict[str, str] = {}
    for column in layout.columns:
        cell = row[column.name]
        if layout.delimiter != "," and DECIMAL_COMMA.fullmatch(cell.strip()):
            cell = cell.replace(",", ".")
        value = column.value(cell, n_sites)
        if value is None:
            continue
        if abs(found.setdefault(column.kind, value) - value) > SAME:
            raise InputError(
                f"{first[column.kind]} and {column.name} contradict each other: {found[column.kind]:g} and {value:g} "
                f"as {column.kind}; say which to take by --column {column.name}={column.kind}."
            )
        first.setdefault(column.kind, column.name)
    return found
