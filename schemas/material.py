"""A crystal and where it came from."""

from __future__ import annotations

from typing import Any

from mongoengine import DateTimeField, DictField, EnumField, FloatField, IntField, ListField, StringField
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.fingerprint import fingerprint
from fermiloop.schemas.base import BaseDocument, content_id, now
from fermiloop.schemas.fields import FiniteField, StructureField, structure_fault
from fermiloop.schemas.vocabulary import CrystalSystem, Origin

SYMMETRY_TOLERANCE = 0.01  # Å
COORDINATE_DIGITS = 4  # of fractional coordinates and Å, for the id


class Material(BaseDocument):
    """One crystal; the same crystal is the same document."""

    meta = {"collection": "materials"}

    structure = StructureField(required=True)  # pymatgen dictionary, Å
    formula = StringField(required=True)  # reduced
    formula_lower = StringField(required=True)
    elements = ListField(StringField(), required=True)  # sorted symbols
    n_elements = IntField(required=True, min_value=1)
    n_sites = IntField(required=True, min_value=1)
    chemical_system = StringField(required=True)  # Al-Ni
    crystal_system = EnumField(CrystalSystem, required=True)
    space_group = IntField(required=True, min_value=1, max_value=230)
    prototype = StringField(required=True)  # Strukturbericht, or anonymous formula and space group
    volume_per_atom = FiniteField(required=True)  # Å³
    fingerprint = ListField(FloatField(), required=True)  # platform.representations.fingerprint
    origin = EnumField(Origin, required=True)
    source = DictField()  # name, key, licence
    candidate = StringField()
    created_at = DateTimeField(default=now)

    @classmethod
    def from_structure(
        cls,
        structure: Structure,
        *,
        origin: Origin,
        source: dict[str, Any],
        prototype: str | None = None,
        candidate: str | None = None,
    ) -> Material:
        """Describe a crystal.

        Raises
        ------
        InputError
            If it is none: no volume, overlapping atoms, numbers that are not finite, no elements, no symmetry found.
        """
        fault = structure_fault(structure)
        if fault:
            raise InputError(f"The structure {structure.composition.formula or '(empty)'} is refused: {fault}.")
        plain, analyser = _bare(structure)
        number = int(analyser.get_space_group_number())
        composition = plain.composition
        symbols = sorted(element.symbol for element in composition.elements)
        return cls(
            id=structure_id(plain),
            structure=plain.as_dict(),
            formula=composition.reduced_formula,
            formula_lower=composition.reduced_formula.lower(),
            elements=symbols,
            n_elements=len(symbols),
            n_sites=len(plain),
            chemical_system="-".join(symbols),
            crystal_system=CrystalSystem(analyser.get_crystal_system()),
            space_group=number,
            prototype=prototype or f"{composition.anonymized_formula}-{number}",
            volume_per_atom=plain.volume / len(plain),
            fingerprint=[float(x) for x in fingerprint(plain)],
            origin=origin,
            source=source,
            candidate=candidate,
        )

    def to_structure(self) -> Structure:
        """The crystal as pymatgen's object."""
        return Structure.from_dict(self.structure)


def _bare(structure: Structure) -> tuple[Structure, SpacegroupAnalyzer]:
    """The crystal without charges, moments or other properties of sites, and its symmetry."""
    try:
        plain = Structure(structure.lattice, [site.specie.symbol for site in structure], structure.frac_coords)
        analyser = SpacegroupAnalyzer(plain, symprec=SYMMETRY_TOLERANCE)
        analyser.get_crystal_system()
    except ValueError as error:
        raise InputError(f"The structure {structure.composition.formula} is refused: {error}.") from None
    return plain, analyser


def structure_id(structure: Structure) -> str:
    """Id of a crystal as written: its cell and sites, rounded."""
    sites = sorted(
        (site.specie.symbol, *(round(float(x) % 1.0, COORDINATE_DIGITS) % 1.0 for x in site.frac_coords))
        for site in structure
    )
    cell = [[round(float(x), COORDINATE_DIGITS) + 0.0 for x in row] for row in structure.lattice.matrix]
    return content_id("m", cell, sites)
