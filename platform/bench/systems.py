"""A chemical system searched by different strategies at equal oracle calls, with a real potential as the oracle.

The review (Noh et al., Chem. Sci. 11, 4871, 2020) sets 14,000 calculations of a generative model against 93,600 of a
genetic search of the same system: an estimate. Here a genetic search at variable composition, random crystals and a
generator that substitutes into known crystals are given the same number of energies with forces by CHGNet, those of
relaxations counted; so is the latent space of CCDCGAN, learned from the library's other binaries. What counts is how
much of the stability of a binary system they find: the depth of the convex hull of what they found, over that of the
crystals of the library in this system, all of which are left out of what a generator learns from. What a search under
pressure finds comes last (`pressure`).
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.ccdcgan_systems import QUICK as QUICK_NETWORK
from fermiloop.platform.bench.library import read_library
from fermiloop.platform.bench.pressure import pressure_rows
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.generator import Ccdcgan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.decoration import elemental_volumes
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.search.composition_hull import depth
from fermiloop.platform.search.global_search import crystal_of
from fermiloop.platform.search.objective import REFUSED, PotentialFunction
from fermiloop.platform.search.optimisers.crystal_space import CrystalOptions, CrystalSpace
from fermiloop.platform.search.optimisers.protocol import Start
from fermiloop.platform.search.optimisers.relaxation import RelaxationOptions, settle
from fermiloop.platform.search.optimisers.variable import Member, VariableGenetic, VariableOptions
from fermiloop.platform.search.oracle import BudgetSpent, Oracle, Point
from fermiloop.platform.search.substitution import Substitution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.predictors.potential.protocol import CheapPotential
    from fermiloop.platform.representations.training import TrainingSet
    from fermiloop.platform.search.oracle import Evaluation

    Array = NDArray[np.float64]
    Symbols = tuple[str, ...]
    Strategy = Callable[["System", int, "Told"], Iterator[tuple[Symbols, Point]]]

CALLS: Final = 300
SYSTEMS: Final = 4
SEEDS: Final = 3
QUICK: Final = (40, 2, 1)
"""Calls, systems and seeds of a quick run."""
MOST_SITES: Final = 4
FEWEST: Final = 3
"""Compounds of the library in a system that is searched."""
SAME: Final = 0.005
"""eV/atom above a known phase within which it counts as found."""
GRID: Final = np.array([[1 - x, x] for x in np.linspace(0, 1, 101)])
RELAXATION: Final = RelaxationOptions(0.05, 40)
NEVER: Final = VariableOptions(heredity=0, transmutation=0, exchange=0, strain=0)
LOW: Final = Target(windows=(PropertyWindow("formation_energy_per_atom", -1.0, 0.8),))
PROPOSALS: Final = 200
"""Asked of a generator: more than the calls allow to relax."""
SYSTEMS_OF_ALL: Final = ("cubic", "hexagonal", "tetragonal", "orthorhombic", "trigonal", "monoclinic", "triclinic")


@dataclass(frozen=True)
class System:
    """A binary system and what is known beside it.

    Parameters
    ----------
    elements
        Two symbols.
    ends
        A crystal of each element, at an excess energy of zero.
    known
        Reduced formula and excess energy, eV/atom, of the library's stable compounds in it.
    limit
        Depth of their hull, eV/atom.
    rest
        The library without its compounds, labelled with formation energies by the potential.
    references
        Energy of each element, eV/atom.
    volumes
        Å³ an atom of each element.
    """

    elements: Symbols
    ends: tuple[Member, ...]
    known: dict[str, float]
    limit: float
    rest: TrainingSet
    references: dict[str, float]
    volumes: dict[str, float]

    def space_of(self, symbols: Symbols) -> CrystalSpace:
        """Crystals of given sites."""
        each = np.array([self.volumes[symbol] for symbol in symbols])
        options = CrystalOptions(symmetric_share=0.5)
        return CrystalSpace(symbols, 0.5 * (2**0.5 * each) ** (1 / 3), float(each.sum()), options)


@dataclass(eq=False)
class Told:
    """What a strategy learns: the members that came of what it proposed."""

    search: VariableGenetic | None = None


def run_bench(data: Path, quick: bool, seed: int, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """A row for each strategy, over systems and seeds.

    Parameters
    ----------
    data
        A library of crystals; those with the most compounds of two elements are searched.
    quick
        A toy potential, two systems and few calls: a check, not a figure.
    seed
        Of the first search; the others follow it.

    Raises
    ------
    InputError
        If the file cannot be read or holds no system with enough compounds.
    """
    calls, n_systems, n_seeds = QUICK if quick else (CALLS, SYSTEMS, SEEDS)
    name = "analytic" if quick else "chgnet"
    cheap = potential(name).build()
    progress("energies of the library", 0.0)
    systems = systems_of(read_library(data)[0], cheap, n_systems)
    rows: list[dict[str, Any]] = []
    found: dict[str, list[tuple[int, float]]] = {}
    began = time.process_time()
    strategies = STRATEGIES | {LATENT: trained(systems, quick, seed, progress)}
    training = time.process_time() - began
    for i, (strategy, proposed) in enumerate(strategies.items()):
        began, outcomes, spent, phases, n = time.process_time(), [], [], 0, 0
        for j, system in enumerate(systems):
            progress(f"{strategy}, {'-'.join(system.elements)}", (i + j / len(systems)) / len(strategies))
            for k in range(n_seeds):
                members, made = searched(system, proposed, cheap, calls, seed + k)
                outcomes.append((j, depth_of(system, members) / system.limit))
                spent.append(made)
                phases += len(rediscovered(system, members))
                n += len(system.known)
        found[strategy] = outcomes
        rows += _rows(strategy, outcomes, float(np.mean(spent)), (phases, n), time.process_time() - began)
    rows += _pairs(found)
    rows += pressure_rows(cheap, quick, seed, progress)
    progress("done", 1.0)
    names = ["-".join(system.elements) for system in systems]
    told = {"systems": names, "calls": calls, "seeds": n_seeds, "potential": name, "most_sites": MOST_SITES}
    told |= {"seconds of training CCDCGAN": round(training, 1)}
    return {"rows": rows, "data": {"library": data.name, "n": len(systems) * n_seeds} | told}


def systems_of(library: TrainingSet, cheap: CheapPotential, n: int) -> list[System]:
    """The `n` binary systems with the most compounds of which some are stable.

    Raises
    ------
    InputError
        If there is none.
    """
    energies = np.asarray(cheap.energies(library.structures), dtype=float)
    names = [structure.composition.chemical_system for structure in library.structures]
    counts = Counter(name for name in names if name.count("-") == 1)
    alone = {
        name: min((i for i, other in enumerate(names) if other == name), key=lambda i: energies[i])
        for name in set(names)
        if "-" not in name
    }
    references = {name: float(energies[i]) for name, i in alone.items()}
    volumes = elemental_volumes([library.structures[i] for i in alone.values()])
    made: list[System] = []
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count < FEWEST or not set(name.split("-")) <= set(alone) or len(made) == n:
            continue
        system = _system(name, library, energies, names, alone, references, volumes)
        made += [system] if system.limit > 0 else []
    if not made:
        raise InputError(f"The library holds no system of two elements with {FEWEST} compounds and both elements.")
    return made


def _system(
    name: str,
    library: TrainingSet,
    energies: Array,
    names: Sequence[str],
    alone: dict[str, int],
    references: dict[str, float],
    volumes: dict[str, float],
) -> System:
    elements = tuple(name.split("-"))
    inside = [i for i, other in enumerate(names) if other == name and np.isfinite(energies[i])]
    excess = {i: energies[i] - _brought(library.structures[i].composition, references) for i in inside}
    fractions = np.array([[library.structures[i].composition.get_atomic_fraction(e) for e in elements] for i in inside])
    limit = depth(fractions, np.array(list(excess.values())), GRID)
    stable = [i for i in inside if _is_needed(fractions, list(excess.values()), inside.index(i), limit)]
    ends = []
    for element in elements:
        structure = library.structures[alone[element]]
        point = Point(np.asarray(structure.frac_coords), np.asarray(structure.lattice.matrix))
        ends.append(Member((element,) * len(structure), point, 0.0))
    rest = library.subset([i for i, other in enumerate(names) if other != name and np.isfinite(energies[i])])
    kept = [energies[i] for i, other in enumerate(names) if other != name and np.isfinite(energies[i])]
    formation = [
        energy - _brought(structure.composition, references)
        for energy, structure in zip(kept, rest.structures, strict=True)
    ]
    labelled = replace(rest, labels={"formation_energy_per_atom": np.array(formation)})
    known = {library.structures[i].composition.reduced_formula: float(excess[i]) for i in stable}
    return System(elements, tuple(ends), known, limit, labelled, references, volumes)


def _is_needed(fractions: Array, energies: list[float], place: int, limit: float) -> bool:
    """Whether the hull is less deep without a crystal: it is a vertex."""
    rest = [i for i in range(len(energies)) if i != place]
    return depth(fractions[rest], np.array(energies)[rest], GRID) < limit - 1e-6


def _brought(composition: Any, references: dict[str, float]) -> float:
    return float(sum(references.get(str(e), np.nan) * composition.get_atomic_fraction(e) for e in composition.elements))


def searched(
    system: System, strategy: Strategy, cheap: CheapPotential, calls: int, seed: int
) -> tuple[list[Member], int]:
    """What a strategy found in a system until its calls were spent or it knew no more, and the calls made."""
    members: list[Member] = []

    def function(point: Point) -> Evaluation:
        return evaluate(point)

    oracle = Oracle(function, calls)
    rng, told = np.random.default_rng(seed), Told()
    try:
        for symbols, point in strategy(system, seed, told):
            space = system.space_of(symbols)
            evaluate = PotentialFunction(cheap, symbols, space.volume)
            minimum = settle(Start(point), space, oracle, rng, RELAXATION)
            if minimum.energy >= REFUSED:
                continue
            crystal = crystal_of(minimum.point, symbols)
            excess = minimum.energy / len(symbols) - _brought(crystal.composition, system.references)
            members.append(Member(symbols, minimum.point, excess))
            if told.search is not None:
                told.search.tell(members[-1])
    except BudgetSpent:
        return members, oracle.calls
    return members, oracle.calls


def _breeding(system: System, seed: int, told: Told, options: VariableOptions) -> Iterator[tuple[Symbols, Point]]:
    def allowed(symbols: Symbols) -> bool:
        return len(set(symbols)) == len(system.elements)

    rng = np.random.default_rng(seed)
    told.search = VariableGenetic(
        system.elements, MOST_SITES, system.space_of, allowed, rng, options, known=system.ends
    )
    while True:
        yield told.search.ask()


def _genetic(system: System, seed: int, told: Told) -> Iterator[tuple[Symbols, Point]]:
    return _breeding(system, seed, told, VariableOptions())


def _random(system: System, seed: int, told: Told) -> Iterator[tuple[Symbols, Point]]:
    return _breeding(system, seed, told, NEVER)


def _substituted(system: System, seed: int, told: Told) -> Iterator[tuple[Symbols, Point]]:  # noqa: ARG001 - learns nothing from answers
    """Known crystals with elements of the system in the place of theirs, those of low formation energy first."""
    made = Substitution()
    made.options = replace(made.options, parents=len(system.rest), method="same_group", changes=2)
    made.fit(system.rest, seed, lambda *_: None)
    yield from _proposed(made, system, seed)


def trained(systems: Sequence[System], quick: bool, seed: int, progress: Callable[[str, float], None]) -> Strategy:
    """CCDCGAN as a strategy, learned from the library's binaries that are of none of the systems."""
    network = Ccdcgan("compact", QUICK_NETWORK if quick else CcdcganOptions())
    network.fit(binaries_beside(systems), seed, lambda what, share: progress(f"CCDCGAN, {what}", share))

    def latent(system: System, seed: int, told: Told) -> Iterator[tuple[Symbols, Point]]:  # noqa: ARG001 - as above
        yield from _proposed(network, system, seed)

    return latent


def binaries_beside(systems: Sequence[System]) -> TrainingSet:
    """The library's binaries that are of none of the systems."""
    names = {frozenset(system.elements) for system in systems}
    rest = systems[0].rest
    binary = [i for i, one in enumerate(rest.structures) if len(one.composition) == 2]
    return rest.subset([i for i in binary if frozenset(rest.structures[i].symbol_set) not in names])


def _proposed(generator: Substitution | Ccdcgan, system: System, seed: int) -> Iterator[tuple[Symbols, Point]]:
    """Crystals of a system by a generator that is asked for low formation energies."""
    space = Space(system.elements, (2, 2), SYSTEMS_OF_ALL, MOST_SITES)
    for proposal in generator.sample(LOW, space, PROPOSALS, np.random.default_rng(seed)):
        yield _start(proposal.structure)


def _start(crystal: Structure) -> tuple[Symbols, Point]:
    """Its sites in the order of their elements."""
    order = np.argsort([str(site.specie) for site in crystal], kind="stable")
    symbols = tuple(str(crystal[int(i)].specie) for i in order)
    return symbols, Point(np.asarray(crystal.frac_coords)[order], np.asarray(crystal.lattice.matrix))


STRATEGIES: Final[dict[str, Strategy]] = {
    "genetic, variable composition": _genetic,
    "random, variable composition": _random,
    "substitution into known crystals": _substituted,
}
LATENT: Final = "latent space of CCDCGAN"
"""The name of the strategy that is trained first."""


def depth_of(system: System, members: Sequence[Member]) -> float:
    """Mean depth of the hull of what was found, eV/atom."""
    if not members:
        return 0.0
    fractions = np.array([[m.symbols.count(e) / len(m.symbols) for e in system.elements] for m in members])
    return depth(fractions, np.array([member.excess for member in members]), GRID)


def rediscovered(system: System, members: Sequence[Member]) -> list[str]:
    """Known stable phases whose composition was found at their energy or below."""
    lowest: dict[str, float] = {}
    for member in members:
        formula = crystal_of(member.point, member.symbols).composition.reduced_formula
        lowest[formula] = min(lowest.get(formula, np.inf), member.excess)
    return [formula for formula, energy in system.known.items() if lowest.get(formula, np.inf) <= energy + SAME]


def _rows(
    strategy: str, outcomes: list[tuple[int, float]], calls: float, phases: tuple[int, int], seconds: float
) -> list[dict[str, Any]]:
    values = np.array([value for _, value in outcomes])
    low, high = interval(values, np.array([system for system, _ in outcomes]))
    share_low, share_high = wilson(*phases)
    return [
        {
            "what": f"{strategy}: depth of the hull found, over that of the known crystals",
            "published": None, "ours": float(values.mean()), "ours_low": low, "ours_high": high, "n": len(values),
            "seconds": seconds, "note": f"interval by bootstrap of the systems; {calls:.0f} calls made on average",
        },
        {
            "what": f"{strategy}: known stable phases found at their energy",
            "published": None, "ours": phases[0] / phases[1], "ours_low": share_low, "ours_high": share_high,
            "n": phases[1], "seconds": None, "note": f"to {1000 * SAME:g} meV/atom; systems and seeds together",
        },
    ]  # fmt: skip


def _pairs(found: dict[str, list[tuple[int, float]]]) -> list[dict[str, Any]]:
    """Paired differences of the first strategy to the others."""
    (first, outcomes), *others = found.items()
    rows = []
    for name, other in others:
        values = np.array([a - b for (_, a), (_, b) in zip(outcomes, other, strict=True)])
        low, high = interval(values, np.array([system for system, _ in outcomes]))
        rows.append({
            "what": f"{first} minus {name}: depth of the hull", "published": None, "ours": float(values.mean()),
            "ours_low": low, "ours_high": high, "n": len(values), "seconds": None, "note": "paired by system and seed",
        })  # fmt: skip
    return rows


def interval(values: Array, systems: NDArray[np.int64], draws: int = 2000) -> tuple[float, float]:
    """95 % percentiles of the mean over systems drawn with their seeds."""
    rng = np.random.default_rng(0)
    means = np.array([values[systems == one].mean() for one in np.unique(systems)])
    drawn = means[rng.integers(len(means), size=(draws, len(means)))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
