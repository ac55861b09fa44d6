"""What is compared on the closed loop: the campaign's defaults, every acquisition that is offered, and plain rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fermiloop.platform.bench.loop_baselines import ExtraTrees, nearest_composition, nearest_fractions
from fermiloop.platform.campaign.replaying.strategies import DEFAULT, REPLAY_STRATEGIES, Strategy
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymatgen.core import Composition

    from fermiloop.platform.campaign.replaying.loop import Baseline

TREES: Final = "extra_trees"
NEAREST: Final = "nearest_composition"
FRACTIONS: Final = "nearest_fractions"
TREES_NAMED: Final = "extra_trees_named"
UNNAMED: Final = "unnamed"
"""The default where the campaign file gives a curve of which it does not say what it is of."""
RANDOM: Final = "random"
COMPARED: Final = (TREES, NEAREST)
"""Baselines that paired differences are taken to."""
OWN: Final[dict[str, tuple[str, Callable[[Composition | None], Baseline]]]] = {
    TREES: ("extra-trees on eleven element statistics of the composition", lambda _: ExtraTrees()),
    TREES_NAMED: ("the same, the target's own composition being one more that is known", ExtraTrees),
    NEAREST: ("nearness of composition to the target's, by element statistics", nearest_composition),
    FRACTIONS: ("nearness of composition to the target's, by atomic fractions", nearest_fractions),
}
"""Baselines of this bench: what they are, and what makes them for a target's composition."""
BASELINES: Final = (RANDOM, NEAREST, FRACTIONS, TREES, TREES_NAMED, "camd_shipped", "camd_exploit", "substitution")
OFFERED: Final = tuple(name for name, one in ACQUISITIONS.items() if one.needs_prediction)
USUAL: Final = (DEFAULT, UNNAMED, *OFFERED, *BASELINES)
"""Strategies of the whole table, in its order."""
QUICK: Final = (DEFAULT, RANDOM, NEAREST, TREES)
OF_MATERIALS: Final = (UNNAMED, TREES_NAMED)
"""Strategies that differ from others only where the target is the curve of a material."""
KNOWN: Final = tuple(dict.fromkeys((*USUAL, *REPLAY_STRATEGIES)))


def strategy(name: str, composition: Composition | None) -> Strategy:
    """A strategy for a target.

    Parameters
    ----------
    composition
        Of the target, None where it is no material.
    """
    if name == UNNAMED:
        return REPLAY_STRATEGIES[DEFAULT]
    if name not in OWN:
        return REPLAY_STRATEGIES[name]
    said, make = OWN[name]
    return Strategy(said, rule=make(composition), baseline=True)


def check(names: Sequence[str]) -> None:
    """Refuse names that stand for no strategy.

    Raises
    ------
    InputError
        If one is unknown.
    """
    for name in names:
        if name not in KNOWN:
            raise InputError(f"{name!r} is no strategy of the loop; known are {', '.join(KNOWN)}.")
