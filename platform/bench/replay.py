"""Strategies replayed on labelled crystals with the answers hidden: hits for the same calls, beside chance.

Two targets of formation energy, each held by about 5 % of the crystals: a narrow band in the middle of the values, and
their lowest end. 25 answers are known at the start and 250 are asked for in batches of 25; what is shown is how many
times as many hits a strategy finds as chance does, mean and Student's 95 % interval over the seeds. The rules compared
with are a forest on the composition alone and the agent of CAMD (Montoya et al., Chem. Sci. 11, 8517, 2020).
The design was chosen on other crystals than those of seed 0: on labels of another origin (``e_form_mp2018``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import read_crystals, select
from fermiloop.platform.campaign.replaying.loop import Oracle
from fermiloop.platform.campaign.replaying.replay import Course, Score, score
from fermiloop.platform.campaign.replaying.strategies import DEFAULT, REPLAY_STRATEGIES
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.training import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fermiloop.platform.representations.training import TrainingSet

PROPERTY: Final = "formation_energy_per_atom"
MAX_SITES: Final = 20
CRYSTALS: Final = 5000
SEEDS: Final = 10
COURSE: Final = Course(known=25, calls=250, batch=25)
BAND: Final = (-0.56, -0.50)
"""eV/atom"""
LOWEST: Final = 0.05
"""Share of the crystals that the lowest end holds."""
QUICK_CRYSTALS: Final = 600
QUICK_SEEDS: Final = 2
QUICK_COURSE: Final = Course(known=20, calls=40, batch=20)
QUICK_STRATEGIES: Final = ("random", "substitution", "composition_trees", DEFAULT)
PUBLISHED: Final = {
    ("composition_trees", "band"): 3.4, ("composition_trees", "lowest"): 10.6,
    ("camd_shipped", "lowest"): 6.4, ("camd_exploit", "lowest"): 9.5,
}  # fmt: skip
"""Times chance as measured by others over 3 seeds."""
SLATES: Final = ((DEFAULT, "substitution"), ("greedy", "substitution"), (DEFAULT, "random_pick"))
"""Strategies that choose among what a generator proposes, beside those that choose from the whole pool."""


def run_bench(
    data: Path,
    quick: bool,
    seed: int,
    progress: Callable[[str, float], None],
    strategies: Sequence[str] = (),
    seeds: int | None = None,
) -> dict[str, Any]:
    """Rows of the table: every strategy on both targets.

    Parameters
    ----------
    data
        Crystals with formation energies.
    quick
        Few crystals, seeds and strategies: a check, not a figure.
    seed
        Of the draw of the crystals, and the first of the replays.
    strategies
        Names of `REPLAY_STRATEGIES`; all by default, and choices among what generators propose.
    seeds
        How many; ten by default.

    Raises
    ------
    InputError
        If the file holds too few crystals with a formation energy, or a name is unknown.
    """
    began = time.process_time()
    course, n = (QUICK_COURSE, QUICK_CRYSTALS) if quick else (COURSE, CRYSTALS)
    pool = labelled_pool(data, PROPERTY, MAX_SITES, n, seed, progress)
    numbers = [seed + i for i in range(seeds or (QUICK_SEEDS if quick else SEEDS))]
    pairs = [(name, "pool") for name in (strategies or (QUICK_STRATEGIES if quick else REPLAY_STRATEGIES))]
    pairs += [] if quick or strategies else SLATES
    asked = {"band": Condition(PROPERTY, *BAND), "lowest": lowest(pool, PROPERTY, LOWEST)}
    oracles = {name: oracle_of(pool, condition) for name, condition in asked.items()}
    rows = []
    for i, (target, oracle) in enumerate(oracles.items()):
        file = file_for(asked[target])
        suiting = [(name, generator) for name, generator in pairs if REPLAY_STRATEGIES[name].suits(file)]
        for j, (name, generator) in enumerate(suiting):
            progress(f"{target}: {name} from {generator}", (i + j / len(suiting)) / len(oracles))
            start = time.process_time()
            found = score(oracle, file, name, course, numbers, generator)
            rows.append(_row(target, found, time.process_time() - start))
    progress("done", 1.0)
    return {
        "rows": rows,
        "data": {
            "file": data.name, "crystals": len(pool), **{k: _told(oracle, asked[k]) for k, oracle in oracles.items()},
        },
        "settings": {"quick": quick, "seed": seed, "seeds": len(numbers), "known": course.known, "batch": course.batch},
        "seconds": time.process_time() - began,
    }  # fmt: skip


def labelled_pool(
    path: Path, label: str, max_sites: int | None, limit: int | None, seed: int, progress: Callable[[str, float], None]
) -> TrainingSet:
    """Crystals of a file that have a label.

    Parameters
    ----------
    path
        As `read_crystals` takes it.
    label
        Name of the property.
    max_sites
        Most sites of a cell.
    limit
        How many at most, chosen at random.
    seed
        Of the choice.

    Raises
    ------
    InputError
        If no crystal has the label or fits.
    """
    progress("reading crystals", 0.0)
    crystals, _ = read_crystals(path)
    values = np.asarray(crystals.labels.get(label, np.full(len(crystals), np.nan)), dtype=float)
    rows = np.flatnonzero(np.isfinite(values)).tolist()
    if not rows:
        there = [name for name, found in crystals.labels.items() if np.isfinite(found).any()]
        raise InputError(f"{path} holds no crystal with a {label}; it holds {', '.join(there) or 'no labels'}.")
    return select(crystals.subset(rows), max_sites=max_sites, limit=limit, seed=seed)


def oracle_of(pool: TrainingSet, condition: Condition) -> Oracle:
    """Recorded answers to one condition."""
    return Oracle(pool, Target(windows=(condition,)))


def file_for(condition: Condition) -> CampaignSpec:
    """The shortest campaign file that looks for a condition: everything else is as a campaign's is by default.

    Raises
    ------
    SpecError
        If campaigns know no such property.
    """
    asked: dict[str, Any] = {"name": condition.property}
    if condition.two_sided:
        asked |= {"value": condition.value, "tolerance": condition.tolerance}
    else:
        asked |= {"at_most": condition.high} if np.isfinite(condition.high) else {"at_least": condition.low}
    return CampaignSpec.model_validate(
        {
            "name": "replay",
            "target": {"properties": [asked], "stable_within": None},
            "space": {"elements": ["H"]},
            "generators": [{"name": "random_pick", "proposals": 1}],
            "budget": {"rounds": 1, "evaluations": 1, "per_round": 1},
        }
    )


def lowest(pool: TrainingSet, label: str, share: float) -> Condition:
    """The lowest values, as many as make up a share of the pool.

    Raises
    ------
    InputError
        If the share is not in (0, 1).
    """
    if not 0 < share < 1:
        raise InputError(f"A share lies between 0 and 1, not at {share:g}.")
    values = np.sort(pool.labels[label])
    return Condition(label, high=float(values[max(0, round(share * len(pool)) - 1)]))


def _told(oracle: Oracle, condition: Condition) -> str:
    held = int(oracle.hits.sum())
    return f"{condition.low:.4g} to {condition.high:.4g} eV/atom, {held} of {len(oracle.pool)}"


def _row(target: str, found: Score, seconds: float) -> dict[str, Any]:
    row = found.row()
    generator = "" if found.generator == "pool" else f" among {found.generator}'s"
    plan = REPLAY_STRATEGIES[found.strategy]
    return {
        "what": f"{target}: {found.strategy}{generator}",
        "published": PUBLISHED.get((found.strategy, target)) if not generator else None,
        "ours": row["times_random"],
        "ours_low": row["times_random_low"],
        "ours_high": row["times_random_high"],
        "n": len(found.runs),
        "baseline": plan.baseline,
        "hits": found.hits,
        "hits_per_call": row["per_call"],
        "chance": found.chance,
        "seconds": round(seconds, 1),
        "note": plan.title,
    }
