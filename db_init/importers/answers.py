"""Which answer counts where one source gives several for a crystal, a property and a Method; never the order of them.

Energies are variational: of two for one crystal by one Method the lower is the better converged one, or that of the
ground state among several magnetic ones, so it counts. A gap, a moment, a modulus or a Fermi level is not: where two
of them lie further apart than a repeated calculation does, nobody can tell which is right, and none counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from fermiloop.platform.plugins.properties import PROPERTIES

EQUAL: Final = 1e-9  # values closer than this are one value
NAMED: Final = 5  # values and entries that a reason names

Place = tuple[str, str, str]  # material, Method, property


@dataclass(frozen=True)
class Answer:
    """What an entry says of a property of a crystal.

    Parameters
    ----------
    place
        Ids of the material and of the Method, and the property.
    value
        In the property's unit.
    key
        Name by which the source knows the entry.
    line
        Its place in a file, counted from 1.
    file
        Name of the file, where the source has several.
    """

    place: Place
    value: float
    key: str
    line: int | None = None
    file: str | None = None

    def at(self, material: str, factor: float) -> Answer:
        """The same answer of the material that the crystal is, whose cell is `factor` times as large."""
        value = factor * self.value if PROPERTIES[self.place[2]].per_cell else self.value
        return replace(self, place=(material, *self.place[1:]), value=value)

    def row(self) -> dict[str, Any]:
        """As it is kept with its batch."""
        material, method, name = self.place
        row = {"material": material, "method": method, "property": str(name), "value": self.value, "key": self.key}
        return row if self.line is None else {**row, "line": self.line}

    @classmethod
    def from_row(cls, row: dict[str, Any], file: str | None) -> Answer:
        """What `row` gave."""
        place = (row["material"], row["method"], row["property"])
        return cls(place, row["value"], row["key"], row.get("line"), file)


def settle(name: str, values: Iterable[float]) -> float | None:
    """The value that counts, in the property's unit; None where the values contradict each other."""
    rising = sorted(values)
    within = rising[-1] - rising[0] <= _same(name)
    return rising[0] if within or _lower_counts(name) else None


def winner(answers: Iterable[Answer], value: float) -> str:
    """Key of the entry that a value is kept under."""
    return min(one.key for one in answers if one.value == value)


def _same(name: str) -> float:
    """By how much one calculation and its repeat may differ, in the property's unit."""
    return PROPERTIES[name].same if name in PROPERTIES else 0.0


def _lower_counts(name: str) -> bool:
    return name in PROPERTIES and PROPERTIES[name].lower_counts


class Standing(StrEnum):
    """How a value stands against what earlier loads gave for the same place."""

    NEXT = "next"  # the first, or the next version
    KNOWN = "known"
    CONTRADICTS = "contradicts"


def standing(name: str, value: float, keys: Collection[str], stored: Sequence[tuple[float, str | None]]) -> Standing:
    """Whether a value becomes a version, was known, or contradicts another entry of the same source.

    Parameters
    ----------
    name
        The property.
    value
        What the load says, in the property's unit.
    keys
        Names of all entries of the load that say something of this place.
    stored
        Value and entry of each version, the first one first.
    """
    if not stored:
        return Standing.NEXT
    if any(abs(known - value) <= EQUAL for known, _ in stored):
        return Standing.KNOWN
    latest, entry = stored[-1]
    if entry is None or entry in keys:
        return Standing.NEXT  # the source says another thing of the entry that the label came from
    if abs(latest - value) <= _same(name):
        return Standing.KNOWN
    return Standing.NEXT if _lower_counts(name) and value < latest else Standing.CONTRADICTS


def settle_all(answers: Iterable[Answer]) -> dict[Place, float | None]:
    """The value of each place; None where its answers contradict each other."""
    return {place: settle(place[2], [one.value for one in given]) for place, given in by_place(answers).items()}


def left_out(answers: Iterable[Answer]) -> list[tuple[Answer, str]]:
    """Every answer that does not count although another says something else, with the reason in words."""
    told: list[tuple[Answer, str]] = []
    for place, given in by_place(answers).items():
        value = settle(place[2], [one.value for one in given])
        beyond = (one for one in given if value is None or abs(one.value - value) > _same(place[2]))
        told += [(one, _reason(one, value, given)) for one in beyond]
    return sorted(told, key=lambda pair: _order(pair[0]))


def by_place(answers: Iterable[Answer]) -> dict[Place, list[Answer]]:
    """Answers of each place, in an order that does not depend on theirs."""
    found: dict[Place, list[Answer]] = {}
    for one in sorted(answers, key=_order):
        found.setdefault(one.place, []).append(one)
    return found


def _order(one: Answer) -> tuple[Any, ...]:
    return (one.place, one.value, one.key, one.file or "", one.line or 0)


def _reason(one: Answer, value: float | None, given: Sequence[Answer]) -> str:
    name = one.place[2]
    unit = PROPERTIES[name].unit
    stated = f"{name} of {one.value:g} {unit} left out"
    if value is None:
        values = _listed(sorted({f"{other.value:g}": other.value for other in given}.items(), key=lambda pair: pair[1]))
        return (
            f"{stated}: entries of the same crystal and Method say {values} {unit}, and nothing tells which is right; "
            "remove the wrong ones, or load them under names of their own with --source."
        )
    winners = _listed([(other.key, 0.0) for other in given if other.value == value])
    return (
        f"{stated}: {winners} of the same crystal and Method says {value:g} {unit}, and the lower energy is the better "
        "converged one, or that of the ground state."
    )


def _listed(pairs: Sequence[tuple[str, float]]) -> str:
    names = list(dict.fromkeys(name for name, _ in pairs))
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
