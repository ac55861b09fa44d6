"""What OPTIMADE calls a crystal: fields of version 1.2, and those of our own with the provider's prefix.

Andersen et al., Sci. Data 8, 217 (2021); specification at https://www.optimade.org.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from math import gcd
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.properties import Derived
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES
from fermiloop.schemas.vocabulary import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.plugins.properties import PropertyDeclaration

PREFIX: Final = "fermiloop"
API_VERSION: Final = "1.2.0"

Field = tuple[str, str | None, str]
# name without prefix: OPTIMADE type, unit where there is one, description
BEFORE: Final[dict[str, Field]] = {
    "kind": ("string", None, "material (known, imported or computed) or candidate (proposed by a generator)"),
    "origin": ("string", None, "where a material came from: seed, import or campaign"),
    "stage": ("string", None, "how far a candidate has come: proposed, rejected, passed, selected, evaluated, failed"),
    "campaign": ("string", None, "campaign that proposed the candidate"),
    "round": ("integer", None, "round of the campaign"),
    "generator": ("string", None, "what proposed the candidate, with its preset"),
    "checkpoint": ("string", None, "id of the generator's trained state"),
    "parent": ("string", None, "id of the material that the candidate was made from"),
    "seed": ("integer", None, "seed of the random numbers that made the candidate"),
    "candidate": ("string", None, "id of the candidate that a material is the result of"),
    "material": ("string", None, "id of the material that a candidate became"),
    "calculation": ("string", None, "id of the calculation that gave the numbers"),
    "method": ("string", None, "id of the engine, functional and settings that gave the curve and numbers"),
    GENERATOR: ("float", None, "the generator's own score of a candidate, higher is better"),
    "probability": ("float", None, "calibrated probability that a candidate meets the target"),
    HIT: ("boolean", None, "whether an evaluated candidate is what its campaign looks for"),
    "geometry": ("string", None, "of a candidate's crystal: computed (by its evaluation) or proposed"),
}
AFTER: Final[dict[str, Field]] = {
    "labels": ("list", None, "every value of a material, by any method: property, value, unit, method, version"),
    "dos_energies": ("list", "eV", "energies of the density of states, zero as dos_zero says"),
    "dos_values": ("list", "states/eV/cell", "computed density of states at dos_energies, spins summed"),
    "dos_zero": ("string", None, "what lies at zero of dos_energies"),
    "n_electrons": ("float", None, "electrons of a cell that the density of states counts"),
    "prototype": ("string", None, "Strukturbericht symbol, or anonymous formula and space group"),
    "crystal_system": ("string", None, "one of the seven crystal systems"),
    "dos_fingerprint": ("list", None, "levels 0 to 56 of the DOS from -7.5 to 7.5 eV, see Kuban et al. 2022"),
    "source_name": ("string", None, "database or file that a material came from"),
    "source_key": ("string", None, "its key there"),
    "licence": ("string", None, "licence of the source"),
}  # fmt: skip


def _fields(declared: Sequence[PropertyDeclaration]) -> dict[str, Field]:
    known = {name: _number(one.unit, one.meaning) for name, one in SCORES.items()}
    for one in declared:
        if one.of_material:
            meaning = SCORES[one.name].meaning if one.name in SCORES else one.description or one.title
            known[one.name] = _number(one.unit, f"{meaning}; of a material as computed")
    return {**BEFORE, **known, **AFTER}


def _number(unit: str, meaning: str) -> Field:
    return "float", None if unit == Unit.DIMENSIONLESS else str(unit), meaning


PROVIDER_FIELDS: Final = Derived(_fields)
"""Name without prefix to OPTIMADE type, unit where there is one, and description."""

# id, then fields of an OPTIMADE reference
OWN_REFERENCES: Final[dict[str, dict[str, Any]]] = {
    "kuban-2022": {
        "authors": [{"name": "Kuban et al.", "lastname": "Kuban"}], "journal": "Sci. Data", "volume": "9",
        "pages": "646", "year": "2022", "bib_type": "article",
        "title": "Density-of-states similarity descriptor for unsupervised learning from materials data",
    },
    "fermiloop-seed": {
        "authors": [{"name": "The fermiloop developers"}], "bib_type": "misc", "title": "fermiloop seed library",
        "note": "GPAW with PBE, by the methods of its labels",
    },
}  # fmt: skip
SEED: Final = "fermiloop seed library"


def structure_fields(structure: Mapping[str, Any]) -> dict[str, Any]:
    """OPTIMADE's fields of an ordered crystal.

    Parameters
    ----------
    structure
        pymatgen's dictionary of it; lengths in Å.
    """
    symbols = [str(site["species"][0]["element"]) for site in structure["sites"]]
    counts = dict(sorted(Counter(symbols).items()))
    matrix = [[float(x) for x in row] for row in structure["lattice"]["matrix"]]
    return {
        "elements": list(counts),
        "nelements": len(counts),
        "elements_ratios": [count / len(symbols) for count in counts.values()],
        "chemical_formula_descriptive": _spelled(counts),
        "chemical_formula_reduced": _spelled(_reduced(counts)),
        "chemical_formula_hill": _spelled(_hill_order(counts)),
        "chemical_formula_anonymous": anonymous_formula(counts),
        "dimension_types": [1, 1, 1],
        "nperiodic_dimensions": 3,
        "lattice_vectors": matrix,
        "cartesian_site_positions": [_position(site, matrix) for site in structure["sites"]],
        "nsites": len(symbols),
        "species": [{"name": s, "chemical_symbols": [s], "concentration": [1.0]} for s in counts],
        "species_at_sites": symbols,
        "structure_features": [],
    }


def anonymous_formula(counts: Mapping[str, int]) -> str:
    """Formula with letters in place of elements, the most frequent first: ``A3B`` of Ni3Al."""
    amounts = sorted(_reduced(counts).values(), reverse=True)
    letters = (ascii_uppercase[i % 26] + ("" if i < 26 else ascii_lowercase[i // 26 - 1]) for i in range(len(amounts)))
    return _spelled(dict(zip(letters, amounts, strict=True)))


def references() -> dict[str, dict[str, Any]]:
    """What the generators rest on, the fingerprint and the seed library: id to fields of an OPTIMADE reference."""
    papers = [declared.reference for declared in GENERATORS.values() if declared.reference]
    return {paper.key: paper.optimade() for paper in papers} | OWN_REFERENCES


def _reference_of(name: str) -> str | None:
    """Id of the reference of a generator, of any preset, or a source."""
    declared = GENERATORS.get(name.partition("/")[0])
    if declared is not None and declared.reference:
        return declared.reference.key
    return "fermiloop-seed" if name == SEED else None


def relationships(*names: str | None) -> dict[str, Any]:
    """OPTIMADE's relationships to the references of generators (of any preset) and sources that have one."""
    known = (_reference_of(name or "") for name in names)
    data = [{"type": "references", "id": key} for key in dict.fromkeys(known) if key]
    return {"references": {"data": data}} if data else {}


def _reduced(counts: Mapping[str, int]) -> dict[str, int]:
    divisor = reduce(gcd, counts.values())
    return {name: count // divisor for name, count in counts.items()}


def _hill_order(counts: Mapping[str, int]) -> dict[str, int]:
    first = [name for name in ("C", "H") if name in counts] if "C" in counts else []
    return {name: counts[name] for name in (*first, *(n for n in sorted(counts) if n not in first))}


def _spelled(counts: Mapping[str, int]) -> str:
    return "".join(f"{name}{count if count > 1 else ''}" for name, count in counts.items())


def _position(site: Mapping[str, Any], matrix: list[list[float]]) -> list[float]:
    """Cartesian coordinates in Å."""
    if "xyz" in site:
        return [float(x) for x in site["xyz"]]
    return [sum(float(f) * row[axis] for f, row in zip(site["abc"], matrix, strict=True)) for axis in range(3)]
