"""Global optimisation as a generator: for each of some compositions the crystal of the lowest objective is searched.

One class for each optimiser (Noh et al., Chem. Sci. 11, 4871, 2020, section on global optimisation), all alike but
for it. Training learns volumes, ratios, what elements bring in energy, and models of the target's properties; a
budget of calls of a cheap potential is shared among compositions, each searched on its own.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.decoration import elemental_volumes
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.plugins.potentials import DEFAULT, potential, usable
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.predictors.potential.volumes import guess_volume
from fermiloop.platform.representations.fingerprint import distance, fingerprint
from fermiloop.platform.search.objective import REFUSED, Objective, PotentialFunction
from fermiloop.platform.search.optimisers.crystal_space import CrystalOptions, CrystalSpace
from fermiloop.platform.search.optimisers.registry import OPTIMISERS
from fermiloop.platform.search.optimisers.relaxation import RelaxationOptions, search
from fermiloop.platform.search.oracle import GIGAPASCAL, Oracle, under_pressure
from fermiloop.platform.search.stoichiometry import count_ratios, draw_compositions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet
    from fermiloop.platform.search.oracle import Point

GROUPS: Final = {
    "triclinic": (2, 2),
    "monoclinic": (3, 15),
    "orthorhombic": (16, 74),
    "tetragonal": (75, 142),
    "trigonal": (143, 167),
    "hexagonal": (168, 194),
    "cubic": (195, 230),
}
"""First and last space group of each crystal system; that without symmetry is left to random places."""
MOST_PRESSURE: Final = 500.0
"""GPa; beyond it no potential here has learned anything."""
SAME: Final = 0.02
"""Distance of fingerprints below which two crystals of a formula are one."""


@dataclass(frozen=True)
class GlobalSearchOptions:
    """How a search spends its calls.

    Parameters
    ----------
    potential
        Name of the potential.
    oracle_calls
        Energies with forces that one `sample` may ask for.
    calls_per_composition
        Of them for each composition, at least; with fewer compositions each gets more.
    formula_units
        Most formula units of a cell.
    symmetric_share
        Share of random starts that are given a space group of the crystal systems asked for.
    relaxation_calls
        Most calls of one relaxation.
    force_tolerance
        Largest force at the end of a relaxation, eV/Å.
    similarity_weight
        eV per atom that full similarity to a target curve is worth.
    window_weight
        eV per atom that missing a property window by one tolerance costs.
    pressure
        GPa. Other than 0 the enthalpy is minimised: crystals come out as they are under pressure.
    """

    potential: str = DEFAULT
    oracle_calls: int = 1000
    calls_per_composition: int = 100
    formula_units: int = 2
    symmetric_share: float = 0.5
    relaxation_calls: int = 60
    force_tolerance: float = 0.05
    similarity_weight: float = 1.0
    window_weight: float = 0.2
    pressure: float = 0.0


class GlobalSearch(SavedModel):
    """What the generators of this family share.

    Parameters
    ----------
    options
        How a search spends its calls.

    Raises
    ------
    InputError
        If an option is invalid.
    """

    name: str
    settings: type[GlobalSearchOptions] = GlobalSearchOptions

    def __init__(self, options: GlobalSearchOptions | None = None) -> None:
        self.options = options or self.settings()
        _check(self.options)
        self.failures: Counter[str] = Counter()

    def fit(
        self,
        data: TrainingSet,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - nothing takes long enough to go on from
    ) -> FitReport:
        """Learn volumes, ratios and the objective.

        Raises
        ------
        InputError
            If the training set is empty, or its curves are too few or not finite.
        """
        began = time.process_time()
        if not len(data):
            raise InputError(
                f"{self.name} needs at least one material to learn volumes from; the training set is empty."
            )
        oracle = potential(self.options.potential).build()
        self.objective = self._weighted(Objective.learn(data, oracle, seed, progress))
        self.volumes = elemental_volumes(data.structures)
        self.ratios = count_ratios(data.structures)
        progress(self.name, 1.0)
        metrics = {"elements": float(len(self.volumes)), "ratios": float(len(self.ratios))}
        return FitReport(metrics, (), len(data), 0, 0, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` different crystals, the lowest objective first.

        Raises
        ------
        InputError
            If it was not fitted, or the target asks for nothing that was learned.
        """
        self.begin(target)
        most = max(1, self.options.oracle_calls // self.options.calls_per_composition)
        cells = draw_compositions(self.ratios, target, space, most, self.options.formula_units, rng)
        found: list[Proposal] = []
        for place, cell in enumerate(cells):
            found += self._searched(cell, self.calls(place, len(cells)), target, space, rng)
        found.sort(key=lambda proposal: -proposal.score)
        return self.different(found, n)

    def packed(self) -> Packed:
        """Models of the objective in the arrays, the rest in the config."""
        config = {
            "options": asdict(self.options),
            "volumes": self.volumes,
            "ratios": self.ratios,
            "objective": self.objective.config(),
        }
        return config, self.objective.state()

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Self:
        """The same out of what `packed` gave."""
        made = cls(cls.settings(**config["options"]))
        made.objective = made._weighted(Objective.restore(config["objective"], arrays))
        made.volumes = {str(symbol): float(volume) for symbol, volume in config["volumes"].items()}
        made.ratios = {str(ratio): int(count) for ratio, count in config["ratios"].items()}
        return made

    def begin(self, target: Target) -> None:
        """Forget the failures of the last draw.

        Raises
        ------
        InputError
            If nothing was learned, or the target asks for nothing that was.
        """
        if not hasattr(self, "objective"):
            raise InputError(f"{self.name} has seen no training set; fit or load it first.")
        self.objective.check(target)
        self.failures = Counter()

    def calls(self, place: int, n: int) -> int:
        """Calls for one of `n` searches; those of all add up to the budget."""
        budget = self.options.oracle_calls
        return budget * (place + 1) // n - budget * place // n

    def energies(self, point: Point, found: float, n: int) -> dict[str, float]:
        """Energy per atom, and under pressure the enthalpy per atom, of what a search found in `n` sites, eV."""
        if not self.options.pressure:
            return {"energy_per_atom": found / n}
        assert point.cell is not None
        work = self.options.pressure * GIGAPASCAL * abs(float(np.linalg.det(point.cell)))
        return {"energy_per_atom": (found - work) / n, "enthalpy_per_atom": found / n}

    def _weighted(self, objective: Objective) -> Objective:
        objective.similarity_weight = self.options.similarity_weight
        objective.window_weight = self.options.window_weight
        return objective

    def _searched(
        self, cell: dict[str, int], calls: int, target: Target, space: Space, rng: np.random.Generator
    ) -> list[Proposal]:
        """Accepted crystals of one composition, one for each relaxation that gave one."""
        symbols = tuple(symbol for symbol, count in cell.items() for _ in range(count))
        place = self.crystals(symbols, space)
        options = self.options
        function = PotentialFunction(potential(options.potential).build(), symbols, place.volume)
        oracle = Oracle(under_pressure(function, options.pressure), calls)
        told: list[dict[str, float] | None] = []  # of each minimum, in the order in which they are found

        def value(point: Point, energy: float) -> float:
            found = None if energy >= REFUSED else self.objective.terms(crystal_of(point, symbols), energy, target)
            told.append(found)
            return REFUSED if found is None else found["value"]

        settings = RelaxationOptions(options.force_tolerance, options.relaxation_calls, time_step=0.15)
        minima = search(OPTIMISERS[self.name](place, rng), place, oracle, rng, settings, value)
        if not minima:
            self.failures["too few oracle calls for a relaxation"] += 1
        made = []
        for minimum, terms in zip(minima, told, strict=True):
            if terms is None:
                self.failures["cell volume out of range"] += 1
                continue
            crystal = accept(crystal_of(minimum.point, symbols), target, space)
            if isinstance(crystal, str):
                self.failures[crystal] += 1
                continue
            detail = {
                "formula": crystal.composition.reduced_formula,
                **self.energies(minimum.point, minimum.energy, len(symbols)),
                "oracle_calls": calls,
                **terms,
            }
            made.append(Proposal(crystal, -minimum.value, None, None, detail))
        return made

    def crystals(self, symbols: tuple[str, ...], space: Space) -> CrystalSpace:
        """The crystals of given sites."""
        each = [self.volumes.get(symbol, guess_volume({symbol: 1.0})) for symbol in symbols]
        radii = np.array([0.5 * (2**0.5 * volume) ** (1 / 3) for volume in each])  # of close-packed spheres
        groups = [range(low, high + 1) for system in space.crystal_systems for low, high in (GROUPS[system],)]
        allowed = tuple(sorted(number for numbers in groups for number in numbers))
        return CrystalSpace(
            symbols,
            radii,
            sum(each),
            CrystalOptions(symmetric_share=self.options.symmetric_share, space_groups=allowed),
        )

    def different(self, proposals: list[Proposal], n: int) -> list[Proposal]:
        """The first `n` that are no twin of an earlier one."""
        kept: list[Proposal] = []
        prints: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]] = {}
        for proposal in proposals:
            if len(kept) >= n:
                break
            print_ = fingerprint(proposal.structure)
            twins = prints.setdefault(str(proposal.detail["formula"]), [])
            if any(distance(print_, other) < SAME for other in twins):
                self.failures["found again"] += 1
                continue
            twins.append(print_)
            kept.append(proposal)
        return kept


class RandomSymmetricSearch(GlobalSearch):
    """Random structures with symmetry."""

    name = "random_symmetric"


class GeneticSearch(GlobalSearch):
    """Genetic algorithm."""

    name = "genetic"


class SwarmSearch(GlobalSearch):
    """Particle swarm."""

    name = "particle_swarm"


class AnnealingSearch(GlobalSearch):
    """Simulated annealing over minima."""

    name = "annealing"


class HoppingSearch(GlobalSearch):
    """Minima hopping."""

    name = "minima_hopping"


class BayesianSearch(GlobalSearch):
    """Bayesian optimisation on a Gaussian process."""

    name = "bayesian"


def _check(options: GlobalSearchOptions) -> None:
    usable(options.potential)
    for name in ("oracle_calls", "calls_per_composition", "formula_units", "relaxation_calls"):
        if getattr(options, name) < 1:
            raise InputError(f"{name} must be at least 1, not {getattr(options, name)}.")
    if not 0 <= options.symmetric_share <= 1 or options.force_tolerance <= 0:
        raise InputError("symmetric_share must lie in [0, 1] and force_tolerance must be positive.")
    if not 0 <= options.pressure <= MOST_PRESSURE:
        raise InputError(f"pressure must lie in 0 to {MOST_PRESSURE:g} GPa, not {options.pressure:g}.")


def crystal_of(point: Point, symbols: tuple[str, ...]) -> Structure:
    """The crystal of some sites."""
    assert point.cell is not None
    return Structure(Lattice(point.cell), list(symbols), point.sites)
