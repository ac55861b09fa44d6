"""An export as a folder: a file for each crystal, and a table that names them beside everything known of them."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations import crystal_files
from fermiloop.platform.representations.crystal_files import CrystalForm
from fermiloop.platform.store import exchange_crystal, export_table
from fermiloop.platform.store.exchange_records import Kind, Row, Selection

INDEX: Final = "index.csv"
# field of a record that holds a crystal: what is added to the name of its file
CRYSTALS: Final = {
    Kind.MATERIALS: {"structure": ""},
    Kind.CANDIDATES: {"structure": "-proposed", "evaluated": "-computed"},
}


def write(selection: Selection, folder: Path, form: CrystalForm) -> int:
    """Write a folder; returns how many crystals it holds.

    The table `index.csv` is that of `export_table`, with the name of each file.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(selection, folder, form)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise  # a full disk is no slip of the name
        raise InputError(f"The folder {folder} cannot be written ({error.strerror}); name another one.") from None


def _write(selection: Selection, folder: Path, form: CrystalForm) -> int:
    columns = {**export_table.columns(selection), **{f"{field}_file": f"{field}_file" for field in _fields(selection)}}
    partial, last, names, n = folder / f".{INDEX}.part", None, {}, 0
    try:
        with partial.open("w", encoding="utf-8", newline="") as index:
            index.write(export_table.csv_line(columns.values()))
            for row in export_table.rows(selection):
                if row["id"] != last:  # a row for each Method, one crystal
                    last, names = row["id"], _crystals(row, selection, folder, form)
                    n += len(names)
                index.write(export_table.csv_line((row | names).get(name) for name in columns))
        partial.replace(folder / INDEX)
    finally:
        partial.unlink(missing_ok=True)
    return n


def _crystals(row: Row, selection: Selection, folder: Path, form: CrystalForm) -> dict[str, str]:
    """Write the crystals of a record; the name of each file by its column."""
    names = {}
    for field, ending in _fields(selection).items():
        if row.get(field):
            crystal = exchange_crystal.read(row[field])
            name = crystal_files.file_name(f"{row['id']}{ending}", crystal, form)
            (folder / name).write_text(crystal_files.text(crystal, form, f"{row['id']}{ending}"), encoding="utf-8")
            names[f"{field}_file"] = name
    return names


def _fields(selection: Selection) -> dict[str, str]:
    return CRYSTALS[selection.kind]
