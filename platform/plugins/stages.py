"""Stages of the funnel by name: what each judges by, where it stands, and how it is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import CodeDeclaration, check_place
from fermiloop.platform.plugins.options import chosen_options

LAST: Final = "target"
"""The stage that predicts: whatever does not say where it stands comes before it."""


@dataclass(frozen=True)
class StageDeclaration(CodeDeclaration):
    """What a stage is, without its code.

    Parameters
    ----------
    load
        Place of ``check(crystal, context) -> Verdict``; with options ``check(crystal, context, options)``. An error
        over one crystal rejects that crystal alone.
    batch
        Whether the place is that of ``judge(work, crystals) -> list[Verdict]`` instead, which sees all crystals of
        a round at once: `work` is a `Pass`.
    options
        Place of the dataclass of its options, in a module that imports nothing heavy: it is read with a campaign
        file. Empty where it takes none.
    after, before
        Names of stages that it follows or precedes, where both are asked for.
    needs
        Stages without which it cannot judge.
    because
        Why it needs them, as a clause.
    usual
        Whether it is in the set of a campaign file that names no stages. Of our own stages only: a file means the same
        whatever is installed.
    by_potential
        Whether it rejects by the cheap potential, whose errors may cost a hit: then the target is predicted for
        the rejected too, and the report tells the loss.
    finds_twins
        Whether it looks for crystals that are alike.
    unit
        Unit of the values of its verdicts.
    """

    batch: bool = False
    options: str = ""
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    because: str = "it builds on what that one finds"
    usual: bool = False
    by_potential: bool = False
    finds_twins: bool = False
    unit: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.options:
            check_place(self.options)

    def settings(self, given: Mapping[str, Any] | None = None) -> Any:
        """Options of a person in the dataclass; None where it takes none.

        Raises
        ------
        InputError
            If an option is unknown or its value is not one that it takes.
        """
        return chosen_options(self.options, f"stage {self.name}", given)


STAGES: Final = Catalogue(
    "stages",
    StageDeclaration,
    ("fermiloop.platform.screening.declarations",),
)


def ordered(stages: Iterable[str], declared: Mapping[str, StageDeclaration] = STAGES) -> tuple[str, ...]:
    """Stages in the order in which they build on each other.

    Those of no constraint stand as they are declared, and before the one that predicts.

    Raises
    ------
    InputError
        If some of them each want to come first.
    """
    left = [name for name in declared if name in set(stages)]
    ahead = {name: {other for other in left if other != name and _precedes(declared, other, name)} for name in left}
    found: list[str] = []
    while left:
        free = next((name for name in left if ahead[name] <= set(found)), None)
        if free is None:
            them = ", ".join(name for name in left if name != LAST)
            raise InputError(f"The stages {them} each want to come before another of them; leave one out.")
        found.append(free)
        left.remove(free)
    return tuple(found)


def _precedes(declared: Mapping[str, StageDeclaration], first: str, second: str) -> bool:
    one, other = declared[first], declared[second]
    if second in one.before or first in other.after or first in other.needs:
        return True
    return second == LAST and LAST not in one.after and LAST not in one.needs and second not in one.before


def usual() -> tuple[str, ...]:
    """Stages of a campaign file that names none."""
    return tuple(name for name, one in STAGES.items() if one.usual and STAGES.source(name) is None)
