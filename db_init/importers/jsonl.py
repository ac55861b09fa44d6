"""Structure files, one JSON object a line: cell, species, fractional coordinates and labels.

The labels of such files come from the Materials Project by two releases whose formation energies
differ by 0.049 eV/atom in the mean: each release is a Method of its own.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels, materials, methods, quarantine
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Engine, Origin, Property

CHUNK: Final = 500
FUNCTIONAL: Final = "PBE/PBE+U"
LICENCE: Final = "CC BY 4.0, Materials Project"
# field of the file: property, and the release whose Method it bears
FIELDS: Final[dict[str, tuple[Property, str]]] = {
    "e_form": (Property.FORMATION_ENERGY_PER_ATOM, "current"),
    "e_above_hull": (Property.ENERGY_ABOVE_HULL, "current"),
    "band_gap": (Property.BAND_GAP, "current"),
    "bulk_modulus_vrh": (Property.BULK_MODULUS, "current"),
    "shear_modulus_vrh": (Property.SHEAR_MODULUS, "current"),
    "e_form_mp2018": (Property.FORMATION_ENERGY_PER_ATOM, "2018"),
    "gap_mp2018": (Property.BAND_GAP, "2018"),
}


def load(path: Path, progress: Progress = silent) -> LoadReport:
    """Load a file of structures; bad lines go to quarantine, the rest goes in; a repeat adds nothing.

    Raises
    ------
    InputError
        If the file cannot be read at all.
    """
    releases = [{"source": "Materials Project", "release": release} for release in ("current", "2018")]
    by_release = {one["release"]: Method.make(Engine.EXTERNAL, FUNCTIONAL, one, {}).id for one in releases}
    loaded = already = refused = 0
    for chunk in _chunks(path):
        made: list[Material] = []
        numbers: list[Label] = []
        for line_number, line in chunk:
            try:
                material, found = _documents(line, by_release)
            except (InputError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
                quarantine.put(path.name, line_number, reason_of(error), line)
                refused += 1
                continue
            made.append(material)
            numbers += found
        if made:  # nothing is left behind by a file without a good line
            for one in releases:
                methods.save(Engine.EXTERNAL, FUNCTIONAL, one, {})
        labels.save_many(numbers)
        new = materials.save_many(made)
        loaded, already = loaded + new, already + len(made) - new
        progress(f"{path.name}: {loaded + already + refused} lines", 0.0)
    return LoadReport(loaded, already, refused)


def _chunks(path: Path) -> Iterator[list[tuple[int, str]]]:
    chunk: list[tuple[int, str]] = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    chunk.append((number, line))
                if len(chunk) == CHUNK:
                    yield chunk
                    chunk = []
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from None
    if chunk:
        yield chunk


def _documents(line: str, by_release: dict[str, str]) -> tuple[Material, list[Label]]:
    row: dict[str, Any] = json.loads(line)
    numbers = [*row["cell"], *(x for site in row["frac"] for x in site)]
    if not all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
        raise InputError("NaN or infinity in the cell or the coordinates")
    if len(row["species"]) != len(row["frac"]):
        raise InputError(f"{len(row['species'])} species for {len(row['frac'])} coordinates")
    structure = Structure(Lattice.from_parameters(*row["cell"]), row["species"], row["frac"])
    source = {"name": "Materials Project", "key": row.get("material_id", ""), "licence": LICENCE}
    material = Material.from_structure(structure, origin=Origin.IMPORT, source=source)
    material.check()
    found = []
    for name, (kind, release) in FIELDS.items():
        value = row.get(name)
        if value is not None and math.isfinite(value):
            made = Label.make(material.id, kind, float(value), method=by_release[release], calculation=None, version=1)
            made.check()
            found.append(made)
    return material, found
