"""What may be learned: the one rule, for campaigns, for schedules and by hand.

Nobody learns from what a campaign proposed and no calculation confirmed (`verified`). The models of a campaign learn
from all the rest: they are judged by what the campaign finds, and each of its results is to count at once.

A checkpoint that schedules or a person train goes through a gate, which needs crystals that it has never seen. So a
tenth of all crystals, by the hash of their id and so for ever, is held out of those trainings (`split`), and what would
make a generator's own proposals more than half of its training set is left out, lest it learn from itself. A campaign's
checkpoint that somebody promotes has no such tenth: the gate leaves out all that either checkpoint has learned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fermiloop.platform.store import training

TENTH: Final = 10
OWN_SHARE: Final = 0.5


def verified(method: str, curves: Sequence[str] = ()) -> list[str]:
    """Ids of the materials that may be learned from, sorted.

    Parameters
    ----------
    method
        Whose labels are learned.
    curves
        Methods whose curves are learned; that of the labels by default.
    """
    known = training.materials_of(method, curves=curves)
    loose = training.unverified(known, method, curves)
    return [key for key in known if key not in loose]


@dataclass(frozen=True)
class Split:
    """Ids to learn from, ids held out, and how many were dropped and why."""

    learn: list[str]
    test: list[str]
    dropped: dict[str, int]


def split(generator: str, method: str, curves: Sequence[str] = (), own_share: float = OWN_SHARE) -> Split:
    """All that a generator may learn of the labels of a Method and of these curves, and what is kept from it."""
    known = training.materials_of(method, curves=curves)
    sound = verified(method, curves)
    learn = [key for key in sound if not is_held_out(key)]
    own = training.proposed_by(learn, generator)
    room = int(own_share / (1 - own_share) * (len(learn) - len(own)))
    excess = set(sorted(own, key=_digest)[room:])
    test = [key for key in sound if is_held_out(key)]
    dropped = {"unverified": len(known) - len(sound), "own proposals above their share": len(excess)}
    return Split([key for key in learn if key not in excess], test, dropped)


def is_held_out(material: str) -> bool:
    """Whether a material belongs to the tenth that nobody learns from."""
    return _digest(material) % TENTH == 0


def _digest(material: str) -> int:
    return int(hashlib.sha256(material.encode()).hexdigest(), 16)
