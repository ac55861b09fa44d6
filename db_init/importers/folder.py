"""Structure files, one by one or in folders: CIF, POSCAR, XDATCAR, JSON and extended XYZ, packed or not.

What a folder load passes over is named in its report: nothing is left out in silence.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from fermiloop.db_init.importers import extxyz, json_files
from fermiloop.db_init.importers.crystals import cif, poscar, xdatcar
from fermiloop.db_init.importers.crystals.content import content_of, plain_name, text_of
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.db_init.importers.entries import BAD, Batch, Entry, Refusal, attempt, digest
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.errors import InputError

LARGEST: Final = 5_000_000  # bytes of a file with one crystal
LONGEST: Final = 500_000_000  # bytes of a trajectory
FRAMES: Final = 200  # of an extended XYZ file that are saved together
NAMED: Final = 5  # files that are passed over, of those that the report names
# what the name of a file, without the ending of its packing, says that it is; looked through in this order
FORMS: Final[dict[str, re.Pattern[str]]] = {
    "cif": re.compile(r".*\.m?cif", re.IGNORECASE),
    "xyz": re.compile(r".*\.(?:ext)?xyz", re.IGNORECASE),
    "json": re.compile(r".*\.(?:json|jsonl|ndjson)", re.IGNORECASE),
    "xdatcar": re.compile(r"XDATCAR.*|.*[_\-.]XDATCAR|.*\.xdatcar"),
    "poscar": re.compile(r"(?:POSCAR|CONTCAR).*|.*[_\-.](?:POSCAR|CONTCAR)|.*\.(?:vasp|poscar|contcar|VASP)"),
}


def load(
    where: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS, leave: Collection[Path] = ()
) -> LoadReport:
    """Load a structure file, or every one below a folder; what is none goes to quarantine with its reason.

    The files of the folders `leave` are another importer's.

    Raises
    ------
    InputError
        If there is no such file or folder, or no structure file in it.
    """
    passed: Sequence[str] = ()
    if where.is_file():
        paths, root = [where], where.parent
    elif where.is_dir():
        paths, root = structure_files(where, leave), where
        passed = passed_over(where, paths, leave)
    else:
        raise InputError(f"There is no {'file' if is_structure_file(where) else 'folder'} {where}.")
    if not paths:
        raise InputError(f"The folder {where} holds no CIF, POSCAR, JSON or XYZ file.{_told(passed)}")
    notes: list[str] = []
    found = take_in(where.name, _batches(paths, root, options, notes), progress)
    told = [_told(passed).strip()] if passed else []
    return replace(found, notes=(*found.notes, *dict.fromkeys(notes), *told))


def crystals_of(where: Path, options: LoadOptions = NO_OPTIONS) -> list[Entry]:
    """Every crystal of a structure file, or of all below a folder, in order; nothing is stored.

    Raises
    ------
    InputError
        If there is no such file or folder, it holds no structure file, or one holds something that is no crystal.
    """
    if where.is_dir():
        paths, root = structure_files(where), where
    elif is_structure_file(where):
        paths, root = [where], where.parent
    else:
        raise InputError(f"The file {where} is no CIF, POSCAR, JSON or XYZ file by its name.")
    if not paths:
        raise InputError(f"The folder {where} holds no CIF, POSCAR, JSON or XYZ file.")
    found: list[Entry] = []
    for batch in _batches(paths, root, options, []):
        for one in batch.read():
            if isinstance(one, Refusal):
                raise InputError(one.reason)
            found.append(one)
    return found


def structure_files(where: Path, leave: Collection[Path] = ()) -> list[Path]:
    """Every structure file below a folder, sorted, but for hidden ones and those of the folders `leave`."""
    found = (path for path in where.rglob("*") if is_structure_file(path) and path.is_file())
    return sorted(path for path in found if path.parent not in leave and not _hidden(path, where))


def passed_over(where: Path, taken: Collection[Path], leave: Collection[Path] = ()) -> list[str]:
    """Names of the files below a folder that are not read, sorted; hidden folders as one each."""
    known, names = set(taken), set[str]()
    for path in where.rglob("*"):
        if path in known or path.parent in leave or not path.is_file():
            continue
        parts = path.relative_to(where).parts
        hidden = next((number for number, part in enumerate(parts[:-1]) if part.startswith(".")), None)
        names.add("/".join(parts) if hidden is None else "/".join(parts[: hidden + 1]) + "/")
    return sorted(names)


def is_structure_file(path: Path) -> bool:
    """Whether the name says that it is one."""
    return form_of(path) is not None


def form_of(path: Path) -> str | None:
    """What kind of structure file the name says it is."""
    name = plain_name(path)
    return next((form for form, pattern in FORMS.items() if pattern.fullmatch(name)), None)


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _told(names: Sequence[str]) -> str:
    """What a load passed over, in a sentence."""
    if not names:
        return ""
    shown = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    return f" {len(names)} {'file was' if len(names) == 1 else 'files were'} passed over: {shown}."


def _batches(paths: list[Path], root: Path, options: LoadOptions, notes: list[str]) -> Iterator[Batch]:
    for place, path in enumerate(paths, 1):
        key, share = str(path.relative_to(root)), place / len(paths)
        name = options.source or root.resolve().name or "folder"
        form = form_of(path)
        try:
            if form == "xyz":
                yield from _frames(path, key, name, options, share)
            elif form == "json":
                yield from json_files.batches(path, key, options, share, notes, name)
            else:
                yield _crystals(path, key, name, options, share)
        except OSError as error:
            reason = f"The file {path.name} cannot be read: {error.strerror or error}."
            yield _refused(Refusal(key, reason), share)
        except InputError as error:
            yield _refused(Refusal(key, str(error)), share)


def _refused(refusal: Refusal, share: float) -> Batch:
    return Batch(refusal.key, digest("refused", refusal.key, refusal.reason), share, lambda: [refusal], refusal.key)


def _crystals(path: Path, key: str, name: str, options: LoadOptions, share: float) -> Batch:
    """Batch of a file with one crystal or a few."""
    content = content_of(path, LONGEST if form_of(path) == "xdatcar" else LARGEST)
    read = partial(_read, content, path, key, name, options)
    return Batch(key, digest("file", key, name, options.terms, content), share, read, key)


def _read(content: bytes, path: Path, key: str, name: str, options: LoadOptions) -> list[Entry | Refusal]:
    excerpt = content[:200].decode("utf-8", "replace")
    try:
        found = parse(content, path)
    except BAD as error:
        return [Refusal(key, reason_of(error), excerpt)]
    entries: list[Entry | Refusal] = []
    for number, one in enumerate(found, 1):
        mine = key if len(found) == 1 else f"{key}#{number}"
        if isinstance(one, Crystal):
            source = {"name": name, "key": mine, "licence": options.terms}
            entries.append(Entry(mine, one.structure, source, remarks=one.remarks, line=None))
        else:
            entries.append(Refusal(mine, reason_of(one), excerpt, number if len(found) > 1 else None))
    return entries


def parse(content: bytes, path: Path) -> list[Crystal | InputError]:
    """Every crystal of a CIF, POSCAR or XDATCAR file, or why there is none in its place.

    Raises
    ------
    InputError
        If it holds none.
    """
    what = f"file {path.name}"
    text = text_of(content, what)
    form = form_of(path)
    if form == "cif":
        return cif.read(text, what)
    return [xdatcar.read(text, what) if form == "xdatcar" else poscar.read(text, what)]


def _frames(path: Path, key: str, name: str, options: LoadOptions, share: float) -> Iterator[Batch]:
    """Batches of frames; the file counts as done with its last one."""
    told: set[str] = set()
    texts = enumerate(extxyz.frames(path), 1)
    chunk = list(itertools.islice(texts, FRAMES))
    while chunk:
        following = list(itertools.islice(texts, FRAMES))
        first, last = chunk[0][0], chunk[-1][0]
        single = first == 1 and last == 1 and not following

        def read(chunk: list[tuple[int, str]] = chunk, single: bool = single) -> Iterator[Entry | Refusal]:
            for number, text in chunk:
                frame = key if single else f"{key}#{number}"
                make = partial(extxyz.entry, text, frame, name, options, told)
                yield attempt(make, frame, text[:200], number)

        made_of = digest("frames", key, [name, options.terms, options.theory, options.columns], chunk)
        yield Batch(f"{key} to frame {last}", made_of, 0.0 if following else share, read, key)
        chunk = following
