"""Properties by name: what may be stored of a material, in which unit, and how it is looked for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from fermiloop.platform.errors import InputError, PluginError
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import Declaration

V = TypeVar("V")
UNIT: Final = re.compile(r"\S(.{0,38}\S)?")
NO_UNIT: Final = "1"
OF_A_CELL: Final = "/cell"
"""How the unit of what grows with the cell ends."""


@dataclass(frozen=True)
class PropertyDeclaration(Declaration):
    """A number that may be said of a material.

    Parameters
    ----------
    title
        Its name for people, in lower case: ``"band gap"``.
    unit
        Any short text, ``"1"`` without one; of what grows with the cell it ends in ``/cell``, and values are then
        brought from the cell that was computed to that of the material.
    description
        What it is, in a clause.
    low, high
        In its unit: what no material has lies beyond, and is refused.
    targetable
        Whether a campaign may look for it.
    learned
        Whether training sets hold it, so that surrogates predict it and candidates have scores of it.
    scale
        In its unit: distance from a bound at which the score is halved, about what a calculation resolves or more.
    aim
        In its unit: lowest and highest value worth aiming at where it is minimised or maximised.
    same
        In its unit: by how much a calculation and its repeat may differ.
    lower_counts
        Whether of two values by one Method the lower is the better one, as of energies.
    of_material
        Whether it says something of the material alone, and not of one beside another.
    """

    unit: str = NO_UNIT
    description: str = ""
    low: float = -math.inf
    high: float = math.inf
    targetable: bool = True
    learned: bool = True
    scale: float = 1.0
    aim: tuple[float, float] = (-1.0, 1.0)
    same: float = 0.0
    lower_counts: bool = False
    of_material: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not UNIT.fullmatch(self.unit):
            raise PluginError(f"The unit of {self.name} is {self.unit!r}; write one of 1 to 40 characters, such as eV.")
        if not self.low < self.high:
            raise PluginError(f"The bounds of {self.name} are {self.low:g} and {self.high:g}; let them rise.")
        if not self.aim[0] < self.aim[1]:
            raise PluginError(f"The aims of {self.name} are {self.aim[0]:g} and {self.aim[1]:g}; let them rise.")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise PluginError(f"The scale of {self.name} is {self.scale:g}; it must be a positive number.")

    @property
    def per_cell(self) -> bool:
        """Whether it grows with the cell."""
        return grows(self.unit)

    @property
    def heading(self) -> str:
        """Title with the unit, where there is one."""
        return self.title if self.unit == NO_UNIT else f"{self.title} ({self.unit})"

    def fault(self, value: float) -> str | None:
        """Why no material has such a value, as the end of a sentence; None where one may."""
        unit = "" if self.unit == NO_UNIT else f" {self.unit}"
        if not math.isfinite(value):
            return f"is {value}, not a finite number"
        if not self.low <= value <= self.high:
            return f"is {value:g}{unit}, which lies outside {self.low:g} to {self.high:g}"
        return None


PROPERTIES: Final = Catalogue(
    "properties",
    PropertyDeclaration,
    ("fermiloop.schemas.properties",),
)


def grows(unit: str) -> bool:
    """Whether what bears a unit grows with the cell; it says so itself, so that no declaration is needed."""
    return unit.endswith(OF_A_CELL)


def declared_property(name: str) -> PropertyDeclaration:
    """Declaration of a property that is known here.

    Raises
    ------
    InputError
        If it is not, with those that are.
    """
    found = PROPERTIES.get(name)
    if found is not None:
        return found
    if PROPERTIES.fault(name):
        raise InputError(PROPERTIES.missing(name, "property"))
    raise InputError(f"The property {name!r} is unknown; known are {', '.join(PROPERTIES)}.")


def targetable() -> tuple[str, ...]:
    """Names that a campaign may look for."""
    return tuple(name for name, one in PROPERTIES.items() if one.targetable)


def learned() -> tuple[str, ...]:
    """Names of what training sets hold."""
    return tuple(name for name, one in PROPERTIES.items() if one.learned)


def of_material() -> tuple[str, ...]:
    """Names of what is said of a material alone."""
    return tuple(name for name, one in PROPERTIES.items() if one.of_material)


class Derived(Mapping[str, V], Generic[V]):
    """A table that follows from the declared properties: made when it is first asked for, and again when they change.

    Parameters
    ----------
    make
        Declarations in their order to the table.
    """

    def __init__(self, make: Callable[[tuple[PropertyDeclaration, ...]], Mapping[str, V]]) -> None:
        self._make = make
        self._made: tuple[tuple[PropertyDeclaration, ...], Mapping[str, V]] | None = None

    def __getitem__(self, name: str) -> V:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, V]:
        declared, made = tuple(PROPERTIES.values()), self._made
        if made is None or made[0] != declared:
            made = (declared, self._make(declared))
            self._made = made
        return made[1]
