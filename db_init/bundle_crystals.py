"""Crystals of an archive in a store that may know them under other ids: no crystal becomes a second material.

Each material of the archive joins the one that it is, with its settings, and what refers to it is rewritten on the way
in. An archive from before settings were kept has materials in the cell in which they came: what it holds per cell is
brought to the canonical cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from fermiloop.platform.store import aliases, bundle_contents, identity, merging
from fermiloop.platform.store.moving import scaled
from fermiloop.schemas.base import content_id
from fermiloop.schemas.material import Material, described
from fermiloop.schemas.setting import Setting

Raw = dict[str, Any]
ABOUT = ("origin", "source", "prototype", "candidate")


class Crystals:
    """Which material of the store each material of an archive is, found while its documents are read in order."""

    def __init__(self) -> None:
        self._settings: dict[str, list[Setting]] = defaultdict(list)
        self._factors: dict[str, float] = {}  # by what a quantity per cell is multiplied
        self._ids: dict[str, str] = {}  # of labels and curves that are rewritten

    def keep(self, batch: Iterable[Raw]) -> int:
        """Remember settings until their materials come; returns how many are new."""
        made = [_setting(raw) for raw in batch]
        for setting in made:
            self._settings[setting.material].append(setting)
        return len({setting.id for setting in made}) - len(
            list(bundle_contents.read("settings", {one.id for one in made}))
        )

    def take_in(self, batch: Iterable[Raw]) -> int:
        """Save materials with their settings; returns how many are new."""
        newcomers = []
        sites: dict[str, int] = {}
        for raw in batch:
            sites[raw["_id"]] = int(raw["n_sites"])
            newcomers += _materials(raw, self._settings.get(raw["_id"], []))
        ids, new = identity.take_in(newcomers)
        merging.lead({key: at for key, at in ids.items() if key != at})
        held = {row["_id"]: int(row["n_sites"]) for row in bundle_contents.read("materials", set(ids.values()))}
        self._factors |= {key: held[at] / sites[key] for key, at in ids.items()}
        return new

    def translated(self, kind: str, batch: Iterable[Raw]) -> list[Raw]:
        """Documents with the materials, labels and curves of this store in them."""
        rows = list(batch)
        named = {key for row in rows for key in _named(kind, row)}
        at = aliases.resolve(named)
        return [self._translated(kind, row, at) for row in rows]

    def _translated(self, kind: str, raw: Raw, at: Mapping[str, str]) -> Raw:
        if kind in ("labels", "spectra"):
            return self._measured(kind, raw, at)
        if kind == "calculations":
            moved = [key for key in _named(kind, raw) if at.get(key, key) != key]
            return {**raw, "result": {**raw["result"], "material": at[moved[0]]}} if moved else raw
        if kind == "candidates":
            return raw | {name: at.get(raw[name], raw[name]) for name in ("material", "parent") if raw.get(name)}
        if kind == "snapshot_pages":
            lists = {"materials": at, "labels": self._ids, "spectra": self._ids}
            return raw | {
                name: sorted({to.get(key, key) for key in raw[name]}) if _moved(raw[name], to) else raw[name]
                for name, to in lists.items()
                if name in raw
            }
        return raw

    def _measured(self, kind: str, raw: Raw, at: Mapping[str, str]) -> Raw:
        material = at.get(raw["material"], raw["material"])
        ours = scaled(raw, self._factors.get(raw["material"], 1.0))
        if material == raw["material"]:
            return ours
        key = (
            content_id("l", material, raw["property"], raw["method"], raw["version"])
            if kind == "labels"
            else content_id("s", material, raw["kind"], raw["method"])
        )
        self._ids[raw["_id"]] = key
        return {**ours, "_id": key, "material": material}


def is_plain(structure: Any) -> bool:
    """Whether the properties in a raw structure hold nothing that would be made an object by its name."""
    if isinstance(structure, list):
        return all(map(is_plain, structure))
    if not isinstance(structure, Mapping):
        return True
    found = structure.get("properties")
    own = found.values() if isinstance(found, Mapping) else ()
    return not any(map(_has_mapping, own)) and all(map(is_plain, structure.values()))


def _has_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(map(_has_mapping, value)))


def _setting(raw: Raw) -> Setting:
    """The setting as this store's own spglib sees it."""
    kept = Setting._from_son(raw)  # noqa: SLF001
    made = Setting.from_structure(kept.to_structure(), **{name: getattr(kept, name) for name in ABOUT})
    made.material, made.created_at = kept.material, kept.created_at
    return made


def _materials(raw: Raw, settings: list[Setting]) -> list[Material]:
    """The material once for each of its settings, in its canonical cell."""
    first: Material = Material._from_son(raw)  # noqa: SLF001
    cells = settings or [Setting.from_structure(first.to_structure(), **{name: getattr(first, name) for name in ABOUT})]
    made = []
    for cell in cells:
        material: Material = Material._from_son(raw)  # noqa: SLF001
        if not settings:
            for name, value in described(cell.to_form(), first.prototype).items():
                setattr(material, name, value)
        material.as_it_came = cell
        made.append(material)
    return made


def _named(kind: str, raw: Raw) -> list[str]:
    """Materials that a document refers to."""
    if kind in ("labels", "spectra"):
        return [raw["material"]]
    if kind == "calculations":
        found = (raw.get("result") or {}).get("material")
        return [found] if found else []
    if kind == "candidates":
        return [raw[name] for name in ("material", "parent") if raw.get(name)]
    return list(raw.get("materials", ())) if kind == "snapshot_pages" else []


def _moved(keys: Iterable[str], to: Mapping[str, str]) -> bool:
    return any(to.get(key, key) != key for key in keys)
