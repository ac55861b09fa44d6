"""Structure files, one by one or in folders: CIF, POSCAR and extended XYZ."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from pymatgen.core import Structure

from fermiloop.db_init.importers import extxyz
from fermiloop.db_init.importers.entries import Batch, Entry, Refusal, attempt, digest
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError

LARGEST: Final = 5_000_000  # bytes of a file with one crystal
FRAMES: Final = 200  # of an extended XYZ file that are saved together
XYZ: Final = frozenset({".xyz", ".extxyz"})
SUFFIXES: Final = frozenset({".cif", ".vasp", ".poscar"}) | XYZ


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
    if where.is_file():
        paths, root = [where], where.parent
    elif where.is_dir():
        paths, root = structure_files(where, leave), where
    else:
        raise InputError(f"There is no {'file' if is_structure_file(where) else 'folder'} {where}.")
    if not paths:
        raise InputError(f"The folder {where} holds no CIF, POSCAR or XYZ file.")
    return take_in(where.name, _batches(paths, root, options), progress)


def structure_files(where: Path, leave: Collection[Path] = ()) -> list[Path]:
    """Every structure file below a folder, sorted, but for those of the folders `leave`."""
    found = (path for path in where.rglob("*") if path.is_file() and is_structure_file(path))
    return sorted(path for path in found if path.parent not in leave)


def is_structure_file(path: Path) -> bool:
    """Whether the name says that it is one."""
    return path.suffix.lower() in SUFFIXES or path.name.startswith(("POSCAR", "CONTCAR"))


def _batches(paths: list[Path], root: Path, options: LoadOptions) -> Iterator[Batch]:
    for place, path in enumerate(paths, 1):
        key, share = str(path.relative_to(root)), place / len(paths)
        name = options.source or root.resolve().name or "folder"
        try:
            if path.suffix.lower() in XYZ:
                yield from _frames(path, key, name, options, share)
            else:
                yield _crystal(path, key, name, options, share)
        except OSError as error:
            yield _refused(Refusal(key, f"The file {path.name} cannot be read: {error.strerror}."), share)


def _refused(refusal: Refusal, share: float) -> Batch:
    return Batch(refusal.key, digest("refused", refusal.key, refusal.reason), share, lambda: [refusal], refusal.key)


def _crystal(path: Path, key: str, name: str, options: LoadOptions, share: float) -> Batch:
    """Batch of a file with one crystal."""
    if path.stat().st_size > LARGEST:
        return _refused(Refusal(key, f"The file {path.name} is larger than {LARGEST // 1_000_000} MB."), share)
    content = path.read_bytes()
    read = partial(_one, content, path, key, name, options)
    return Batch(key, digest("file", key, name, options.terms, content), share, read, key)


def _one(content: bytes, path: Path, key: str, name: str, options: LoadOptions) -> list[Entry | Refusal]:
    source = {"name": name, "key": key, "licence": options.terms}
    excerpt = content[:200].decode("utf-8", "replace")
    return [attempt(lambda: Entry(key, parse(content, path), source), key, excerpt)]


def _frames(path: Path, key: str, name: str, options: LoadOptions, share: float) -> Iterator[Batch]:
    """Batches of frames; the file counts as done with its last one."""
    texts = enumerate(extxyz.frames(path), 1)
    chunk = list(itertools.islice(texts, FRAMES))
    while chunk:
        following = list(itertools.islice(texts, FRAMES))
        first, last = chunk[0][0], chunk[-1][0]
        single = first == 1 and last == 1 and not following

        def read(chunk: list[tuple[int, str]] = chunk, single: bool = single) -> Iterator[Entry | Refusal]:
            for number, text in chunk:
                frame = key if single else f"{key}#{number}"
                yield attempt(partial(extxyz.entry, text, frame, name, options), frame, text[:200], number)

        made_of = digest("frames", key, [name, options.terms, options.theory], chunk)
        yield Batch(f"{key} to frame {last}", made_of, 0.0 if following else share, read, key)
        chunk = following


def parse(content: bytes, path: Path) -> Structure:
    """Crystal of a CIF or POSCAR file.

    Raises
    ------
    InputError
        If it holds none.
    """
    return from_text(content, "cif" if path.suffix.lower() == ".cif" else "poscar", f"file {path.name}")


def from_text(content: bytes, form: str, what: str) -> Structure:
    """Crystal of a text in the form ``cif`` or ``poscar``.

    Raises
    ------
    InputError
        If it holds none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rounding of CIF coordinates is not worth a warning each
        try:
            return Structure.from_str(content.decode("utf-8"), fmt="cif" if form == "cif" else "poscar")
        except Exception as error:  # noqa: BLE001  (parsers raise many kinds for a text that is something else)
            raise InputError(f"The {what} holds no crystal: {type(error).__name__}.") from None
