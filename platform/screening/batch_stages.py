"""Stages that see the whole batch: they remember what came before, or predict for all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fermiloop.platform.screening.hull import Hulls, check_hull
from fermiloop.platform.screening.passes import CRYSTAL_ERRORS
from fermiloop.platform.screening.relaxation import check_relaxation
from fermiloop.platform.screening.target import score_target
from fermiloop.platform.screening.twins import Register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.screening.passes import Pass
    from fermiloop.platform.screening.verdicts import Crystal, Verdict


def duplicates(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    """Reject twins of known materials and within the batch."""
    register = Register(work.context.known)
    return work.each(crystals, lambda crystal: register.judge(crystal, crystal.structure, work.stage))


def relaxation(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    """Relax one after another, and look for twins among the relaxed."""
    register = Register(work.context.known)
    pressure = work.options.pressure if work.options is not None else 0.0
    return work.each(crystals, lambda crystal: check_relaxation(crystal, work.context, register, work.rng, pressure))


def hull(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    """Measure against the hull of the references."""
    hulls = Hulls(work.context.hull_entries)
    return work.each(crystals, lambda crystal: check_hull(crystal, work.context, hulls))


def target(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    """Predict for all at once; where one crystal spoils the batch, for the halves."""
    if len(crystals) == 1:
        return work.each(crystals, lambda crystal: score_target([crystal], work.context)[0])
    try:
        return score_target(crystals, work.context)
    except CRYSTAL_ERRORS:  # one crystal spoils the batch: halve it until that one is alone
        middle = len(crystals) // 2
        return target(work, crystals[:middle]) + target(work, crystals[middle:])
