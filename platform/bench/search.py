"""Global optimisers at equal oracle calls on two landscapes whose lowest minimum is known.

Noh et al. (Chem. Sci. 11, 4871, 2020) compare strategies by the calls they need, and give no table of their own;
so every method stands beside random search with the same local relaxation, which is what it must beat. The
landscapes are toys: the Lennard-Jones cluster of 13 atoms (-44.3268 ε) and an ionic crystal of 16 ions, whose
lowest known crystal is rock salt (lowest of the B1, B2, B3, B4, B8_1 prototypes and of all searches made).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.search.landscapes import LJ_MINIMA, IonicCrystal, LennardJonesCluster
from fermiloop.platform.search.optimisers.clusters import ClusterSpace
from fermiloop.platform.search.optimisers.crystal_space import CrystalSpace
from fermiloop.platform.search.optimisers.registry import OPTIMISERS
from fermiloop.platform.search.optimisers.relaxation import RelaxationOptions, relax, search
from fermiloop.platform.search.oracle import Oracle, Point

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fermiloop.platform.search.optimisers.protocol import SearchSpace
    from fermiloop.platform.search.oracle import Evaluation

BASELINE: Final = "random"
SEEDS: Final = 20
QUICK_SEEDS: Final = 3
QUICK_SHARE: Final = 0.4
"""Of the budget, in a quick run."""
ATOMS: Final = 13
FORMULA_UNITS: Final = 8
RADII: Final = (1.2, 1.81)
"""Å of cation and anion."""
VOLUME: Final = 25.0
"""Å³ per ion at which random cells are made; that of rock salt is 30."""


@dataclass(frozen=True)
class Problem:
    """One landscape.

    Parameters
    ----------
    title
        What it is.
    space, function
        Where and what is minimised.
    goal
        Lowest energy known.
    tolerance
        Energy above it that counts as found; less than half of what the next minimum lies above.
    budget
        Oracle calls of one search.
    relaxation
        How far relaxations and escapes go.
    """

    title: str
    space: SearchSpace
    function: Callable[[Point], Evaluation]
    goal: float
    tolerance: float
    budget: int
    relaxation: RelaxationOptions


@dataclass(frozen=True)
class Outcome:
    """Searches of one method: calls to success (infinite where there was none), lowest energy, seconds."""

    calls: tuple[float, ...]
    best: tuple[float, ...]
    seconds: float


def run_bench(
    data: Path | None,  # noqa: ARG001 - the landscapes need no data
    quick: bool,
    seed: int,
    progress: Callable[[str, float], None],
) -> dict[str, Any]:
    """Success, calls to success and lowest energy of every method on every landscape.

    Parameters
    ----------
    data
        Not read.
    quick
        Three seeds and less of the budget: a check, not a figure.
    seed
        Of the first search; the others follow it.
    progress
        Told the method and the share done.
    """
    began = time.perf_counter()
    seeds = [seed + i for i in range(QUICK_SEEDS if quick else SEEDS)]
    rows = []
    problems = (cluster_problem(quick), crystal_problem(quick))
    for i, problem in enumerate(problems):
        outcomes: dict[str, Outcome] = {}
        for j, method in enumerate(OPTIMISERS):
            progress(f"{method}, {problem.title}", (i + j / len(OPTIMISERS)) / len(problems))
            outcomes[method] = run_method(problem, method, seeds)
            rows.append(_row(problem, method, outcomes[method], outcomes[BASELINE]))
    progress("done", 1.0)
    return {
        "rows": rows,
        "data": {"landscapes": [problem.title for problem in problems], "n": len(seeds)},
        "settings": {"quick": quick, "seed": seed, "budgets": [problem.budget for problem in problems]},
        "seconds": time.perf_counter() - began,
    }


def cluster_problem(quick: bool = False) -> Problem:
    """The Lennard-Jones cluster."""
    budget = round(800 * (QUICK_SHARE if quick else 1))
    title = f"Lennard-Jones cluster of {ATOMS}"
    relaxation = RelaxationOptions(time_step=0.05, minima=3)
    return Problem(title, ClusterSpace(ATOMS), LennardJonesCluster(ATOMS), LJ_MINIMA[ATOMS], 0.01, budget, relaxation)


def crystal_problem(quick: bool = False) -> Problem:
    """The ionic crystal; its goal is rock salt relaxed, 1 meV per ion above it counts as found."""
    n = FORMULA_UNITS
    cell = PROTOTYPES["B1"].build("Na", "Cl", VOLUME)
    start, oracle = Point(np.asarray(cell.frac_coords), np.array(cell.lattice.matrix)), Oracle(_ions(1), 200)
    pair = relax(start, _ion_space(1), oracle, RelaxationOptions(tolerance=1e-3))[1]
    budget = round(800 * (QUICK_SHARE if quick else 1))
    relaxation = RelaxationOptions(time_step=0.15)
    return Problem(f"ionic crystal of {2 * n}", _ion_space(n), _ions(n), n * pair, 2 * n * 0.001, budget, relaxation)


def run_method(problem: Problem, method: str, seeds: list[int]) -> Outcome:
    """A search with each seed, ended where it succeeds."""
    began = time.process_time()
    calls, best = [], []
    goal = problem.goal + problem.tolerance
    for seed in seeds:
        rng = np.random.default_rng(seed)
        oracle = Oracle(problem.function, problem.budget)
        search(OPTIMISERS[method](problem.space, rng), problem.space, oracle, rng, problem.relaxation, goal=goal)
        calls.append(float(oracle.calls_to(goal) or np.inf))
        best.append(min(oracle.history))
    return Outcome(tuple(calls), tuple(best), time.process_time() - began)


def _row(problem: Problem, method: str, outcome: Outcome, random: Outcome) -> dict[str, Any]:
    n = len(outcome.calls)
    hits, base = int(np.isfinite(outcome.calls).sum()), int(np.isfinite(random.calls).sum())
    low, high = wilson(hits, n)
    median, usual = _median(outcome), _median(random)
    ahead = hits > base or (hits == base and (median or np.inf) < (usual or np.inf))
    return {
        "what": f"{problem.title}: {method}",
        "published": None,
        "ours": hits / n,
        "ours_low": low,
        "ours_high": high,
        "n": n,
        "baseline": base / n,
        "median_calls": median,
        "baseline_median_calls": usual,
        "mean_calls": float(np.minimum(outcome.calls, problem.budget).mean()),
        "baseline_mean_calls": float(np.minimum(random.calls, problem.budget).mean()),
        "best": min(outcome.best),
        "goal": problem.goal,
        "budget": problem.budget,
        "ahead_of_random": None if method == BASELINE else ahead,
        "seconds": outcome.seconds,
        "note": "share of searches that reached the goal; calls beyond the budget count as infinite in the median",
    }


def _median(outcome: Outcome) -> float | None:
    """Calls that half of the searches needed; None where fewer than half succeeded."""
    median = float(np.median(outcome.calls))
    return median if np.isfinite(median) else None


def _ions(n: int) -> IonicCrystal:
    return IonicCrystal([1.0] * n + [-1.0] * n, [RADII[0]] * n + [RADII[1]] * n)


def _ion_space(n: int) -> CrystalSpace:
    radii = np.array([RADII[0]] * n + [RADII[1]] * n)
    return CrystalSpace(("Na",) * n + ("Cl",) * n, radii, 2 * n * VOLUME)
