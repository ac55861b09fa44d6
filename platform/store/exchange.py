"""Stored documents as canonical JSON and back: the one place that knows which fields leave the store.

A record is what one line of an exported file holds. Each kind has a table, from the name of a field to how it is
written and how it is checked when it comes in again; a field that no table names is refused on the way in. Settings,
labels and curves travel with their material, so their ids, which follow from their content, are made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.store import border, exchange_crystal
from fermiloop.platform.store.candidate_columns import COLUMNS
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import DTYPE, ArrayField
from fermiloop.schemas.method import Method
from fermiloop.schemas.scores import GENERATOR
from fermiloop.schemas.vocabulary import Alignment, CrystalSystem, Origin, Unit

FORMAT: Final = "fermiloop-materials"
VERSION: Final = 2

MOST_POINTS: Final = 200_000  # of a curve


@dataclass(frozen=True)
class Field:
    """One field of a record.

    Parameters
    ----------
    read
        Checks what comes in and gives what is kept; raises InputError.
    write
        Gives JSON of what is kept; None is left out.
    needed
        Whether a record without it is refused.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value
    needed: bool = True


Table = Mapping[str, Field]


def optional(read: Callable[[Any], Any], write: Callable[[Any], Any] = lambda value: value) -> Field:
    """A field that may be absent."""
    return Field(read, write, needed=False)


def _values_out(stored: bytes) -> list[float]:
    """Values of a curve as the shortest decimals that give the same float32."""
    single: NDArray[np.float32] = np.frombuffer(bytes(stored), dtype=DTYPE)
    short = single.astype("U32").astype(np.float64)
    return np.where(short.astype(np.float32) == single, short, single.astype(np.float64)).tolist()


def _values_in(value: Any) -> bytes:
    if not isinstance(value, list) or not 2 <= len(value) <= MOST_POINTS:
        raise InputError(f"it is no list of 2 to {MOST_POINTS} numbers")
    return ArrayField.pack([border.number(one) for one in value])


def _out(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """How a column is written: numbers as floats, all else as it is."""
    return float if read is border.number else lambda value: value


METHOD: Final[Table] = {
    "id": Field(border.key("method")),
    "engine": Field(border.name),
    "functional": Field(border.text()),
    "settings": optional(border.mapping),
    "code_versions": optional(border.mapping),
}
LABEL: Final[Table] = {
    "property": Field(border.name),
    "value": Field(border.number, float),
    "unit": Field(border.text(40)),
    "method": Field(border.key("method")),
    "version": Field(border.whole(1, 1_000_000)),
    "calculation": optional(border.text()),
    "entry": optional(border.text(2000)),  # key in the source that it came from
}
SPECTRUM: Final[Table] = {
    "kind": Field(border.one_of(SpectrumKind)),
    "lo": Field(border.number, float),
    "hi": Field(border.number, float),
    "n": Field(border.whole(2, MOST_POINTS)),
    "axis_unit": Field(border.one_of(Unit)),
    "alignment": Field(border.one_of(Alignment)),
    "gap": optional(border.number, float),
    "values": Field(_values_in, _values_out),
    "unit": Field(border.one_of(Unit)),
    "n_electrons": optional(border.number, float),
    "method": Field(border.key("method")),
    "calculation": optional(border.text()),
}
MATERIAL: Final[Table] = {
    "id": Field(border.key("m")),
    "structure": Field(exchange_crystal.read, exchange_crystal.write),  # canonical cell, which per-cell values are of
    "origin": Field(border.one_of(Origin)),
    "source": optional(border.mapping),
    "prototype": Field(border.text()),
    "candidate": optional(border.text()),
    # for readers; made again from the crystal on the way in, and compared
    "formula": Field(border.text()),
    "chemical_system": Field(border.text()),
    "n_sites": Field(border.whole(1)),
    "crystal_system": Field(border.one_of(CrystalSystem)),
    "space_group": Field(border.whole(1, 230)),
    "volume_per_atom": Field(border.number, float),
}
SETTING: Final[Table] = {
    "structure": Field(exchange_crystal.read, exchange_crystal.write),  # as it came, with moments and charges
    "origin": Field(border.one_of(Origin)),
    "source": optional(border.mapping),
    "prototype": optional(border.text()),
    "candidate": optional(border.text()),
}
CANDIDATE: Final[Table] = {
    "id": Field(border.key("c")),
    "index": Field(border.whole()),
    "detail": optional(border.mapping),
    **{
        GENERATOR if one.name == "score" else one.name: Field(one.read, _out(one.read), one.needed)
        for one in COLUMNS
        if one.read is not None
    },
    "structure": Field(exchange_crystal.read, exchange_crystal.write),  # what went into the calculation
    "evaluated": optional(exchange_crystal.read, exchange_crystal.write),  # what came out of it
}


def dumps(record: Mapping[str, Any]) -> str:
    """Canonical JSON on one line: names in order, no spaces, floats in the fewest digits that give them back.

    Raises
    ------
    FailureError
        If the store holds what JSON has no word for.
    """
    try:
        return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        about = record.get("id", "a document")
        raise FailureError(f"{about} cannot be written as JSON: {error}; correct it in the store.") from None


def write(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """Record of a raw document; what is empty is left out."""
    stored = {"id": row["_id"], **row} if "_id" in row else row
    found = {name: stored.get(name) for name in table}
    return {name: table[name].write(value) for name, value in found.items() if value not in (None, {}, [])}


def read(record: Mapping[str, Any], table: Table, what: str) -> dict[str, Any]:
    """Checked fields of a record.

    Raises
    ------
    InputError
        If a field is unknown, missing or invalid, with its name.
    """
    strange = [str(name) for name in record if name not in table]
    if strange:
        raise InputError(f"{what} has the unknown field {strange[0][:60]!r}")
    missing = [name for name, field in table.items() if field.needed and record.get(name) is None]
    if missing:
        raise InputError(f"{what} lacks the field {missing[0]}")
    found = {}
    for name, value in record.items():
        try:
            found[name] = None if value is None else table[name].read(value)
        except InputError as error:
            raise InputError(f"the field {name} of {what} is invalid: {error}") from None
    return found


def method(record: Mapping[str, Any]) -> Method:
    """Method of a record.

    Raises
    ------
    InputError
        If it is invalid, or its id is not that of its content.
    """
    found = read(record, METHOD, "the Method")
    made = Method.make(
        found["engine"], found["functional"], found.get("settings") or {}, found.get("code_versions") or {}
    )
    if made.id != found["id"]:
        raise InputError(f"the Method {found['id']} was changed: its content has the id {made.id}")
    made.check()
    return made


def candidate(record: Mapping[str, Any]) -> dict[str, Any]:
    """Checked fields of a candidate.

    Raises
    ------
    InputError
        If one is invalid.
    """
    told = {"generator_score" if name == "score" else name: value for name, value in record.items()}  # of version 1
    return read(told, CANDIDATE, "the candidate")


def of_material(
    row: Mapping[str, Any], settings: Sequence[Any], labels: Sequence[Any], spectra: Sequence[Any]
) -> dict[str, Any]:
    """Record of a material from raw documents; its settings, labels and curves in an order of their own content."""
    return {
        **write(row, MATERIAL),
        "settings": sorted((write(one, SETTING) for one in settings), key=dumps),
        "labels": _ordered((write(one, LABEL) for one in labels), ("property", "method", "version")),
        "spectra": _ordered((write(one, SPECTRUM) for one in spectra), ("kind", "method")),
    }


def _ordered(records: Any, by: Sequence[str]) -> list[dict[str, Any]]:
    return sorted(records, key=lambda one: [one[name] for name in by])
