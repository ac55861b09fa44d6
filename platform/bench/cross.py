"""All strategies on one target with one budget of oracle calls: the comparison that the review asks for.

Noh et al. (Chem. Sci. 11, 4871, 2020) set three strategies side by side without a figure for all; here each registered
generator, and a hybrid of them, gets the same calls of one oracle. The oracle is the formation energy at the geometry
proposed by CHGNet (Deng et al., Nat. Mach. Intell. 5, 1031, 2023), against its own elements: cheap, independent of any
strategy, and one number for all; it is a potential's answer, not a measurement. The strategies learn from crystals that
the same oracle has labelled; these calls are shared by all and not counted. The target is a formation energy at the
lowest tenth of the training set, ± 0.1 eV/atom, on compositions of which no crystal is in the training set.

A call is one energy. The global optimisers call the same potential, with forces, inside their search and each of these
counts: their crystals need no further call. All others propose as many crystals as there are calls, best first. A hit
is a formula inside the window, each counted once; failures and shortfalls count as calls without one. Strategies come
from the registry; one that cannot work on the target stands in the table with the reason.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.hybrid import HybridOptions, Known, Pool, refinements, run_hybrid
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.protocol import Condition, PropertyWindow, Space, Target
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.potentials import potential as declared
from fermiloop.platform.predictors.descriptors import structure_descriptors
from fermiloop.platform.representations.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Generator, Proposal

    Array = NDArray[np.float64]
    Oracle = Callable[[Sequence[Structure]], Array]

PROPERTY: Final = "formation_energy_per_atom"
QUANTILE: Final = 0.1
TOLERANCE: Final = 0.1
"""eV/atom."""
MAX_SITES: Final = 8
BASELINE: Final = "random_pick"
COMPARED: Final = tuple(name for name in GENERATORS if name not in {"pool", "command"})  # which propose what is given
POOL: Final = 4
"""Proposals that each generator adds to the pool of the hybrid, in budgets."""
EPOCHS: Final[dict[str, dict[str, Any]]] = {
    "ftcp": {"epochs": 60},
    "ccdcgan": {"site_epochs": 6, "cell_epochs": 30, "max_images": 200, "gan_steps": 600, "max_sites": MAX_SITES},
    "imatgen": {"epochs": 8, "cell_epochs": 30, "generator_epochs": 60, "max_images": 300, "attempts": 3},
}
"""What is learned and drawn more briefly than by default, so that each training ends within the time allowed."""
HYBRIDS: Final = {
    "hybrid: pool, funnel": HybridOptions(rounds=1, refined=0),
    "hybrid: pool, refinement, funnel": HybridOptions(rounds=1),
    "hybrid: pool, refinement, funnel, feedback": HybridOptions(),
}


@dataclass(frozen=True)
class Scale:
    """Size of a run.

    Parameters
    ----------
    budget
        Oracle calls of each strategy and seed.
    seeds
        Searches of each strategy.
    crystals
        Most of the training set.
    oracle
        Name of a potential.
    seconds
        Processor time that one training may take; draws may take as much again.
    """

    budget: int
    seeds: int
    crystals: int
    oracle: str
    seconds: float


SCALES: Final = {False: Scale(60, 5, 500, "chgnet", 600.0), True: Scale(12, 1, 60, "analytic", 2.0)}


@dataclass(frozen=True)
class Task:
    """What every strategy is given.

    Parameters
    ----------
    data
        Training set, labelled by the oracle, without curves.
    oracle
        Crystals to formation energies, eV/atom.
    references
        Energy of each element by the same potential, eV/atom.
    """

    data: TrainingSet
    target: Target
    space: Space
    oracle: Oracle
    references: dict[str, float]
    scale: Scale

    @property
    def window(self) -> Condition:
        """The one window of the target."""
        return self.target.windows[0]


@dataclass
class Outcome:
    """One strategy over all seeds: of each the formulas asked for with the answers, in order; or why it has none."""

    asked: list[list[tuple[str, float]]] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = ""


class TooSlow(FermiloopError):  # noqa: N818 - it ends a training as planned
    """A training that takes longer than the bench allows."""


def run_bench(data: Path | None, quick: bool, seed: int, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """One row for each strategy, then one for each hybrid.

    Parameters
    ----------
    data
        Crystals, among them some of single elements: their labels and curves are not read.
    quick
        A toy potential, one seed, a fifth of the calls: a check, not a figure.
    seed
        Of the first search; the others follow it.
    progress
        Told the strategy and the share done.

    Raises
    ------
    InputError
        If the file holds too few small crystals of elements that it holds alone as well.
    """
    began = time.perf_counter()
    if data is None:
        raise InputError("The bench of strategies needs a file of crystals; give one by --data.")
    progress("labels by the oracle", 0.0)
    task = make_task(read_crystals(data)[0], SCALES[quick], seed)
    outcomes: dict[str, Outcome] = {}
    fitted: dict[str, Generator] = {}
    for place, name in enumerate(COMPARED):
        progress(name, (place + 1) / (len(COMPARED) + 4))
        outcomes[name] = run_strategy(name, task, seed, fitted)
    for place, (name, options) in enumerate(HYBRIDS.items()):
        progress(name, (len(COMPARED) + 1 + place) / (len(COMPARED) + 4))
        outcomes[name] = run_pool(task, seed, fitted, options)
    progress("done", 1.0)
    base = hits_per_call(outcomes[BASELINE], task)
    labels = task.data.labels[PROPERTY]
    return {
        "rows": [strategy_row(name, outcome, task, base) for name, outcome in outcomes.items()],
        "data": {"file": data.name, "n": len(task.data), "elements": len(task.space.elements)},
        "settings": {
            "quick": quick, "seed": seed, "oracle": task.scale.oracle, "budget": task.scale.budget,
            "seeds": task.scale.seeds, "window": [task.window.value, task.window.tolerance],
            "share_of_training_in_window": float(np.mean(np.abs(labels - task.window.value) <= task.window.tolerance)),
        },
        "seconds": time.perf_counter() - began,
    }  # fmt: skip


def make_task(crystals: TrainingSet, scale: Scale, seed: int) -> Task:
    """Small unaries and binaries, their labels by the oracle, and the target.

    Raises
    ------
    InputError
        If there are too few of them.
    """
    small = [i for i, s in enumerate(crystals.structures) if len(s) <= MAX_SITES and len(s.composition) <= 2]
    alone = {crystals.structures[i].composition.elements[0].symbol: i for i in small if _is_element(crystals, i)}
    usable = [i for i in small if {e.symbol for e in crystals.structures[i].composition.elements} <= set(alone)]
    pairs = [i for i in usable if not _is_element(crystals, i)]
    if len(pairs) < 20:
        raise InputError(
            f"Only {len(pairs)} crystals of two elements, at most {MAX_SITES} sites and both elements in the file "
            "alone as well; the bench needs 20 or more."
        )
    pairs = np.sort(np.random.default_rng(seed).permutation(pairs)[: scale.crystals]).tolist()
    data = crystals.subset(sorted({*pairs, *(i for i in usable if _is_element(crystals, i))}))
    potential = declared(scale.oracle).build()
    energies = np.array(potential.energies(data.structures))
    references: dict[str, float] = {}
    for structure, energy in zip(data.structures, energies, strict=True):
        if len(structure.composition) == 1:
            symbol = structure.composition.elements[0].symbol
            references[symbol] = min(float(energy), references.get(symbol, np.inf))

    def oracle(structures: Sequence[Structure]) -> Array:
        return np.array(
            [_formation(s, e, references) for s, e in zip(structures, potential.energies(structures), strict=True)]
        )

    labels = np.array([_formation(s, float(e), references) for s, e in zip(data.structures, energies, strict=True)])
    data = TrainingSet(
        data.ids, data.structures, data.crystal_systems, data.prototypes, data.grid,
        np.full_like(data.curves, np.nan), {PROPERTY: labels},
    )  # fmt: skip
    value = float(np.quantile(labels[[len(s.composition) == 2 for s in data.structures]], QUANTILE))
    known = tuple(sorted({structure.composition.reduced_formula for structure in data.structures}))
    target = Target(windows=(PropertyWindow(PROPERTY, value, TOLERANCE),), exclude_formulas=known)
    systems = tuple(sorted(set(data.crystal_systems)))
    return Task(data, target, Space(tuple(sorted(references)), (2, 2), systems, MAX_SITES), oracle, references, scale)


def run_strategy(name: str, task: Task, seed: int, fitted: dict[str, Generator]) -> Outcome:
    """Train one generator and give it its calls; one that needs no oracle of its own is added to `fitted`."""
    began, outcome = time.process_time(), Outcome()
    if GENERATORS[name].needs_curve:
        return Outcome(reason="it answers a target curve, and this target is a window")
    try:
        generator = GENERATORS[name].build(None, options_of(name, task.scale))
        generator.fit(task.data, seed, _watch(task.scale.seconds))
        searches = "oracle_calls" in _option_names(name)
        for k in range(task.scale.seeds):
            _check_time(name, time.process_time() - began, task.scale)
            proposals = generator.sample(task.target, task.space, task.scale.budget, np.random.default_rng(seed + k))
            outcome.asked.append(_told(proposals, task) if searches else _asked(proposals, task))
        if generator.failures:
            reason, count = generator.failures.most_common(1)[0]
            outcome.reason = f"most frequent failure of the last draws: {reason} ({count})"
        if not searches:
            fitted[name] = generator
    except FermiloopError as error:
        outcome.asked, outcome.reason = [], str(error)
    outcome.seconds = time.process_time() - began
    return outcome


def run_pool(task: Task, seed: int, fitted: dict[str, Generator], options: HybridOptions) -> Outcome:
    """A hybrid of the fitted generators."""
    began, outcome = time.process_time(), Outcome()
    decorator = Decorator.learn(task.data, "none")
    known = Known(structure_descriptors(task.data.structures), np.asarray(task.data.labels[PROPERTY]))
    for k in range(task.scale.seeds):
        rng = np.random.default_rng(seed + k)
        proposals = [
            proposal.structure
            for generator in fitted.values()
            for proposal in generator.sample(task.target, task.space, POOL * task.scale.budget, rng)
        ]
        pool = Pool(proposals, frozenset(task.target.exclude_formulas))
        asked = run_hybrid(
            pool, known, task.window, task.scale.budget, task.oracle,
            lambda structure: refinements(structure, task.space, decorator), options,
        )  # fmt: skip
        outcome.asked.append([(structure.composition.reduced_formula, value) for structure, value in asked])
    outcome.seconds = time.process_time() - began
    return outcome


def options_of(name: str, scale: Scale) -> dict[str, Any]:
    """Options of a generator: no hidden calls of a potential, and the budget where it searches by one."""
    known = _option_names(name)
    chosen = dict(EPOCHS.get(name, {}))
    if "oracle_calls" in known:
        each = max(12, scale.budget // 3)
        return chosen | {"potential": scale.oracle, "oracle_calls": scale.budget, "calls_per_composition": each}
    return chosen | ({"potential": "none"} if "potential" in known else {})


def hits(asked: Sequence[tuple[str, float]], window: Condition) -> int:
    """Different formulas in the window."""
    return len({formula for formula, value in asked if abs(value - window.value) <= window.tolerance})


def hits_per_call(outcome: Outcome, task: Task) -> float | None:
    """Share of the calls that hit, over all seeds."""
    if not outcome.asked:
        return None
    return sum(hits(asked, task.window) for asked in outcome.asked) / (task.scale.budget * len(outcome.asked))


def strategy_row(name: str, outcome: Outcome, task: Task, base: float | None) -> dict[str, Any]:
    """Hits of 100 calls, the nearest value, the share of different formulas, calls to the first hit."""
    n = task.scale.budget * len(outcome.asked)
    found = [hits(asked, task.window) for asked in outcome.asked]
    low, high = wilson(sum(found), n)
    misses = [min((abs(v - task.window.value) for _, v in asked), default=np.inf) for asked in outcome.asked]
    made = sum(len(asked) for asked in outcome.asked)
    unique = sum(len({formula for formula, _ in asked}) for asked in outcome.asked)
    firsts = [_first(asked, task.window) for asked in outcome.asked]
    return {
        "what": f"{name}: hits in 100 calls",
        "published": None,
        "ours": 100 * sum(found) / n if n else None,
        "ours_low": 100 * low if n else None,
        "ours_high": 100 * high if n else None,
        "n": n,
        "baseline": None if base is None else 100 * base,
        "seconds": round(outcome.seconds, 1),
        "by_seed": found,
        "nearest": _finite(misses),
        "proposed": made / n if n else None,
        "unique": unique / made if made else None,
        "first_hit": _finite(firsts),
        "note": outcome.reason,
    }


def _finite(values: Sequence[float]) -> float | None:
    """The median; None where there is none."""
    middle = float(np.median(values)) if values else np.inf
    return middle if np.isfinite(middle) else None


def _first(asked: Sequence[tuple[str, float]], window: Condition) -> float:
    """Number of the crystal that hit first; infinite where none did."""
    places = (i for i, (_, v) in enumerate(asked, start=1) if abs(v - window.value) <= window.tolerance)
    return float(next(places, np.inf))


def _asked(proposals: Sequence[Proposal], task: Task) -> list[tuple[str, float]]:
    structures = [proposal.structure for proposal in proposals[: task.scale.budget]]
    values = task.oracle(structures) if structures else np.zeros(0)
    return [(s.composition.reduced_formula, float(v)) for s, v in zip(structures, values, strict=True)]


def _told(proposals: Sequence[Proposal], task: Task) -> list[tuple[str, float]]:
    """Crystals of a search, whose energy it has paid for already."""
    return [
        (
            proposal.structure.composition.reduced_formula,
            _formation(proposal.structure, float(proposal.detail["energy_per_atom"]), task.references),
        )
        for proposal in proposals
    ]


def _formation(structure: Structure, energy_per_atom: float, references: dict[str, float]) -> float:
    shares = structure.composition.fractional_composition.get_el_amt_dict()
    return energy_per_atom - sum(share * references[symbol] for symbol, share in shares.items())


def _is_element(crystals: TrainingSet, i: int) -> bool:
    return len(crystals.structures[i].composition) == 1


def _option_names(name: str) -> Counter[str]:
    return Counter(GENERATORS[name].option_names())


def _check_time(name: str, spent: float, scale: Scale) -> None:
    if spent > 2 * scale.seconds:
        raise TooSlow(f"The training and the draws of {name} take longer than {2 * scale.seconds:g} s.")


def _watch(seconds: float) -> Callable[[str, float], None]:
    began = time.process_time()

    def watch(what: str, share: float) -> None:
        spent = time.process_time() - began
        if spent > seconds:
            raise TooSlow(f"Its training ({what}, {share:.0%} done) takes longer than {seconds:g} s.")

    return watch
