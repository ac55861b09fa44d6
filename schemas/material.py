"""A crystal and where it came from."""

from __future__ import annotations

from typing import Any

from mongoengine import DateTimeField, DictField, EnumField, FloatField, IntField, ListField, StringField
from pymatgen.core import Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.canonical import Form, cell_id, crystal_system
from fermiloop.schemas.base import BaseDocument, now
from fermiloop.schemas.fields import FiniteField, StructureField, structure_fault
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.vocabulary import CrystalSystem, Origin

structure_id = cell_id


class Material(BaseDocument):
    """One crystal, whatever the cells in which it came: its id is that of the first one's canonical cell."""

    meta = {"collection": "materials"}

    as_it_came: Setting | None = None  # not stored here: the cell that `from_structure` was given

    structure = StructureField(required=True)  # canonical cell: pymatgen dictionary, Å
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
        about: dict[str, Any] = {"origin": origin, "source": source, "prototype": prototype, "candidate": candidate}
        return cls.from_setting(Setting.from_structure(structure, **about))

    @classmethod
    def from_setting(cls, setting: Setting) -> Material:
        """The material that a cell makes where it is the first of its crystal."""
        form = setting.to_form()
        made = cls(
            id=setting.material,
            origin=setting.origin,
            source=setting.source,
            candidate=setting.candidate,
            **described(form, setting.prototype),
        )
        made.as_it_came = setting
        return made

    def to_structure(self) -> Structure:
        """The crystal as pymatgen's object."""
        return Structure.from_dict(self.structure)


def described(form: Form, prototype: str | None) -> dict[str, Any]:
    """What a material says of its crystal, by field."""
    symbols = sorted(set(form.symbols))
    anonymous = form.structure.composition.anonymized_formula
    return {
        "structure": form.structure.as_dict(),
        "formula": form.formula,
        "formula_lower": form.formula.lower(),
        "elements": symbols,
        "n_elements": len(symbols),
        "n_sites": len(form.symbols),
        "chemical_system": "-".join(symbols),
        "crystal_system": CrystalSystem(crystal_system(form.space_group)),
        "space_group": form.space_group,
        "prototype": prototype or f"{anonymous}-{form.space_group}",
        "volume_per_atom": form.volume_per_atom,
        "fingerprint": [float(x) for x in form.fingerprint],
    }
