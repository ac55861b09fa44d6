"""The funnel: cheap checks first, each sees only what the ones before it passed, and nothing is lost.

A stage gives one `Verdict` for each crystal. What goes wrong with one crystal rejects that crystal with the error
as its reason; the batch goes on.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from fermiloop.platform.errors import InputError, PluginError
from fermiloop.platform.plugins.stages import STAGES, StageDeclaration
from fermiloop.platform.screening.batch_stages import target as predict
from fermiloop.platform.screening.passes import Pass
from fermiloop.platform.screening.target import STAGE as TARGET
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
    "Context",
    "Known",
    "Screened",
    "SimilarityModel",
    "Tally",
    "Verdict",
    "run_funnel",
    "unique_and_novel",
]


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
        Names of declared `STAGES`, in the order in which they run.
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
        If a stage is unknown or named twice, or has an option that it does not take.
    PluginError
        If the code of a stage cannot be imported, or gives no verdict for each crystal.
    """
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or len(set(stages)) < len(stages):
        named = f"{unknown[0]!r} is no stage" if unknown else "a stage is named twice"
        raise InputError(f"Of the funnel {named}; known stages are {', '.join(STAGES)}.")
    crystals = [Crystal(index, structure) for index, structure in enumerate(structures)]
    alive, tallies = crystals, []
    for stage in stages:
        options = STAGES[stage].settings(context.options.get(stage))
        work = Pass(stage, context, rng, partial(progress, stage), options)
        alive, tally = _run_stage(work, alive)
        tallies.append(tally)
        progress(stage, 1.0)
    passed = {crystal.index for crystal in alive}
    lost = [crystal for crystal in crystals if crystal.index not in passed and _may_be_missed(crystal)]
    if lost and TARGET in stages:  # their scores alone are kept, no verdict
        predict(Pass(TARGET, context, rng, lambda _: None), lost)
    return [
        Screened(c.index, c.structure, tuple(c.verdicts), dict(c.scores), c.index in passed) for c in crystals
    ], tallies


def _may_be_missed(crystal: Crystal) -> bool:
    """Whether a rejected crystal is sound: then the target is predicted for it too, and the report tells the loss."""
    last = crystal.verdicts[-1]
    return STAGES[last.stage].by_potential and last.kind not in (DUPLICATE, KNOWN)


def _run_stage(work: Pass, crystals: list[Crystal]) -> tuple[list[Crystal], Tally]:
    began = time.process_time()
    verdicts = judge(STAGES[work.stage], work, crystals) if crystals else []
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


def judge(declared: StageDeclaration, work: Pass, crystals: list[Crystal]) -> list[Verdict]:
    """One verdict for each crystal, by the stage's own code.

    Raises
    ------
    PluginError
        If the code cannot be imported, or gives no verdict of its own for each crystal.
    """
    code = declared.code()
    if declared.batch:
        found = list(code(work, crystals))
    else:
        more = () if work.options is None else (work.options,)
        found = work.each(crystals, lambda crystal: code(crystal, work.context, *more))
    if len(found) != len(crystals) or not all(isinstance(one, Verdict) and one.stage == work.stage for one in found):
        n = len(crystals)
        raise PluginError(f"The stage {work.stage} must give one Verdict of its own name for each of {n} crystals.")
    return found
