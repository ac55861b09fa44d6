"""JSON files and JSON lines with crystals: the content decides what they are, not the name alone.

One structure or entry of pymatgen or a list of them, summary documents of the Materials Project, answers of OPTIMADE,
tables of pandas as matbench shares them, lines of cell, species and fractional coordinates.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from fermiloop.db_init.importers import optimade, records
from fermiloop.db_init.importers.crystals.content import DAMAGED, PACKINGS, content_of, encoding_of, opened, plain_name
from fermiloop.db_init.importers.entries import Batch, Entry, Refusal, attempt, digest
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.matbench import dataset_of
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.provenance import WORDS, stated
from fermiloop.db_init.importers.records import File, is_crystal, is_record, key_of, looks_like
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError

LARGEST: Final = 2_000_000_000  # bytes of a file that is read as a whole
LONGEST: Final = 50_000_000  # characters of a line
CHUNK: Final = 500
LINES: Final = (".jsonl", ".ndjson")
HEADER: Final = "x-optimade"  # field of the first of OPTIMADE's JSON lines
UNREADABLE: Final = (OSError, *DAMAGED, UnicodeDecodeError)
WHOLE: Final = ("structures", "entries", "data", "materials", "docs", "response")  # fields that hold a list of records

Numbered = tuple[int | None, str, Any]
"""Place in the file, key, and content of a record."""


def load(path: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a file; bad records go to quarantine, the rest goes in; a repeat adds nothing.

    Raises
    ------
    InputError
        If the file cannot be read at all, or is no JSON of crystals.
    """
    notes: list[str] = []
    try:
        found = take_in(path.name, batches(path, path.name, options, 1.0, notes), progress)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except UNREADABLE as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from None
    return LoadReport(found.loaded, found.already, found.quarantined, (*found.notes, *dict.fromkeys(notes)))


def batches(
    path: Path, key: str, options: LoadOptions, share: float, notes: list[str], name: str | None = None
) -> Iterator[Batch]:
    """Batches of a file's records; `name` is that of the source, where it is not the file's own.

    Raises
    ------
    InputError
        If it is no JSON of crystals.
    OSError
        If it cannot be read.
    """
    stem = Path(plain_name(path)).stem
    file = File(name or stem, stem, options, notes=notes)
    try:
        if _is_lines(path):
            yield from _of_lines(path, key, file, share)
        else:
            yield from _chunked(_whole(path, key, file), key, file, share)
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from None


def _is_lines(path: Path) -> bool:
    """Whether a file holds a document in each line: by its first two lines, else by its name."""
    first = list(itertools.islice((line for _, line in _lines(path)), 2))
    if len(first) == 2 and isinstance(_parsed(first[0]), dict | list):
        return True
    if len(first) == 1 and _parsed(first[0]) is not None:
        return False
    if plain_name(path).lower().endswith(LINES):
        return not (first and first[0].strip() in {"{", "["} and _parsed(_text(path)) is not None)
    return False


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _encoding(path: Path) -> str:
    with opened(path) as stream:
        found = encoding_of(stream.read(4000))
    if found is None:
        raise InputError(f"The file {path} cannot be read: it is no text.")
    return "utf-8-sig" if found == "utf-8" else found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers."""
    with io.TextIOWrapper(opened(path), encoding=_encoding(path)) as stream:
        for number in itertools.count(1):
            line = stream.readline(LONGEST)
            if not line:
                return
            if len(line) >= LONGEST:
                raise InputError(f"The file {path} has a line of more than {LONGEST // 1_000_000} MB.")
            if line.strip():
                yield number, line


def lines_of(path: Path) -> list[tuple[int, str]]:
    """Lines of a file that hold something, unpacked, with their numbers from 1.

    Raises
    ------
    InputError
        If it cannot be read, or holds nothing.
    """
    try:
        found = list(_lines(path))
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except UNREADABLE as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from None
    if not found:
        raise InputError(f"The file {path} is empty.")
    return found


def _of_lines(path: Path, key: str, file: File, share: float) -> Iterator[Batch]:
    lines = _lines(path)
    first = list(itertools.islice(lines, 1))
    head = _parsed(first[0][1]) if first else None
    if _is_header(head, file):
        first = []
    rest = itertools.chain(first, lines)
    packed = path.suffix.lower() in PACKINGS
    size, done = path.stat().st_size * (5 if packed else 1), 0  # packed text is a fifth or so
    while chunk := list(itertools.islice(rest, CHUNK)):
        read = partial(_read_lines, chunk, key, file)
        made_of = digest("json lines", key, file.terms, chunk)
        done += sum(len(line) for _, line in chunk)
        yield Batch(f"{key} to line {chunk[-1][0]}", made_of, share * min(0.99, done / size), read, key)
    yield Batch(f"{key}, whole", digest("json lines", "end", key), share, list, key)


def _is_header(head: Any, file: File) -> bool:
    """Whether a first line speaks of the file; what it says is kept."""
    if not isinstance(head, Mapping):
        return False
    if isinstance(head.get(HEADER), Mapping):
        file.provider = optimade.known_provider(head[HEADER].get("meta"), file.options, file.name)
        return True
    if not is_record(head) and WORDS & head.keys():
        file.said = stated(head)
        return True
    return False


def _read_lines(chunk: list[tuple[int, str]], key: str, file: File) -> Iterator[Entry | Refusal]:
    for number, line in chunk:
        yield from _read([(number, f"{key}#{number}", line)], file)


def _read(chunk: list[Numbered], file: File) -> Iterator[Entry | Refusal]:
    for number, key, content in chunk:
        excerpt = content if isinstance(content, str) else str(content)[:200]
        try:
            row = json.loads(content) if isinstance(content, str) else content
        except (ValueError, RecursionError) as error:
            yield Refusal(key, f"The line is no JSON: {type(error).__name__}: {error}.", excerpt[:200], number)
            continue
        if isinstance(row, Mapping) and str(row.get("type")) in {"info", "references", "files", "calculations"}:
            continue  # OPTIMADE's other entries, which are no structures
        made = attempt(partial(records.entry, row, key, file), key_of(row) or key, excerpt[:200], number)
        yield made


def _chunked(rows: list[Numbered], key: str, file: File, share: float) -> Iterator[Batch]:
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        done = start + len(chunk)
        read = partial(_read, chunk, file)
        made_of = digest("json", key, file.terms, chunk)
        yield Batch(f"{key} to record {done}", made_of, share * done / len(rows), read, key)


def _text(path: Path) -> str:
    return content_of(path, LARGEST).decode(_encoding(path))


def _whole(path: Path, key: str, file: File) -> list[Numbered]:
    """Records of a file that is one document."""
    try:
        content = json.loads(_text(path))
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"The file {path.name} is no JSON: {error}.") from None
    rows = _rows(content, file)
    if rows is None:
        raise InputError(f"The file {path.name} holds no crystals: it is {looks_like(content)}.")
    if not rows:
        raise InputError(f"The file {path.name} holds no crystals: its list is empty.")
    single = len(rows) == 1
    return [
        (None if single else number, own or (key if single else f"{key}#{number}"), row)
        for number, (own, row) in enumerate(rows, 1)
    ]


def _rows(content: Any, file: File) -> list[tuple[str | None, Any]] | None:
    """Records of a document with their names, None where it is none of the known forms."""
    if isinstance(content, list):
        return [(None, row) for row in content] if any(is_record(row) for row in content) or not content else None
    if not isinstance(content, Mapping):
        return None
    table = _of_columns(content)
    if table is not None or is_record(content):
        return table or [(None, content)]
    if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        return _of_pandas(content, file)
    if isinstance(content.get("meta"), Mapping) and "data" in content:
        file.provider = optimade.known_provider(content["meta"], file.options, file.name)
    file.said = stated(content)
    for name in WHOLE:
        held = content.get(name)
        rows = held if isinstance(held, list) else [held]
        if any(is_record(row) for row in rows):
            return [(None, row) for row in rows]
    if content and all(is_record(row) for row in content.values()):  # records by their names
        return [(str(name), row) for name, row in content.items()]
    return None


def _of_pandas(content: Mapping[str, Any], file: File) -> list[tuple[str | None, Any]] | None:
    """Rows of a table that pandas wrote in the form ``split``."""
    columns = [str(name) for name in content["columns"]]
    file.dataset = dataset_of(file.stem, columns)
    index = content.get("index") or [None] * len(content["data"])
    rows = [dict(zip(columns, row, strict=False)) for row in content["data"] if isinstance(row, list)]
    if len(rows) != len(content["data"]) or not any(is_record(row) for row in rows):
        return None
    return [(None if name is None else str(name), row) for name, row in zip(index, rows, strict=False)]


def _of_columns(content: Mapping[str, Any]) -> list[tuple[str | None, Any]] | None:
    """Rows of a table that pandas wrote column by column: ``{"structure": {"0": …}, "band_gap": {"0": …}}``."""
    columns = [content.get(name) for name in records.CRYSTALS if isinstance(content.get(name), Mapping)]
    cells = [cell for column in columns if column for cell in column.values()]
    if not all(isinstance(column, Mapping) for column in content.values()) or not any(map(is_crystal, cells)):
        return None
    names = list(next(iter(content.values())))
    rows = [{column: held.get(name) for column, held in content.items()} for name in names]
    return [(str(name), row) for name, row in zip(names, rows, strict=True)]
