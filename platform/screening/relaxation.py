"""Relaxation by the cheap potential, and another look for twins: other decorations may relax to the same crystal.

One crystal after another: with CHGNet on one core even bare energies in batches of 16 take 11 ms a crystal where one
by one takes 14 ms, and crystals relaxed in a batch would have to wait for the slowest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.screening.geometry import check_distances, check_volume
from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    import numpy as np

    from fermiloop.platform.screening.twins import Register
    from fermiloop.platform.screening.verdicts import Context, Crystal

STAGE = "relaxation"


def check_relaxation(
    crystal: Crystal, context: Context, register: Register, rng: np.random.Generator, pressure: float = 0.0
) -> Verdict:
    """Relax; keep the relaxed structure and its energy where it converged to a sound and new crystal.

    Parameters
    ----------
    pressure
        GPa.
    """
    start = crystal.structure.copy()
    if context.rattle > 0:
        moves = rng.normal(scale=context.rattle, size=(len(start), 3))
        for site, move in enumerate(moves):
            start.translate_sites([site], move, frac_coords=False)
    outcome = relax(
        context.potential,
        start,
        fmax=context.max_force,
        steps=context.max_steps,
        keep_symmetry=context.rattle == 0,
        pressure=pressure,
    )
    relaxed = outcome.structure
    if outcome.fault is not None:
        return Verdict(STAGE, False, outcome.fault, kind="the relaxation went astray")
    if not outcome.converged:
        reason = f"not converged to {context.max_force:g} eV/Å in {context.max_steps} steps"
        return Verdict(STAGE, False, reason, float(outcome.steps), "not converged")
    problem = check_volume(relaxed, context, STAGE) or check_distances(relaxed, context, STAGE)
    if problem is not None:
        return problem
    crystal.structure = relaxed
    crystal.scores["energy_per_atom"] = outcome.energy_per_atom
    verdict = register.judge(crystal, relaxed, STAGE)
    return Verdict(STAGE, verdict.passed, verdict.reason, outcome.energy_per_atom, verdict.kind)
