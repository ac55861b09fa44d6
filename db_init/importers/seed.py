"""The seed libraries: crystals, densities of states and energies computed for this project, each file by one Method."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from pymatgen.core import Structure

from fermiloop.db_init import seed_method
from fermiloop.db_init.importers.dos import gap_in
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Origin, Property

FOLDER: Final = Path(__file__).parent.parent / "seed"
SHIPPED: Final = FOLDER / "gpaw_pbe.jsonl.gz"
SHIPPED_HARD: Final = FOLDER / "gpaw_pbe_hard.jsonl.gz"
LIBRARIES: Final = ((SHIPPED, seed_method.GPAW), (SHIPPED_HARD, seed_method.GPAW_HARD))
REFERENCE: Final = "reference"  # kind of a record that is an element's energy alone, such as that of a molecule
GRID: Final = np.linspace(seed_method.DOS_LO, seed_method.DOS_HI, seed_method.DOS_POINTS)
CHUNK: Final = 200


def load_all(progress: Progress = silent, libraries: Iterable[tuple[Path, dict[str, Any]]] = LIBRARIES) -> LoadReport:
    """Load every library that is shipped, each with its Method; a repeat adds nothing."""
    reports = [load(path, progress, method) for path, method in libraries]
    return LoadReport(
        sum(one.loaded for one in reports), sum(one.already for one in reports), sum(one.quarantined for one in reports)
    )


def load(path: Path = SHIPPED, progress: Progress = silent, method: dict[str, Any] = seed_method.GPAW) -> LoadReport:
    """Load a library in the seed's format; a repeat adds nothing.

    Formation energies are taken against the lowest record of each element in the same file.

    Parameters
    ----------
    path
        One record a line, plain or gzip.
    progress
        Told what is done.
    method
        What `methods.save` takes: the Method of its energies and curves.

    Raises
    ------
    InputError
        If the file is missing or is not gzip.
    """
    rows = read(path)
    gpaw = methods.save(**method)
    chgnet = methods.save(**seed_method.CHGNET)
    references = elemental_references([row for _, row in rows if isinstance(row, dict)])
    loaded = refused = 0
    for start in range(0, len(rows), CHUNK):
        documents: list[tuple[Material, Spectrum | None, list[Label]]] = []
        for number, row in rows[start : start + CHUNK]:
            try:
                documents.append(_documents(row, references, gpaw, chgnet))
            except (InputError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                quarantine.put(path.name, number, reason_of(error), str(row)[:200])
                refused += 1
        # Curves and labels first: a material without them would never get them on a repeat.
        spectra.save_many(spectrum for _, spectrum, _ in documents if spectrum is not None)
        labels.save_many(label for _, _, found in documents for label in found)
        loaded += materials.save_many([material for material, _, _ in documents])
        progress("seed library", min(1.0, (start + CHUNK) / len(rows)))
    return LoadReport(loaded, len(rows) - loaded - refused, refused)


def read(path: Path) -> list[tuple[int, Any]]:
    """Number and content of each line of a library file: a record, or the text of what is no JSON.

    Raises
    ------
    InputError
        If the file cannot be read at all.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            return [(number, _content(line)) for number, line in enumerate(lines, 1) if line.strip()]
    except FileNotFoundError:
        raise InputError(f"There is no library {path}.") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"The library {path} cannot be read: {error}.") from None


def elemental_references(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Lowest energy per atom of each element, by the DFT and by CHGNet."""
    lowest: dict[str, dict[str, float]] = {"energy": {}, "chgnet": {}}
    for row in rows:
        try:
            symbols = {site["species"][0]["element"] for site in row["structure"]["sites"]}
            found = {"energy": row["energy"] / len(row["structure"]["sites"]), "chgnet": row["chgnet_energy_per_atom"]}
            finite = all(map(math.isfinite, found.values()))
        except (ArithmeticError, LookupError, TypeError):
            continue  # no record: it goes to quarantine with its reason
        if len(symbols) == 1 and finite:
            element = symbols.pop()
            for kind, value in found.items():
                lowest[kind][element] = min(value, lowest[kind].get(element, math.inf))
    return lowest


def _content(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line


def _documents(
    row: Any, references: dict[str, dict[str, float]], gpaw: str, chgnet: str
) -> tuple[Material, Spectrum | None, list[Label]]:
    """Material, curve and labels of a record; of a reference there is no curve."""
    if not isinstance(row, dict) or not {"structure", "energy"} <= set(row):
        raise InputError("no record of a library")
    structure = Structure.from_dict(row["structure"])
    source = {"name": "fermiloop seed library", "key": row["key"], "licence": "MIT"}
    material = Material.from_structure(structure, origin=Origin.SEED, source=source, prototype=row["prototype"])
    material.check()
    factor = material.n_sites / len(structure)  # what is per cell in the file becomes per cell of the material
    numbers = _energies(row, structure, references, gpaw, chgnet)
    spectrum = None
    if row.get("kind") != REFERENCE:
        spectrum = _spectrum(row, material, factor, gpaw)
        spectrum.check()
        numbers += [
            (Property.FERMI_LEVEL, row["efermi"], gpaw),
            (Property.MAGNETIC_MOMENT, factor * row["magmom"], gpaw),
        ]
        numbers += [(Property.BAND_GAP, row["gap"], gpaw)] if "gap" in row else []
    made = [
        Label.make(material.id, name, float(value), method=method, calculation=None, version=1)
        for name, value, method in numbers
    ]
    for label in made:
        label.check()
    return material, spectrum, made


def _spectrum(row: dict[str, Any], material: Material, factor: float, gpaw: str) -> Spectrum:
    density = factor * np.asarray(row["dos"], dtype=float)
    gap = row["gap"] if "gap" in row else gap_in(GRID, density)
    return Spectrum.from_arrays(
        material.id, GRID, density, method=gpaw, n_electrons=factor * row["nelectrons"], gap=gap
    )


def _energies(
    row: dict[str, Any], structure: Structure, references: dict[str, dict[str, float]], gpaw: str, chgnet: str
) -> list[tuple[str, float, str]]:
    """Property, value and Method of the energies; the formation energy only where every element has a reference."""
    energy = row["energy"] / len(structure)
    found: list[tuple[str, float, str]] = [
        (Property.ENERGY_PER_ATOM, energy, gpaw),
        (Property.ENERGY_PER_ATOM, row["chgnet_energy_per_atom"], chgnet),
        (Property.FORMATION_ENERGY_PER_ATOM, row["chgnet_formation"], chgnet),
    ]
    fractions = structure.composition.fractional_composition.get_el_amt_dict()
    if set(fractions) <= set(references["energy"]):
        formation = energy - sum(x * references["energy"][element] for element, x in fractions.items())
        found.append((Property.FORMATION_ENERGY_PER_ATOM, formation, gpaw))
    return found
