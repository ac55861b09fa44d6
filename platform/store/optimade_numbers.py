"""What OPTIMADE tells of a material's numbers and curve: which there are, and by which Method; arrays on reading."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from fermiloop.platform.plugins.properties import of_material
from fermiloop.platform.store import connection, spectra
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment

Row = dict[str, Any]

ARRAYS: Final = ("dos_energies", "dos_values")
"""Served fields that hold the id of a curve in the collection, and its arrays in an answer."""


@dataclass(frozen=True)
class CurveMark:
    """The density of states that stands for a material, without its values."""

    id: str
    method: str
    calculation: str | None
    zero: str  # what lies there when it is served
    n_electrons: float | None

    def fields(self) -> Row:
        """Served fields."""
        return {**dict.fromkeys(ARRAYS, self.id), "dos_zero": self.zero, "n_electrons": self.n_electrons}


Curves = Mapping[str, CurveMark]  # by material


def curves(among: Sequence[str] | None = None) -> dict[str, CurveMark]:
    """The density of states that stands for each material, or each of some: that of its first spectrum by id."""
    wanted = dict.fromkeys(("material", "method", "calculation", "alignment", "n_electrons"), 1)
    found: dict[str, CurveMark] = {}
    some = {} if among is None else {"material": {"$in": list(among)}}
    rows = connection.database()["spectra"].find({**some, "kind": str(SpectrumKind.DOS)}, wanted)
    for row in sorted(rows, key=lambda row: row["_id"]):
        mark = CurveMark(row["_id"], row["method"], row.get("calculation"), _zero(row), row.get("n_electrons"))
        found.setdefault(row["material"], mark)
    return found


def _zero(row: Row) -> str:
    """What lies at zero of a curve as it is served: what the settings of the store say, where its gap is known."""
    stored = Alignment(row["alignment"])
    return str(spectra.alignment() if stored in (Alignment.MIDGAP, Alignment.VBM) else stored)


def marks() -> dict[str, str]:
    """By material a mark that differs whenever its labels do; labels are read one by one."""
    found: dict[str, int] = defaultdict(int)
    for row in connection.database()["labels"].find({}, {"material": 1, "value": 1}):
        one = hashlib.sha256(f"{row['_id']} {row['value']!r}".encode()).digest()
        found[row["material"]] ^= int.from_bytes(one[:8], "big")  # whatever order they come in
    return {key: f"{mark:016x}" for key, mark in found.items()}


def revision(material: str, by_curve: Curves, by_labels: Mapping[str, str]) -> list[Any]:
    """What the numbers and the curve of a material are, in short."""
    mark = by_curve.get(material)
    return [astuple(mark) if mark else None, by_labels.get(material)]


def of_materials(ids: Iterable[str]) -> dict[str, list[Row]]:
    """Labels by material, earlier versions first."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in connection.database()["labels"].find({"material": {"$in": sorted(ids)}}):
        found[row["material"]].append(row)
    order = ("property", "method", "version")
    return {key: sorted(rows, key=lambda row: [row[name] for name in order]) for key, rows in found.items()}


def fields(labels: Iterable[Row], curve: CurveMark | None) -> Row:
    """Served fields of a material: all its values, and those of the one Method that stands for it.

    That is the Method of its curve, or without one that of most values. Values of two Methods never stand side by side.
    """
    rows = list(labels)
    counted = Counter(row["method"] for row in rows)
    method = curve.method if curve else max(counted, key=lambda name: (counted[name], name), default=None)
    latest = {row["property"]: row["value"] for row in rows if row["method"] == method}
    told = ("property", "value", "unit", "method", "version")
    return {
        "method": method,
        **{name: latest.get(name) for name in of_material()},
        "labels": [{name: row[name] for name in told} for row in rows] or None,
        **(curve.fields() if curve else {}),
    }


def with_arrays(rows: list[Row]) -> list[Row]:
    """Served documents with the arrays of their curves in place of the ids."""
    wanted = sorted({row[name] for row in rows for name in ARRAYS if isinstance(row.get(name), str)})
    if not wanted:
        return rows
    arrays = {}
    for one in map(spectra.aligned, Spectrum.objects(id__in=wanted)):
        arrays[one.id] = {"dos_energies": one.points().tolist(), "dos_values": one.array().tolist()}
    return [row | {name: arrays.get(row[name], {}).get(name) for name in ARRAYS if row.get(name)} for row in rows]
