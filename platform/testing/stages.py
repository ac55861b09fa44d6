"""The contract of stages: one verdict a crystal with its reason, the same each time, nothing spoilt for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.core import Lattice, Structure

from fermiloop.platform.screening.funnel import judge
from fermiloop.platform.screening.passes import Pass
from fermiloop.platform.screening.verdicts import Crystal
from fermiloop.platform.testing.expecting import expect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.plugins.stages import StageDeclaration
    from fermiloop.platform.screening.verdicts import Context, Verdict


def check_stage(
    declared: StageDeclaration,
    structures: Sequence[Structure],
    context: Context,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Try a stage on some crystals, and on some that are no crystals.

    Parameters
    ----------
    declared
        Its declaration.
    structures
        Crystals that reach it; some that it passes and some that it rejects say the most.
    context
        What it judges by.
    options
        Its own, as a campaign file has them.

    Raises
    ------
    AssertionError
        Over the first thing that is wrong, in one sentence.
    """
    before = [structure.as_dict() for structure in structures]
    verdicts = _judged(declared, structures, context, options)
    for one in verdicts:
        _speaks(one, declared.name)
    again = _judged(declared, structures, context, options)
    expect(verdicts == again, f"The stage {declared.name} must say the same of the same crystals.")
    after = [structure.as_dict() for structure in structures]
    expect(before == after, f"The stage {declared.name} must replace the crystals that it changes.")
    expect(_judged(declared, (), context, options) == [], f"The stage {declared.name} must take an empty batch.")
    mixed = [*structures, Structure(Lattice.cubic(3.0), [{"Cu": 0.5, "Au": 0.5}], [(0, 0, 0)]), _collapsed()]
    found = _judged(declared, mixed, context, options)
    expect(len(found) == len(mixed), f"The stage {declared.name} must judge what is no sound crystal as well.")
    before_them = [(one.passed, one.reason) for one in verdicts]
    same = [(one.passed, one.reason) for one in found[: len(verdicts)]] == before_them
    expect(same, f"The stage {declared.name} must judge a crystal alike whatever comes after it in the batch.")


def _judged(
    declared: StageDeclaration, structures: Sequence[Structure], context: Context, options: Mapping[str, Any] | None
) -> list[Verdict]:
    shares: list[float] = []
    work = Pass(declared.name, context, np.random.default_rng(0), shares.append, declared.settings(options))
    crystals = [Crystal(place, structure) for place, structure in enumerate(structures)]
    try:
        verdicts = judge(declared, work, crystals)
    except Exception as error:  # of somebody else's package: anything may come
        said = f"The stage {declared.name} must reject what it cannot judge, not raise {type(error).__name__}: {error}"
        raise AssertionError(said) from error
    expect(all(0 <= share <= 1 for share in shares), f"The stage {declared.name} must tell shares in 0 to 1.")
    return verdicts


def _speaks(verdict: Verdict, name: str) -> None:
    told = verdict.passed or (verdict.reason and verdict.kind)
    expect(told, f"The stage {name} must reject with a reason, and a kind that tallies count by.")
    sound = verdict.value is None or isinstance(verdict.value, float)
    expect(sound and isinstance(verdict.passed, bool), f"Verdicts of the stage {name} must be floats and booleans.")


def _collapsed() -> Structure:
    """Two atoms in one place."""
    return Structure(Lattice.cubic(3.0), ["Cu", "Cu"], [(0, 0, 0), (0, 0, 1e-6)])
