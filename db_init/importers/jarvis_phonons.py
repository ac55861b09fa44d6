"""Phonon densities of states of JARVIS: one crystal a line, with 66 values on a grid that the file does not state.

``poscar`` is the crystal, ``jid`` its name, ``phonon_dos`` the values, whose largest is 1; ``formation_energy``
(eV/atom), ``band_gap`` (eV) and ``ehull`` (eV/atom) come in where they are. The grid is -300 to 1000 cm⁻¹ in steps of
20, as in the training data of Gurunathan, Choudhary and Tavazza, Phys. Rev. Mater. 7, 023803 (2023): silicon ends at
500 cm⁻¹ by it, GaAs at 240 and aluminium at 280, as measured. Values are scaled so that the area over all frequencies
is three times the atoms of the cell, and kept in states per THz and cell. Where more than 1 % of it lies below -20
cm⁻¹, the crystal is no minimum of its energy: its labels come in, and the curve is left out and told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from fermiloop.db_init.importers.crystals import text
from fermiloop.db_init.importers.entries import BAD, Batch, Curve, Entry, Refusal, attempt, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.jarvis import FUNCTIONAL, LICENCE, NAME
from fermiloop.db_init.importers.json_files import lines_of
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.phonon_curves import JARVIS_WAVENUMBERS, imaginary_part, of_wavenumbers, refusal
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Property

CHUNK: Final = 200
FIELDS: Final[dict[str, Property]] = {
    "formation_energy": Property.FORMATION_ENERGY_PER_ATOM,
    "band_gap": Property.BAND_GAP,
    "ehull": Property.ENERGY_ABOVE_HULL,
}


def load(path: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a file; bad lines go to quarantine, the rest goes in; a repeat adds nothing.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return take_in(path.name, _batches(path, options.licence or LICENCE), progress)


def _batches(path: Path, licence: str) -> Iterator[Batch]:
    rows = lines_of(path)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        made_of = digest("jarvis phonons", licence, chunk)
        share = (start + len(chunk)) / len(rows)
        yield Batch(f"{path.name} to line {chunk[-1][0]}", made_of, share, partial(_read, chunk, licence))


def _read(chunk: list[tuple[int, str]], licence: str) -> Iterator[Entry | Refusal]:
    for number, line in chunk:
        yield attempt(partial(_entry, line, number, licence), str(number), line[:200], number)


def _entry(line: str, number: int, licence: str) -> Entry:
    row = json.loads(line)
    if not isinstance(row, dict) or not isinstance(row.get("poscar"), str):
        raise InputError("no record of JARVIS's phonons: it has no poscar")
    key = str(row.get("jid") or number)
    crystal = text.read(row["poscar"], f"record {key}")
    method = external(NAME, FUNCTIONAL, licence)
    numbers = [
        (kind, found, method)
        for name, kind in FIELDS.items()
        if (found := value_of(kind, row.get(name), name)) is not None
    ]
    curve, remarks = None, list(crystal.remarks)
    try:
        curve = _curve(row, len(crystal.structure), method)
    except BAD as error:
        remarks.append(f"phonon density of states left out: {reason_of(error)}")
    source = {"name": NAME, "key": key, "licence": licence}
    return Entry(key, crystal.structure, source, tuple(numbers), curve, tuple(remarks))


def _curve(row: dict[str, Any], n_sites: int, method: Method) -> Curve:
    values = np.asarray(row["phonon_dos"], dtype=float)
    if values.shape != JARVIS_WAVENUMBERS.shape:
        raise InputError(f"it has {values.size} values, where {JARVIS_WAVENUMBERS.size} are due")
    x, y = of_wavenumbers(JARVIS_WAVENUMBERS, values, n_sites)
    if told := refusal(imaginary_part(x, y)):
        raise InputError(told)
    return Curve(x, y, method, kind=SpectrumKind.PHONON_DOS)
