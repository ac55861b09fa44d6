"""Names that a campaign file may use beside those that are declared in `platform.plugins`."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.schemas.vocabulary import CrystalSystem

if TYPE_CHECKING:
    from collections.abc import Iterable

MODES: Final = ("rounds", "asynchronous")
SHARES: Final = ("all", "bandit")
SIZINGS: Final = ("fixed", "measured")
BASELINES: Final = ("random", "substitution")
TRAINERS: Final = ("campaign", "schedule")
STEPS: Final = ("retrain", "sample", "screen", "evaluate")  # what costs processor time
CRYSTAL_SYSTEMS: Final = tuple(system.value for system in CrystalSystem)


def hint(value: str, known: Iterable[str], what: str) -> str:
    """What to say about an unknown name: why its package cannot be used, the nearest known one, or all of them.

    Parameters
    ----------
    value
        What was written.
    known
        Names that would be right, such as a catalogue.
    what
        Kind of name, such as ``"generator"``.
    """
    fault = known.fault(value) if isinstance(known, Catalogue) else None
    if fault:
        return f"{fault}."
    names = list(known)
    lowered = {name.lower(): name for name in names}
    near = difflib.get_close_matches(value.lower(), list(lowered), n=1, cutoff=0.6)
    if near:
        return f"did you mean {lowered[near[0]]}?"
    return f"known {what}s are {', '.join(names)}." if names else f"there is no {what} to choose here."
