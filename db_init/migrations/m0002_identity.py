"""One crystal is one material: cells become settings, materials take their canonical cell, twins are merged.

A material keeps its id. What is stored per cell is brought to the canonical cell; the numbers are worked out once and
kept aside until the end, so that a migration that was cut off does not scale them twice. Snapshots, candidates and
calculations are rewritten where a material is merged into an older one, and its id leads there from then on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from fermiloop.db_init import indexes
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import grows
from fermiloop.platform.representations.canonical import Form
from fermiloop.platform.representations.sameness import joined
from fermiloop.platform.store import identity
from fermiloop.platform.store.inserting import insert_new
from fermiloop.platform.store.moving import scaled
from fermiloop.schemas.material import Material, described
from fermiloop.schemas.setting import Setting

TITLE: Final = "one crystal is one material"
ASIDE: Final = "migration_2"  # what is stored per cell, worked out once
BATCH: Final = 200  # formulas that are worked on together
NAMED: Final = 50  # crystals that the report names
DERIVED: Final = ("optimade_structures", "optimade_state")


@dataclass
class Found:
    """What there is to do."""

    settings: int = 0
    smaller: int = 0
    merged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def told(self) -> list[str]:
        """One sentence each."""
        sentences = []
        if self.settings:
            sentences.append(f"{self.settings} cells kept as settings of their materials")
        if self.smaller:
            sentences.append(f"{self.smaller} materials brought to their primitive cell, with what they hold per cell")
        if self.merged:
            more = f" and {len(self.merged) - NAMED} more" if len(self.merged) > NAMED else ""
            names = ", ".join(self.merged[:NAMED]) + more
            sentences.append(f"{len(self.merged)} crystals that were several materials are one each: {names}")
        if self.left:
            sentences.append(f"{len(self.left)} materials without a symmetry left as they are: {', '.join(self.left)}")
        return sentences


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Make settings and merge; returns what was, or would be, done."""
    found = Found()
    if not dry_run:
        indexes.create(database)  # while the settings are empty: over many the embedded server takes very long
    for formulas in _formulas(database):
        cells = _cells(formulas, found)
        _count_twins(formulas, cells, found)
        if not dry_run:
            for setting in cells:
                _convert(database, setting)
            identity.settle(formulas)
    if found.settings and not dry_run:
        for name in DERIVED:
            database[name].delete_many({})  # made again from the materials as they are now
    if not dry_run:
        database[ASIDE].drop()
    return found.told()


def _formulas(database: Database[dict[str, Any]]) -> Iterator[list[str]]:
    """Formulas of materials that have no settled setting yet."""
    done = {row["material"] for row in database["settings"].find({"settled": True}, {"material": 1})}
    rows = database["materials"].find({}, {"formula": 1})
    wanted = sorted({row["formula"] for row in rows if row["_id"] not in done})
    for start in range(0, len(wanted), BATCH):
        yield wanted[start : start + BATCH]


def _cells(formulas: list[str], found: Found) -> list[Setting]:
    """A setting for each material of these formulas that has none that is settled: the stored one, or a new one."""
    stored: dict[str, list[Setting]] = defaultdict(list)
    for setting in Setting.objects(formula__in=formulas):
        stored[setting.material].append(setting)
    cells = []
    for material in Material.objects(formula__in=formulas).order_by("id"):
        there = stored[material.id]
        if any(setting.settled for setting in there):
            continue
        try:
            setting = there[0] if there else _setting_of(material)
        except InputError:
            found.left.append(str(material.id))
            continue
        cells.append(setting)
        found.settings += 1
        found.smaller += len(setting.primitive["species"]) != setting.n_sites
    return cells


def _setting_of(material: Material) -> Setting:
    names = ("origin", "source", "prototype", "candidate")
    setting = Setting.from_structure(material.to_structure(), **{name: getattr(material, name) for name in names})
    setting.material, setting.created_at = material.id, material.created_at
    return setting


def _count_twins(formulas: list[str], cells: list[Setting], found: Found) -> None:
    """Name the crystals that are several materials by now."""
    known = [setting for setting in Setting.objects(formula__in=formulas) if setting.settled]
    groups: dict[str, dict[str, list[Form]]] = defaultdict(dict)
    for setting in [*known, *cells]:
        there, form = groups[setting.formula], setting.to_form()
        homes = joined(form, there)
        members = [form, *(one for home in homes for one in there.pop(home))]
        there["+".join(sorted({*homes, setting.material}))] = members
    found.merged += [
        f"{formula} ({', '.join(sorted(set(name.split('+'))))})"
        for formula, there in groups.items()
        for name in there
        if "+" in name
    ]


def _convert(database: Database[dict[str, Any]], setting: Setting) -> None:
    """Keep the cell, bring what is per cell to the canonical one, then the material itself."""
    insert_new([setting])
    form = setting.to_form()
    factor = len(form.symbols) / setting.n_sites
    if factor != 1.0:
        _scale(database, setting.material, factor, len(form.symbols))
    fields = described(form, setting.prototype)
    fields["crystal_system"] = str(fields["crystal_system"])
    database["materials"].update_one({"_id": setting.material}, {"$set": fields})


def _scale(database: Database[dict[str, Any]], material: str, factor: float, n_sites: int) -> None:
    """Scale labels and curves of a material to a cell of so many sites, by what was worked out the first time."""
    names = ("labels", "spectra")
    aside = {name: [scaled(row, factor) for row in database[name].find({"material": material})] for name in names}
    try:
        database[ASIDE].insert_one({"_id": material, **aside})
        # looked at after the writing: another migration that is through has removed what it kept aside
        if database["materials"].find_one({"_id": material, "n_sites": n_sites}, {"_id": 1}):
            database[ASIDE].delete_one({"_id": material})
            return
    except DuplicateKeyError:
        kept = database[ASIDE].find_one({"_id": material}) or {}
        aside = {name: kept[name] for name in names}
    for name, rows in aside.items():
        for row in rows:
            if grows(row["unit"]):
                database[name].replace_one({"_id": row["_id"]}, row)
