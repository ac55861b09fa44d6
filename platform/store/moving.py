"""Labels and curves of one material to another: nothing is overwritten, the lower energy is the latest.

Where both have a value of a property by one Method, the one of the lower energy by that Method becomes the latest
version, the other an earlier one; properties without an energy beside them keep the value that was there. A curve has
no versions: the one of the lower energy stays, and the other goes to the collection of displaced curves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from fermiloop.platform.plugins.properties import grows
from fermiloop.platform.store import connection
from fermiloop.schemas.base import content_id, now
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.vocabulary import Property

SAME: Final = 1e-9  # values closer than this are the same value
# what decides, the first that both have
ENERGIES: Final = (
    str(Property.ENERGY_PER_ATOM), str(Property.FORMATION_ENERGY_PER_ATOM), str(Property.ENERGY_ABOVE_HULL),
)  # fmt: skip
DISPLACED: Final = "displaced_spectra"

Row = dict[str, Any]
Place = tuple[str, str]  # property, Method


@dataclass
class Carried:
    """New ids of labels and curves by their former ones, and what differed, in sentences."""

    ids: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def copy(moves: Mapping[str, str]) -> Carried:
    """Copy what the former materials have to those that they became part of."""
    carried = Carried()
    sites = _sites({*moves, *moves.values()})
    labels, spectra = _rows("labels", moves), _rows("spectra", moves)
    for former in sorted({*labels, *spectra}):
        at = moves[former]
        factor = sites[at] / sites[former] if at in sites and former in sites else 1.0
        theirs = [scaled(row, factor) for row in labels.get(former, [])]
        ours = _rows("labels", [at]).get(at, [])
        lower = _lower(ours, theirs)
        for curve in spectra.get(former, []):
            _copy_curve(scaled(curve, factor), at, lower.get(curve["method"], False), carried)
        _copy_labels(ours, theirs, at, lower, carried)
    return carried


def remove(former: Iterable[str]) -> None:
    """Remove what was copied."""
    for name in ("labels", "spectra"):
        connection.database()[name].delete_many({"material": {"$in": sorted(former)}})


def _rows(name: str, materials: Iterable[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in connection.database()[name].find({"material": {"$in": sorted(materials)}}):
        found[row["material"]].append(row)
    return found


def _sites(ids: Iterable[str]) -> dict[str, int]:
    """Sites of the canonical cell of each material, or of the setting that an id stands for."""
    database, wanted = connection.database(), sorted(ids)
    found = {row["_id"]: row["n_sites"] for row in database["materials"].find({"_id": {"$in": wanted}}, {"n_sites": 1})}
    for name in ("form", "cell"):
        lacking = [key for key in wanted if key not in found]
        rows = database["settings"].find({name: {"$in": lacking}}, {name: 1, "primitive.species": 1}) if lacking else ()
        found |= {row[name]: len(row["primitive"]["species"]) for row in rows}
    return found


def scaled(row: Row, factor: float) -> Row:
    """A label or a curve of another cell of the same crystal, `factor` times as large."""
    if factor == 1.0 or not grows(row["unit"]):
        return row
    if "values" not in row:
        return {**row, "value": row["value"] * factor}
    scaled = {**row, "values": ArrayField.pack(ArrayField.unpack(row["values"]) * factor)}
    return scaled | ({"n_electrons": row["n_electrons"] * factor} if row.get("n_electrons") is not None else {})


def _lower(ours: list[Row], theirs: list[Row]) -> dict[str, bool]:
    """Methods by which theirs is the lower energy."""
    mine, other = _latest(ours), _latest(theirs)
    found: dict[str, bool] = {}
    for method in {place[1] for place in other}:
        both = [name for name in ENERGIES if (name, method) in mine and (name, method) in other]
        found[method] = bool(both) and other[both[0], method]["value"] < mine[both[0], method]["value"] - SAME
    return found


def _latest(rows: list[Row]) -> dict[Place, Row]:
    return {_place(row): row for row in sorted(rows, key=lambda row: int(row["version"]))}


def _place(row: Row) -> Place:
    return row["property"], row["method"]


def _copy_labels(ours: list[Row], theirs: list[Row], at: str, lower: dict[str, bool], carried: Carried) -> None:
    """Energies last, so that a repeat after a cut decides as before."""
    places = sorted({_place(row) for row in theirs}, key=lambda place: (place[0] in ENERGIES, place))
    for place in places:
        here = [row for row in ours if _place(row) == place]
        there = sorted((row for row in theirs if _place(row) == place), key=lambda row: int(row["version"]))
        stored = _copy_place(here, there, at, lower[place[1]])
        for row in there:
            carried.ids[row["_id"]] = next(one["_id"] for one in stored if abs(one["value"] - row["value"]) <= SAME)
        if here and any(all(abs(one["value"] - row["value"]) > SAME for one in here) for row in there):
            carried.told.append(_sentence(place, here, there, at, lower[place[1]]))


def _copy_place(here: list[Row], there: list[Row], at: str, lower: bool) -> list[Row]:
    """All versions of a place with those of the other material among them."""
    collection = connection.database()["labels"]
    while True:
        for row in versions(here, there, lower=lower):
            row = {**row, "material": at, "_id": content_id("l", at, row["property"], row["method"], row["version"])}
            try:
                collection.insert_one(row)
            except DuplicateKeyError:
                break  # another writer took this version: look again
        else:
            break
        here = [row for row in collection.find({"material": at}) if _place(row) == _place(there[0])]
    return [row for row in collection.find({"material": at}) if _place(row) == _place(there[0])]


def versions(here: list[Row], there: list[Row], *, lower: bool) -> list[Row]:
    """Versions to add, in the order in which they are to be written.

    Values that are not here come after those that are. What counts is stated once more after them where it would not be
    the latest, and is written first, so that it counts wherever the writing is cut off.
    """
    here = sorted(here, key=lambda row: int(row["version"]))
    there = sorted(there, key=lambda row: int(row["version"]))
    more = [row for row in there if all(abs(row["value"] - one["value"]) > SAME for one in here)]
    counts = here[-1] if here and not lower else there[-1]
    sequence = [*here, *more]
    again = [counts] if abs(sequence[-1]["value"] - counts["value"]) > SAME else []
    start = int(here[-1]["version"]) if here else 0
    added = [{**row, "version": start + place} for place, row in enumerate([*more, *again], 1)]
    return [*added[len(more) :], *added[: len(more)]]


def _sentence(place: Place, here: list[Row], there: list[Row], at: str, lower: bool) -> str:
    mine, other = _latest(here)[place], _latest(there)[place]
    kept = other if lower else mine
    return (
        f"The {place[0].replace('_', ' ')} of {at} by the Method {place[1]} is {mine['value']:.6g} {mine['unit']}, "
        f"and {other['value']:.6g} of {other['material']}, which is the same crystal: both are kept, "
        f"{kept['value']:.6g} counts."
    )


def _copy_curve(theirs: Row, at: str, lower: bool, carried: Carried) -> None:
    collection = connection.database()["spectra"]
    key = content_id("s", at, theirs["kind"], theirs["method"])
    carried.ids[theirs["_id"]] = key
    moved = {**theirs, "_id": key, "material": at, "created_at": now()}  # as new, so that searches notice
    ours = collection.find_one({"_id": key})
    if ours is None:
        try:
            collection.insert_one(moved)
        except DuplicateKeyError:
            _copy_curve(theirs, at, lower, carried)
        return
    if bytes(ours["values"]) == bytes(moved["values"]):
        return
    _keep_displaced(ours if lower else theirs, key)
    if lower:
        collection.replace_one({"_id": key}, moved)
    carried.told.append(
        f"The {theirs['kind']} of {at} by the Method {theirs['method']} is another than that of {theirs['material']}, "
        f"which is the same crystal: the one of the {'lower energy' if lower else 'older material'} is kept, the other "
        "among the displaced curves."
    )


def displace(key: str) -> None:
    """Move a curve to the displaced ones, so that a better one of the same material and Method may be saved."""
    collection = connection.database()["spectra"]
    found = collection.find_one({"_id": key})
    if found is not None:
        _keep_displaced(found, key)
        collection.delete_one({"_id": key})


def _keep_displaced(gone: Row, key: str) -> None:
    displaced = {**gone, "_id": content_id("displaced", gone["_id"], bytes(gone["values"]).hex()), "spectrum": key}
    connection.database()[DISPLACED].replace_one({"_id": displaced["_id"]}, displaced, upsert=True)
