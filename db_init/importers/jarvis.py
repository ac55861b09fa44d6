"""JARVIS files: the list of dictionaries that NIST shares on figshare, as JSON or as its zip archive.

Fields and units: Choudhary et al., npj Comput. Mater. 6, 173 (2020). Numbers that were not computed are
``"na"`` there. Densities of states are taken where a record has its own energies beside them; those of the
set ``edos_pdos`` have none.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers.dos import curve_of
from fermiloop.db_init.importers.entries import BAD, Batch, Curve, Entry, Refusal, attempt, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.errors import InputError
from fermiloop.schemas.fields import MAX_SITES
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Property

NAME: Final = "JARVIS-DFT"
FUNCTIONAL: Final = "OptB88vdW"
LICENCE: Final = "NIST-PD (public domain, NIST)"
LARGEST: Final = 2_000_000_000  # bytes of the JSON
CHUNK: Final = 200
FIELDS: Final[dict[str, Property]] = {
    "formation_energy_peratom": Property.FORMATION_ENERGY_PER_ATOM,
    "optb88vdw_bandgap": Property.BAND_GAP,
    "ehull": Property.ENERGY_ABOVE_HULL,
}


def load(path: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a JARVIS file.

    Raises
    ------
    InputError
        If the file is no list of records, or too large.
    """
    return take_in(path.name, _batches(path, options.licence or LICENCE), progress)


def _batches(path: Path, licence: str) -> Iterator[Batch]:
    rows = _content(path)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]

        def read(chunk: list[Any] = chunk, start: int = start) -> Iterator[Entry | Refusal]:
            for number, row in enumerate(chunk, start + 1):
                key = str(row.get("jid", number)) if isinstance(row, dict) else str(number)
                yield attempt(partial(_entry, row, key, licence), key, str(row)[:200], number)

        done = min(start + CHUNK, len(rows))
        yield Batch(f"{path.name}: {done} of {len(rows)}", digest("jarvis", licence, chunk), done / len(rows), read)


def _content(path: Path) -> list[Any]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = [info for info in archive.infolist() if info.filename.endswith(".json")]
                if len(members) != 1:
                    raise InputError(f"The archive {path} holds {len(members)} JSON files, where one is needed.")
                with archive.open(members[0]) as content:
                    text = content.read(LARGEST + 1)
        else:
            with path.open("rb") as content:
                text = content.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise InputError(f"The file {path} holds more than {LARGEST // 1_000_000_000} GB of JSON.")
        rows = json.loads(text)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError, RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"The file {path} cannot be read: {type(error).__name__}.") from None
    if not isinstance(rows, list):
        raise InputError(f"The file {path} is no list of JARVIS records.")
    return rows


def _entry(row: Any, key: str, licence: str) -> Entry:
    if not isinstance(row, dict) or not isinstance(row.get("atoms"), dict):
        raise InputError("no JARVIS record: it has no atoms")
    method = external(NAME, FUNCTIONAL, licence)
    numbers = [
        (kind, found, method)
        for name, kind in FIELDS.items()
        if (found := value_of(kind, row.get(name), name)) is not None
    ]
    curve, remarks = None, list[str]()
    try:
        curve, said = _curve(row, method)
        remarks += said
    except BAD as error:
        remarks.append(f"density of states left out: {reason_of(error)}")
    source = {"name": NAME, "key": key, "licence": licence}
    return Entry(key, _structure(row["atoms"]), source, tuple(numbers), curve, tuple(remarks))


def _structure(atoms: dict[str, Any]) -> Structure:
    """Crystal of JARVIS's dictionary: cell in rows, symbols with stray blanks, coordinates of either kind."""
    symbols = [str(symbol).strip() for symbol in atoms["elements"]]
    if len(symbols) != len(atoms["coords"]) or len(symbols) > MAX_SITES:
        raise InputError(f"{len(symbols)} elements for {len(atoms['coords'])} coordinates, of at most {MAX_SITES}")
    cell = Lattice(atoms["lattice_mat"])
    return Structure(cell, symbols, atoms["coords"], coords_are_cartesian=bool(atoms.get("cartesian", False)))


def _curve(row: dict[str, Any], method: Method) -> tuple[Curve | None, tuple[str, ...]]:
    """Density of states, whose energies JARVIS gives about the Fermi level, and what is to be said of it."""
    if not row.get("edos_energies") or not row.get("total_edos_up"):
        return None, ()
    spins = [_list(row["total_edos_up"])]
    if row.get("total_edos_down"):  # drawn below the axis there
        spins.append([abs(float(value)) for value in _list(row["total_edos_down"])])
    return curve_of(_list(row["edos_energies"]), spins, 0.0, method)


def _list(value: Any) -> list[Any]:
    """A list, or the text with commas that JARVIS makes of one."""
    return value.strip("' ").split(",") if isinstance(value, str) else list(value)
