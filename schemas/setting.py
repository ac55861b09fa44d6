"""A cell in which a crystal came: nothing of it is lost when it becomes, or joins, a material."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from mongoengine import BooleanField, DateTimeField, DictField, EnumField, IntField, StringField
from pymatgen.core import Structure

from fermiloop.platform.representations.canonical import Form, canonical, cell_id
from fermiloop.schemas.base import BaseDocument, content_id, now
from fermiloop.schemas.fields import ArrayField, PlainField, StructureField
from fermiloop.schemas.vocabulary import Origin

# what of a setting its canonical form is read from
OF_FORM: Final = ("form", "formula", "primitive", "space_group", "symmetry", "pseudo", "fingerprint")


class Setting(BaseDocument):
    """One cell of one source; `form` and `cell` are ids that lead to its material."""

    meta = {"collection": "settings"}

    _form: Form | None = None  # canonical form, where it was made here

    material = StringField(required=True)
    cell = StringField(required=True)  # id of the cell as written
    form = StringField(required=True)  # id of its canonical cell
    structure = StructureField(required=True)  # pymatgen dictionary as it came, Å; moments and charges with it
    n_sites = IntField(required=True, min_value=1)
    formula = StringField(required=True)  # reduced
    primitive = PlainField(required=True)  # canonical cell: lattice (3, 3) Å, species, frac (n, 3)
    space_group = IntField(required=True, min_value=1, max_value=230)
    symmetry = StringField(required=True)  # platform.representations.canonical
    pseudo = StringField(required=True)
    fingerprint = ArrayField(required=True)
    origin = EnumField(Origin, required=True)
    source = DictField()  # name, key, licence
    prototype = StringField()
    candidate = StringField()
    settled = BooleanField(default=False)  # compared with all others of its formula
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
    ) -> Setting:
        """Describe a cell; its material is its own canonical form until the store finds another.

        Raises
        ------
        InputError
            If no symmetry is found in it.
        """
        form = canonical(structure)
        kept = structure.as_dict()
        for site in kept["sites"]:
            site["properties"] = {str(name): _plain(value) for name, value in (site.get("properties") or {}).items()}
        made = cls(
            id=content_id("set", _content(structure, kept), str(source.get("name")), str(source.get("key"))),
            material=form.key,
            cell=cell_id(structure),
            form=form.key,
            structure=kept,
            n_sites=len(structure),
            formula=form.formula,
            primitive={
                "lattice": form.lattice.tolist(),
                "species": list(form.symbols),
                "frac": form.places.tolist(),
            },
            space_group=form.space_group,
            symmetry=form.symmetry,
            pseudo=form.pseudo,
            fingerprint=ArrayField.pack(form.fingerprint),
            origin=origin,
            source=source,
            prototype=prototype,
            candidate=candidate,
        )
        made._form = form
        return made

    def to_structure(self) -> Structure:
        """The crystal as it came, as pymatgen's object."""
        return Structure.from_dict(self.structure)

    def to_form(self) -> Form:
        """Its canonical form."""
        return self._form or form_of(self)


def form_of(row: Any) -> Form:
    """Canonical form of a stored setting, from its fields `OF_FORM`."""
    cell = row["primitive"]
    return Form(
        key=row["form"],
        formula=row["formula"],
        lattice=np.array(cell["lattice"], dtype=float),
        symbols=tuple(cell["species"]),
        places=np.array(cell["frac"], dtype=float),
        space_group=row["space_group"],
        symmetry=row["symmetry"],
        pseudo=row["pseudo"],
        fingerprint=ArrayField.unpack(row["fingerprint"]),
    )


def _plain(value: Any) -> Any:
    """A property of a site as numbers, words and lists of them: a moment as its vector, arrays as lists."""
    value = getattr(value, "moment", value)  # pymatgen's Magmom
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _content(structure: Structure, kept: dict[str, Any]) -> list[Any]:
    """The cell as written, rounded, with charges, moments and whatever else its sites bear."""
    sites = [
        (site.species_string, site.frac_coords.round(4).tolist(), row.get("properties"))
        for site, row in zip(structure, kept["sites"], strict=True)
    ]
    return [structure.lattice.matrix.round(4).tolist(), sites]
