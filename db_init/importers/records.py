"""One record of a JSON file: a crystal in one of the forms that people share, with what stands beside it.

| form | known by |
|---|---|
| pymatgen's structure | `lattice` and `sites` |
| pymatgen's computed entry or complete density of states | `@class` |
| a line of cell, species and fractional coordinates | `cell`, `species`, `frac` |
| a document of the Materials Project, a row of matbench or of one's own | `structure`, `cif`, `poscar` beside numbers |
| an entry of OPTIMADE | `attributes` |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import mp, optimade
from fermiloop.db_init.importers.columns import column_of
from fermiloop.db_init.importers.crystals import structure_json, text
from fermiloop.db_init.importers.crystals.elements import element, is_what, isotope_remark, plain
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.db_init.importers.crystals.poscar import right_handed
from fermiloop.db_init.importers.dos import curve_of
from fermiloop.db_init.importers.entries import BAD, Entry
from fermiloop.db_init.importers.matbench import Dataset
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.optimade_providers import Provider, at
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.provenance import (
    Provenance,
    is_materials_project,
    of_materials_project,
    settle,
    stated,
)
from fermiloop.db_init.importers.report import reason_of
from fermiloop.platform.errors import InputError
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import EXTERNAL, Property

Numbers = tuple[tuple[str, float, Method], ...]

KEYS: Final = ("material_id", "id", "entry_id", "jid", "key", "name", "uuid")  # fields that name a record
CRYSTALS: Final = (
    "structure",
    "cif",
    "poscar",
    "crystal",
    "final_structure",
)  # fields that hold a crystal, in this order
# run types of pymatgen's entries, as the functional is called
RUN_TYPES: Final = {"GGA": "PBE", "GGA_U": "PBE+U", "GGA+U": "PBE+U", "R2SCAN": "r2SCAN", "r2SCAN": "r2SCAN"}
SAME: Final = 1e-3  # of the property's unit, by which two fields of one property may differ
THEIRS: Final = (
    f"Records with ids of the Materials Project were taken as its own, {mp.LICENCE}; "
    "--source and --licence say otherwise."
)
LINE: Final = frozenset({"cell", "species", "frac"})
LINE_FUNCTIONAL: Final = "PBE/PBE+U"
LINE_LICENCE: Final = "CC BY 4.0, Materials Project"
# field of a line: property, and the release whose Method it bears; formation energies of the two releases differ by
# 0.049 eV/atom in the mean
LINE_FIELDS: Final[dict[str, tuple[Property, str]]] = {
    "e_form": (Property.FORMATION_ENERGY_PER_ATOM, "current"),
    "e_above_hull": (Property.ENERGY_ABOVE_HULL, "current"),
    "band_gap": (Property.BAND_GAP, "current"),
    "bulk_modulus_vrh": (Property.BULK_MODULUS, "current"),
    "shear_modulus_vrh": (Property.SHEAR_MODULUS, "current"),
    "e_form_mp2018": (Property.FORMATION_ENERGY_PER_ATOM, "2018"),
    "gap_mp2018": (Property.BAND_GAP, "2018"),
}


@dataclass
class File:
    """What is so for all records of a file.

    Parameters
    ----------
    name
        Of the source, where nothing else names it.
    stem
        Name of the file without its endings.
    options
        Options of the load.
    said
        What the file says of its source: source, licence, functional.
    dataset
        Set of matbench that it is.
    provider
        Provider of OPTIMADE that it comes from.
    notes
        Takes what is so for many records, and told once.
    """

    name: str
    stem: str
    options: LoadOptions = NO_OPTIONS
    said: dict[str, str] = field(default_factory=dict)
    dataset: Dataset | None = None
    provider: Provider | None = None
    notes: list[str] = field(default_factory=list)

    @cached_property
    def terms(self) -> list[Any]:
        """What the documents are made from beside the records."""
        options = self.options
        return [self.name, options.source, options.licence, options.functional, options.columns, self.said,
                str(self.dataset), str(self.provider)]  # fmt: skip

    def provenance(self, row: Mapping[str, Any], known: Provenance | None) -> Provenance:
        """Source of a record."""
        found = settle(self.options, {**self.said, **stated(row)}, known, self.name)
        own = "builder_meta" in row or row.keys() >= LINE  # what only the Materials Project's documents have
        if known is not None and found.source == known.source == mp.NAME and not own:
            self.notes.append(THEIRS)
        return found


def key_of(row: Any) -> str | None:
    """Name of a record by its own word."""
    if not isinstance(row, Mapping):
        return None
    found = next((row[name] for name in KEYS if isinstance(row.get(name), str | int) and row[name] != ""), None)
    return None if found is None else str(found)[:200]


def is_record(row: Any) -> bool:
    """Whether this may hold a crystal in a form that is known."""
    return isinstance(row, Mapping) and _reader(row) is not None


def is_crystal(cell: Any) -> bool:
    """Whether this may be a crystal by itself: a structure's dictionary, or a text of several lines."""
    return structure_json.is_structure(cell) or (isinstance(cell, str) and "\n" in cell.strip())


def entry(row: Any, key: str, file: File) -> Entry:
    """Crystal and numbers of a record.

    Raises
    ------
    InputError
        If it holds no crystal in a form that is known, or no ordered one, or a number in it is invalid.
    """
    reader = _reader(row) if isinstance(row, Mapping) else None
    if reader is None:
        raise InputError(f"The record {key} holds no crystal: it is {looks_like(row)}.")
    return reader(row, key_of(row) or key, file)


def _reader(row: Mapping[str, Any]) -> Callable[[Mapping[str, Any], str, File], Entry] | None:
    if str(row.get("@class")) == "ComputedStructureEntry":
        return _computed
    if structure_json.is_structure(row):
        return _bare
    if "Dos" in str(row.get("@class")):
        return _dos if isinstance(row.get("structure"), Mapping) else None
    if row.keys() >= LINE:
        return _line
    if isinstance(row.get("attributes"), Mapping) and "lattice_vectors" in row["attributes"]:
        return _optimade
    return _row if any(row.get(name) for name in CRYSTALS) else None


def _bare(row: Mapping[str, Any], key: str, file: File) -> Entry:
    crystal = structure_json.read(row, f"record {key}")
    return _entry(key, crystal, file.provenance({}, None), ())


def _entry(key: str, crystal: Crystal, provenance: Provenance, numbers: Numbers) -> Entry:
    return Entry(key, crystal.structure, provenance.of(key), numbers, remarks=crystal.remarks)


def _computed(row: Mapping[str, Any], key: str, file: File) -> Entry:
    """A computed entry: its raw energy, without the corrections of a mixing scheme."""
    if not isinstance(row.get("structure"), Mapping):
        raise InputError(f"The record {key} is an entry of pymatgen without a structure.")
    crystal = structure_json.read(row["structure"], f"record {key}")
    parameters = row.get("parameters") or {}
    run_type = parameters.get("run_type")
    known = _known(row, key)
    provenance = file.provenance(row, known)
    if run_type and not file.options.functional:
        functional = RUN_TYPES.get(str(run_type), str(run_type)[:40])
        provenance = Provenance(provenance.source, provenance.licence, functional, provenance.settings)
    if row.get("correction") or row.get("energy_adjustments"):
        file.notes.append("Corrections of computed entries were left out: energies are as they were computed.")
    hubbards = {name: value for name, value in (parameters.get("hubbards") or {}).items() if value}
    method = provenance.method(**({"hubbards": hubbards} if hubbards else {}))
    total = value_of(Property.ENERGY_PER_ATOM, row.get("energy"), "energy")
    numbers = () if total is None else ((Property.ENERGY_PER_ATOM, total / len(crystal.structure), method),)
    return _entry(key, crystal, provenance, numbers)


def _dos(row: Mapping[str, Any], key: str, file: File) -> Entry:
    """A complete density of states of pymatgen: the crystal with its curve."""
    crystal = structure_json.read(row["structure"], f"record {key}")
    provenance = file.provenance(row, None)
    made = _entry(key, crystal, provenance, ())
    try:
        curve, told = curve_of(row["energies"], list(row["densities"].values()), row["efermi"], provenance.method())
    except BAD as error:
        return replace(made, remarks=(*made.remarks, f"The density of states was left out: {reason_of(error)}"))
    return replace(made, curve=curve, remarks=(*made.remarks, *told))


def _known(row: Mapping[str, Any], key: str) -> Provenance | None:
    """What a record is known for by its id; entries of the Materials Project bear the run type behind theirs."""
    parts = key.split("-")
    own = "-".join(parts[:2])
    return of_materials_project(row) if is_materials_project(own) else None


def _line(row: Mapping[str, Any], key: str, file: File) -> Entry:
    crystal = _of_line(row)
    ours = is_materials_project(row.get("material_id"))
    known = Provenance(mp.NAME, LINE_LICENCE, LINE_FUNCTIONAL) if ours else None
    provenance = file.provenance(row, known)
    numbers = []
    for name, (kind, release) in LINE_FIELDS.items():
        if row.get(name) is not None and (release == "current" or ours):
            if isinstance(row[name], str):
                raise InputError(f"The value of {name} is {row[name][:40]!r}, which must be real number.")
            value = value_of(kind, row[name], name)
            if value is not None:
                numbers.append((kind, value, _method_of_line(provenance, known, release)))
    return _entry(str(row.get("material_id", "") or key), crystal, provenance, tuple(numbers))


def _method_of_line(provenance: Provenance, known: Provenance | None, release: str) -> Method:
    if provenance == known:  # the Method that these files have always had
        return Method.make(EXTERNAL, LINE_FUNCTIONAL, {"source": mp.NAME, "release": release}, {})
    return provenance.method(**({"release": release} if provenance.source == mp.NAME else {}))


def _of_line(row: Mapping[str, Any]) -> Crystal:
    numbers = [*row["cell"], *(x for site in row["frac"] for x in site)]
    if not all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
        raise InputError("NaN or infinity in the cell or the coordinates")
    if len(row["species"]) != len(row["frac"]):
        raise InputError(f"{len(row['species'])} species for {len(row['frac'])} coordinates")
    symbols = []
    for name in row["species"]:
        symbol = element(name) if isinstance(name, str) and name == name.capitalize() else None
        if symbol is None:
            raise InputError(f"The species {name!r} {is_what(str(name))}.")
        symbols.append(symbol)
    structure = Structure(Lattice.from_parameters(*row["cell"]), [plain(one) for one in symbols], row["frac"])
    return Crystal(right_handed(structure), isotope_remark(set(symbols)))


def _optimade(row: Mapping[str, Any], key: str, file: File) -> Entry:
    provider = file.provider or optimade.known_provider(None, file.options, file.name)
    return optimade.entry_of({**row, "id": str(row.get("id") or key)}, provider)


def _row(row: Mapping[str, Any], key: str, file: File) -> Entry:
    """A crystal in one of the fields, numbers in others."""
    name = next(name for name in CRYSTALS if row.get(name))
    held = row[name]
    if isinstance(held, Mapping):
        crystal = structure_json.read(held, f"record {key}")
    elif isinstance(held, str):
        crystal = text.read(held, f"record {key}")
    else:
        raise InputError(f"The record {key} holds no crystal in {name}, but {looks_like(held)}.")
    n = len(crystal.structure)
    if file.dataset is not None:
        provenance = file.provenance(row, Provenance(*file.dataset.provenance))
        return _entry(key, crystal, provenance, tuple(file.dataset.numbers(row, n, provenance.method())))
    known = of_materials_project(row) if is_materials_project(row.get("material_id")) else None
    provenance = file.provenance(row, known)
    if known is not None and provenance.source == known.source:
        return _entry(key, crystal, provenance, _of_materials_project(row, provenance.method()))
    return _entry(key, crystal, provenance, _numbers(row, n, file, provenance.method()))


def _of_materials_project(row: Mapping[str, Any], method: Method) -> Numbers:
    """Numbers of a summary document, those that the importer of the Materials Project takes."""
    found = []
    for path, kind in mp.FIELDS.items():
        held = at(dict(row), path) if len(path) == 1 or isinstance(row.get(path[0]), Mapping) else row.get(path[0])
        value = value_of(kind, held, ".".join(path))
        if value is not None:
            found.append((kind, value, method))
    return tuple(found)


def _numbers(row: Mapping[str, Any], n_sites: int, file: File, method: Method) -> Numbers:
    """Numbers under known names, and under those that the options name."""
    given = file.options.columns
    columns = [one for name in row if (one := column_of(name, given.get(name))) is not None]
    named = {column.kind for column in columns if column.name in given}
    found: dict[str, float] = {}
    for column in columns:
        held = row[column.name]
        if isinstance(held, list) or (column.kind in named and column.name not in given):
            continue
        value = column.value(held.get("vrh") if isinstance(held, Mapping) else held, n_sites)
        if value is None:
            continue
        if abs(found.setdefault(column.kind, value) - value) > SAME:
            raise InputError(
                f"{column.name} is {value:g} as {column.kind}, but another field says {found[column.kind]:g}; "
                f"say which to take by --column {column.name}={column.kind}."
            )
    return tuple((kind, value, method) for kind, value in found.items())


def looks_like(content: Any) -> str:
    """What something is that is no crystal, in words."""
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}" if content is not None else "null"
    kind = str(content.get("@class") or "")
    if "Dos" in kind or {"densities", "energies"} <= content.keys():
        return "a density of states"
    if kind in {"Molecule", "IMolecule"}:
        return "a molecule"
    if kind:
        return f"a {kind[:40]} of another program"
    if {"uuid", "output"} <= content.keys():
        return "an output of a job store, which jobstore:FILE reads"
    if {"jid", "atoms"} <= content.keys():
        return "a record of JARVIS, which jarvis:FILE reads"
    return f"an object with the fields {', '.join(map(str, list(content)[:6]))}"[:200] if content else "an empty object"
