"""A material that comes in: its crystal, the cells in which it came elsewhere, its labels and curves.

Its id must be that of its canonical cell as written, and one of its settings must have that cell; so neither the
crystal nor the settings can be changed without the other, and the last digits of another machine's arithmetic do no
harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pymatgen.core import Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.canonical import cell_id
from fermiloop.platform.store import border, exchange
from fermiloop.schemas.base import content_id
from fermiloop.schemas.fields import structure_fault
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.spectrum import Spectrum

MOST_LABELS: Final = 10_000  # of a material
MOST_CURVES: Final = 200
MOST_SETTINGS: Final = 2_000
NEAR: Final = 1e-3  # Å, or of the cell: within which a canonical cell made here is the one written elsewhere
DERIVED: Final = ("formula", "chemical_system", "n_sites", "crystal_system", "space_group")
"""Fields of a material that follow from its crystal."""
ABOUT: Final = ("origin", "source", "prototype", "candidate")


@dataclass(frozen=True)
class Known:
    """A material that came in, with all that belongs to it.

    Parameters
    ----------
    crystals
        The material with the cell that gave it its id, then one for each other cell in which it came.
    remarks
        What was not believed, each a sentence.
    """

    crystals: tuple[Material, ...]
    labels: tuple[Label, ...]
    spectra: tuple[Spectrum, ...]
    remarks: tuple[str, ...] = ()

    @property
    def material(self) -> Material:
        """The material."""
        return self.crystals[0]

    def methods(self) -> set[str]:
        """Ids of the Methods that its labels and curves name."""
        return {one.method for one in (*self.labels, *self.spectra)}


def read(record: Mapping[str, Any]) -> Known:
    """Material of a record; what follows from the crystal is made from it.

    Raises
    ------
    InputError
        If a field of it or of its settings, labels and curves is invalid, or its id is not that of its crystal.
    """
    own = {name: value for name, value in record.items() if name not in ("settings", "labels", "spectra")}
    found = exchange.read(own, exchange.MATERIAL, "the material")
    crystal = found["structure"]
    if fault := structure_fault(crystal):
        raise InputError(f"the crystal of {found['id']} is refused: {fault}")
    if cell_id(crystal) != found["id"]:
        raise InputError(f"the material {found['id']} was changed: its crystal has the id {cell_id(crystal)}")
    crystals = _crystals(found, _settings(record, found))
    labels = tuple(_label(found["id"], row) for row in _rows(record, "labels", MOST_LABELS))
    spectra = tuple(_spectrum(found["id"], row) for row in _rows(record, "spectra", MOST_CURVES))
    remarks = (
        f"the file says {name.replace('_', ' ')} {found[name]} of {found['id']}, but its crystal has "
        f"{getattr(crystals[0], name)}"
        for name in DERIVED
        if found[name] != getattr(crystals[0], name)
    )
    return Known(crystals, labels, spectra, tuple(remarks))


def _settings(record: Mapping[str, Any], found: Mapping[str, Any]) -> list[Setting]:
    """Cells in which the material came; its own where none is told."""
    told = [exchange.read(row, exchange.SETTING, "a setting") for row in _rows(record, "settings", MOST_SETTINGS)]
    made = []
    for one in told or [{"structure": found["structure"], **{name: found.get(name) for name in ABOUT}}]:
        if fault := structure_fault(one["structure"]):
            raise InputError(f"a setting of {found['id']} is refused: {fault}")
        about = {name: one.get(name) for name in ABOUT} | {"source": one.get("source") or {}}
        made.append(Setting.from_structure(one["structure"], **about))
    return made


def _crystals(found: Mapping[str, Any], settings: Sequence[Setting]) -> tuple[Material, ...]:
    """The material by the setting that has its cell, and others for the rest."""
    source = found.get("source") or {}
    alike = [one for one in settings if _is_cell(one.to_form().structure, found["structure"])]
    if not alike:
        raise InputError(f"the crystal of {found['id']} is that of none of its settings: one of them was changed")
    home = next((one for one in alike if one.source == source and one.origin == found["origin"]), alike[0])
    made = Material.from_setting(home)
    made.id, made.structure, made.source = found["id"], found["structure"].as_dict(), source
    made.origin, made.prototype, made.candidate = found["origin"], found["prototype"], found.get("candidate")
    others = [Material.from_setting(one) for one in settings if one is not home]
    for one in (made, *others):
        one.check()
    return (made, *others)


def _is_cell(one: Structure, other: Structure) -> bool:
    if [site.specie.symbol for site in one] != [site.specie.symbol for site in other]:
        return False
    apart = one.frac_coords - other.frac_coords
    return bool(
        np.allclose(one.lattice.matrix, other.lattice.matrix, rtol=0.0, atol=NEAR)
        and (np.abs(apart - np.round(apart)) < NEAR).all()
    )


def _rows(record: Mapping[str, Any], name: str, most: int) -> list[Mapping[str, Any]]:
    try:
        return list(border.rows(most)(record.get(name) or []))
    except InputError as error:
        raise InputError(f"the field {name} of the material is invalid: {error}") from None


def _label(material_id: str, record: Mapping[str, Any]) -> Label:
    found = exchange.read(record, exchange.LABEL, "a label")
    key = content_id("l", material_id, str(found["property"]), found["method"], found["version"])
    made = Label(id=key, material=material_id, **found)
    made.check()
    return made


def _spectrum(material_id: str, record: Mapping[str, Any]) -> Spectrum:
    found = exchange.read(record, exchange.SPECTRUM, "a curve")
    key = content_id("s", material_id, str(found["kind"]), found["method"])
    made = Spectrum(id=key, material=material_id, **found)
    made.check()
    return made
