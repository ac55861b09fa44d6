"""The funnel: cheap checks first, each sees only what the ones before it passed, and nothing is lost.

A stage gives one `Verdict` for each crystal. What goes wrong with one crystal rejects that crystal with the error
as its reason; the batch goes on.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.screening.composition import check_composition
from fermiloop.platform.screening.geometry import check_geometry
from fermiloop.platform.screening.hull import Hulls, check_hull
from fermiloop.platform.screening.relaxation import check_relaxation
from fermiloop.platform.screening.rules import check_rules
from fermiloop.platform.screening.target import STAGE as TARGET
from fermiloop.platform.screening.target import score_target
from fermiloop.platform.screening.twins import Register
from fermiloop.platform.screening.verdicts import (
    DUPLICATE,
    KNOWN,
    Context,
    Crystal,
    Known,
    Screened,
    SimilarityModel,
    Tally,
    Verdict,
    unique_and_novel,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from pymatgen.core import Structure

__all__ = [
    "STAGES",
    "Context",
    "Known",
    "Screened",
    "SimilarityModel",
    "Tally",
    "Verdict",
    "run_funnel",
    "unique_and_novel",
]

PREDICTED_ALL_THE_SAME: Final = frozenset({"relaxation", "hull"})
"""Stages that reject by the cheap potential, whose errors may cost a hit."""

# what pymatgen, spglib, ASE and torch raise over one bad crystal; a missing package or a full memory is no such thing
CRYSTAL_ERRORS: Final = (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError, FermiloopError)


@dataclass(frozen=True)
class Pass:
    """One stage at work: what it judges by, where its randomness comes from, whom it tells how far it is."""

    stage: str
    context: Context
    rng: np.random.Generator
    tell: Callable[[float], None]

    def each(self, crystals: Sequence[Crystal], check: Callable[[Crystal], Verdict]) -> list[Verdict]:
        """Judge one by one; an error over one crystal is its rejection."""
        verdicts = []
        for place, crystal in enumerate(crystals):
            try:
                verdict = check(crystal)
            except CRYSTAL_ERRORS as error:
                reason = f"the {self.stage} stage failed: {type(error).__name__}: {str(error).strip()[:200]}"
                verdict = Verdict(self.stage, False, reason, kind=f"failed: {type(error).__name__}")
            verdicts.append(verdict)
            self.tell((place + 1) / len(crystals))
        return verdicts


def _composition(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    return work.each(crystals, lambda crystal: check_composition(crystal, work.context))


def _rules(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    return work.each(crystals, lambda crystal: check_rules(crystal, work.context))


def _geometry(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    return work.each(crystals, lambda crystal: check_geometry(crystal, work.context))


def _duplicates(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    register = Register(work.context.known)
    return work.each(crystals, lambda crystal: register.judge(crystal, crystal.structure, work.stage))


def _relaxation(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    register = Register(work.context.known)
    return work.each(crystals, lambda crystal: check_relaxation(crystal, work.context, register, work.rng))


def _hull(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    hulls = Hulls(work.context.hull_entries)
    return work.each(crystals, lambda crystal: check_hull(crystal, work.context, hulls))


def _target(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    if len(crystals) == 1:
        return work.each(crystals, lambda crystal: score_target([crystal], work.context)[0])
    try:
        return score_target(crystals, work.context)
    except CRYSTAL_ERRORS:  # one crystal spoils the batch: halve it until that one is alone
        middle = len(crystals) // 2
        return _target(work, crystals[:middle]) + _target(work, crystals[middle:])


STAGES: Final[dict[str, Callable[[Pass, Sequence[Crystal]], list[Verdict]]]] = {
    "composition": _composition,
    "rules": _rules,
    "geometry": _geometry,
    "duplicates": _duplicates,
    "relaxation": _relaxation,
    "hull": _hull,
    "target": _target,
}


def run_funnel(
    structures: Sequence[Structure],
    stages: Sequence[str],
    context: Context,
    rng: np.random.Generator,
    progress: Callable[[str, float], None],
) -> tuple[list[Screened], list[Tally]]:
    """Send a batch through the stages.

    Parameters
    ----------
    structures
        The batch; not changed.
    stages
        Names from `STAGES`, in the order in which they run.
    context
        All that stages judge by.
    rng
        Drawn from only where `context.rattle` is above 0.
    progress
        Called with the name of the stage and the share of it that is done.

    Returns
    -------
    One `Screened` for each structure, in order, and one `Tally` for each stage.

    Raises
    ------
    InputError
        If a stage is unknown or named twice.
    """
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or len(set(stages)) < len(stages):
        named = f"{unknown[0]!r} is no stage" if unknown else "a stage is named twice"
        raise InputError(f"Of the funnel {named}; known stages are {', '.join(STAGES)}.")
    crystals = [Crystal(index, structure) for index, structure in enumerate(structures)]
    alive, tallies = crystals, []
    for stage in stages:
        work = Pass(stage, context, rng, partial(progress, stage))
        alive, tally = _run_stage(work, alive)
        tallies.append(tally)
        progress(stage, 1.0)
    passed = {crystal.index for crystal in alive}
    lost = [crystal for crystal in crystals if crystal.index not in passed and _may_be_missed(crystal)]
    if lost and TARGET in stages:  # their scores alone are kept, no verdict
        _target(Pass(TARGET, context, rng, lambda _: None), lost)
    return [
        Screened(c.index, c.structure, tuple(c.verdicts), dict(c.scores), c.index in passed) for c in crystals
    ], tallies


def _may_be_missed(crystal: Crystal) -> bool:
    """Whether a rejected crystal is sound: then the target is predicted for it too, and the report tells the loss."""
    last = crystal.verdicts[-1]
    return last.stage in PREDICTED_ALL_THE_SAME and last.kind not in (DUPLICATE, KNOWN)


def _run_stage(work: Pass, crystals: list[Crystal]) -> tuple[list[Crystal], Tally]:
    began = time.process_time()
    verdicts = STAGES[work.stage](work, crystals) if crystals else []
    seconds = time.process_time() - began
    alive = []
    reasons: Counter[str] = Counter()
    for crystal, verdict in zip(crystals, verdicts, strict=True):
        crystal.verdicts.append(verdict)
        if verdict.passed:
            alive.append(crystal)
        else:
            reasons[verdict.kind] += 1
    return alive, Tally(work.stage, len(crystals), len(alive), dict(reasons), seconds)
