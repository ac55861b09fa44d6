"""Which material a crystal is: its cell joins the settings of its formula that are the same crystal.

A material is a connected component of the settings under `representations.sameness`, so it does not depend on the order
in which they came. Writers need no lock, and may be killed between any two writes:

* a setting is written first, marked as not settled, and looks for its like once more when it is there. Of two writers
  of one crystal at least one sees the other's setting then, and merges the two materials, the younger into the older;
* a merge begins with an alias from the younger to the older, which stays for good, and ends by moving the settings.
  Whoever meets a setting whose material has an alias goes on with that merge;
* a process that meets a setting that is not settled settles it. Every step may be repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fermiloop.platform.representations.canonical import Form
from fermiloop.platform.representations.sameness import joined, same
from fermiloop.platform.store import aliases, merging
from fermiloop.platform.store.batches import in_batches
from fermiloop.platform.store.inserting import insert_new
from fermiloop.schemas.material import Material
from fermiloop.schemas.setting import OF_FORM, Setting, form_of

BATCH = 500
FIELDS = dict.fromkeys((*OF_FORM, "material", "settled"), 1)


@dataclass
class Member:
    """A setting as it takes part in the comparison."""

    id: str
    formula: str
    material: str
    settled: bool
    row: Any  # the stored fields `OF_FORM`, or the setting itself

    @cached_property
    def form(self) -> Form:
        """Its canonical form."""
        return self.row.to_form() if isinstance(self.row, Setting) else form_of(self.row)


def take_in(materials: Sequence[Material]) -> tuple[dict[str, str], int]:
    """Save crystals, each as a material of its own or as a setting of one that is there.

    Parameters
    ----------
    materials
        As `Material.from_structure` makes them, checked.

    Returns
    -------
    ids, new
        Id of its material by the id that each was made with, and how many materials were new.
    """
    newcomers = {_cell_of(material).id: material for material in materials}
    formulas = sorted({material.formula for material in materials})
    known = _members(formulas)
    fresh, alike = _place([m for key, m in newcomers.items() if key not in known], list(known.values()))
    homes = {key: (known.get(key) or fresh[key]).material for key in newcomers}
    insert_new([_cell_of(newcomers[key], homes[key]) for key in fresh])
    new = insert_new([m for key, m in newcomers.items() if homes[key] == m.id])
    _restore(known[key] for key in newcomers if key in known)
    for found in alike:
        merging.merge(found)
    _settle(formulas, known, fresh)
    now = aliases.current(homes.values())
    ids = {material.id: now[homes[key]] for key, material in newcomers.items()}
    merging.follow({key: at for key, at in ids.items() if key != at})
    return ids, new


def settle(formulas: Iterable[str] | None = None) -> None:
    """Settle what killed writers left, of these formulas or of all."""
    if formulas is None:
        rows = Setting._get_collection().find({"settled": False}, {"formula": 1})  # noqa: SLF001
        formulas = {row["formula"] for row in rows}
    wanted = sorted(set(formulas))
    for some in in_batches(wanted, BATCH):
        _settle(some, _members(some), {})


def _cell_of(material: Material, home: str | None = None) -> Setting:
    """The cell that a material came in, its own where it has none; `home` is the material that it belongs to."""
    if material.as_it_came is None:
        about = {name: getattr(material, name) for name in ("origin", "source", "prototype", "candidate")}
        material.as_it_came = Setting.from_structure(material.to_structure(), **about)
    if home is not None:
        material.as_it_came.material = home
    return material.as_it_came


def _members(formulas: Sequence[str]) -> dict[str, Member]:
    rows = Setting._get_collection().find({"formula": {"$in": list(formulas)}}, FIELDS)  # noqa: SLF001
    return {row["_id"]: _member(row) for row in sorted(rows, key=lambda row: row["_id"])}


def _member(row: Any) -> Member:
    return Member(row["_id"], row["formula"], row["material"], bool(row["settled"]), row)


def _place(materials: Iterable[Material], known: Iterable[Member]) -> tuple[dict[str, Member], list[list[str]]]:
    """New settings, each with a material, and the materials that one of them shows to be one crystal."""
    groups = _groups(known)
    fresh, alike = {}, []
    for material in materials:
        setting = _cell_of(material)
        form = setting.to_form()
        there = groups[form.formula]
        homes = joined(form, there)
        alike += [homes] if len(homes) > 1 else []
        home = homes[0] if homes else str(material.id)
        there.setdefault(home, []).append(form)
        fresh[setting.id] = Member(setting.id, form.formula, home, False, setting)
    return fresh, alike


def _groups(members: Iterable[Member]) -> dict[str, dict[str, list[Form]]]:
    """Forms by formula and material."""
    groups: dict[str, dict[str, list[Form]]] = defaultdict(dict)
    for member in members:
        groups[member.formula].setdefault(member.material, []).append(member.form)
    return groups


def _settle(formulas: Sequence[str], known: dict[str, Member], fresh: dict[str, Member]) -> None:
    """Finish what others left undone, then compare new settings with those that came while they were written."""
    left = [member for member in known.values() if not member.settled]
    _restore(left)
    groups = _groups(known.values()) if left else {}
    for member in left:
        merging.merge(joined(member.form, groups[member.formula]))
    now = _homes(formulas)
    former = {key for key, at in aliases.current(now.values()).items() if key != at}
    merging.finish(former)
    foreign = _fetch(now.keys() - known.keys() - fresh.keys())
    for member in [*left, *fresh.values()]:
        for other in foreign:
            if other.formula == member.formula and same(member.form, other.form):
                merging.merge([member.material, other.material])
    done = [member.id for member in (*left, *fresh.values())]
    if done:
        Setting._get_collection().update_many({"_id": {"$in": done}}, {"$set": {"settled": True}})  # noqa: SLF001


def _homes(formulas: Sequence[str]) -> dict[str, str]:
    """Material of each setting of these formulas, as it is now."""
    rows = Setting._get_collection().find({"formula": {"$in": list(formulas)}}, {"material": 1})  # noqa: SLF001
    return {row["_id"]: row["material"] for row in rows}


def _fetch(ids: Collection[str]) -> list[Member]:
    if not ids:
        return []
    rows = Setting._get_collection().find({"_id": {"$in": sorted(ids)}}, FIELDS)  # noqa: SLF001
    found = [_member(row) for row in rows]
    _restore(member for member in found if not member.settled)
    return found


def _restore(members: Iterable[Member]) -> None:
    """Make the materials that these settings name and that were not written, or were deleted."""
    wanted = {member.material: member.id for member in members}
    at = aliases.resolve(wanted)
    lacking = [wanted[key] for key in sorted(wanted) if key not in at]
    insert_new([Material.from_setting(setting) for setting in Setting.objects(id__in=lacking)])
