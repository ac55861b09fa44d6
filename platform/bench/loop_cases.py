"""What the closed loop is measured on: recorded curves and labels, with the answers hidden, by protocol.

``pool``: the target is the curve of one material of the library, which the campaign file names, and whose composition
is left out; a hit is a cosine of
0.9 or more. Targets have 5 to 22 hits, as many as can be found in 60 calls and enough to count.
``hidden``: half of the binaries is hidden, everything else known; targets come from the hidden half and have 5 to 22
hits there. One batch of 50 answers, of which the first 10 and 20 count too, since a batch is ranked.
``window`` and ``lowest``: a window of formation energy, and its lowest 5 %, on labelled crystals without curves.
``stable``: as ``pool``, but a hit must lie within 0.1 eV/atom of the hull of the library too.
``front``: two objectives, see `loop_front`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import formulas
from fermiloop.platform.campaign.replaying.loop import Oracle
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.training import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Composition

    from fermiloop.platform.campaign.replaying.strategies import Strategy
    from fermiloop.platform.representations.training import TrainingSet

    Rows = NDArray[np.int64]

HIT: Final = 0.9
FEWEST, MOST = 5, 22
"""Hits of a target."""
STABLE_WITHIN: Final = 0.1  # eV/atom
ENERGY: Final = "formation_energy_per_atom"
ABOVE_HULL: Final = "energy_above_hull"
BAND: Final = (-0.56, -0.50)  # eV/atom
LOWEST: Final = 0.05
"""Share of the crystals that the lowest end holds."""
HALF: Final = 1  # of the seeds of the hidden halves, beyond any of known crystals


@dataclass(frozen=True)
class Course:
    """How a loop goes: known at random at the start, asked for in all, and at a time."""

    known: int
    calls: int
    batch: int


IN_POOL: Final = Course(25, 60, 10)
ONE_BATCH: Final = Course(0, 50, 50)
WINDOWS: Final = Course(25, 250, 25)


@dataclass(frozen=True)
class Case:
    """One target with one seed.

    Parameters
    ----------
    protocol, group, seed
        Which one: the group is the target.
    says
        The target as a campaign file says it.
    oracle
        The same as the loop takes it, with what may be asked for and what is known: the target's own composition is
        left out.
    known
        Rows that are known at the start.
    course
        How the loop goes.
    composition
        Of the target; None where the target is no material.
    wanted
        (n,) what is counted in the place of hits, where the target itself says of nothing that it is one.
    objectives
        (n, 2) what is traded off, smaller better; None where nothing is.
    """

    protocol: str
    group: str
    seed: int
    says: dict[str, Any]
    oracle: Oracle = field(repr=False)
    known: Rows = field(repr=False)
    course: Course
    composition: Composition | None = None
    wanted: NDArray[np.bool_] | None = field(default=None, repr=False)
    objectives: NDArray[np.float64] | None = field(default=None, repr=False)

    @property
    def hits(self) -> NDArray[np.bool_]:
        """(n,) what is counted."""
        return self.oracle.hits if self.wanted is None else self.wanted

    @property
    def unit(self) -> str:
        """What is resampled for intervals: the target, and the seed where there is one target alone."""
        return self.group if self.composition is not None else f"{self.group} {self.seed}"

    @property
    def left(self) -> Rows:
        """Rows that may be asked for."""
        return np.setdiff1d(np.flatnonzero(self.oracle.allowed), self.known)

    def spec(self, strategy: Strategy) -> CampaignSpec:
        """The campaign file of a strategy: everything that neither says is as a campaign's is by default."""
        course = self.course
        budget = {
            "rounds": -(-course.calls // course.batch), "evaluations": course.calls, "per_round": course.batch,
        }  # fmt: skip
        tree = {
            "name": "loop", "target": self.says, "space": {"elements": ["H"]}, "budget": budget,
            "generators": [{"name": "random_pick", "proposals": course.batch}],
        }  # fmt: skip
        return strategy.of(CampaignSpec.model_validate(tree))


def pool_cases(
    library: TrainingSet, n_targets: int, seeds: Sequence[int], course: Course = IN_POOL, *, stable: bool = False
) -> list[Case]:
    """Cases of ``pool``, or of ``stable``: the same targets with every seed.

    Raises
    ------
    InputError
        If the library is too small, or no target has as few and as many hits.
    """
    protocol = "stable" if stable else "pool"
    if len(library) < course.known + course.calls + 1:
        raise InputError(
            f"The protocol {protocol} needs {course.known + course.calls + 1} curves, {course.known} of them known and "
            f"{course.calls} asked for, and the library holds {len(library)}; give a larger one."
        )
    count = _hits_between(library, stable=stable).sum(axis=1)
    possible = np.flatnonzero((count >= FEWEST) & (count <= MOST))
    if not len(possible):
        raise InputError(
            f"No curve of the library has {FEWEST} to {MOST} hits for the protocol {protocol}; give another library."
        )
    chosen = _some(possible, n_targets, seeds[0])
    return [_curve_case(protocol, library, int(row), seed, course) for row in chosen for seed in seeds]


def hidden_cases(library: TrainingSet, n_targets: int, seeds: Sequence[int], course: Course = ONE_BATCH) -> list[Case]:
    """Cases of ``hidden``: each seed hides a half of its own, and its targets come from there.

    Raises
    ------
    InputError
        If no target of a hidden half has hits enough there.
    """
    names = np.array(formulas(library))
    binary = np.array([len(structure.composition) == 2 for structure in library.structures])
    hits = _hits_between(library)
    cases = []
    for seed in seeds:
        half = _half(names, binary, seed)
        count = hits[:, half].sum(axis=1)
        possible = np.flatnonzero(half & (count >= FEWEST) & (count <= MOST))
        chosen = _some(possible, n_targets, seed)
        cases += [_curve_case("hidden", library, int(row), seed, course, half) for row in chosen]
    if not cases:
        raise InputError(
            f"No hidden binary of the library has {FEWEST} to {MOST} hits among the hidden ones; give another library."
        )
    return cases


def window_cases(crystals: TrainingSet, seeds: Sequence[int], course: Course = WINDOWS) -> list[Case]:
    """Cases of ``window`` and ``lowest`` on crystals that have a formation energy.

    Raises
    ------
    InputError
        If there are too few.
    """
    values = crystals.labels.get(ENERGY, np.full(len(crystals), np.nan))
    data = crystals.subset(np.flatnonzero(np.isfinite(values)).tolist())
    if len(data) < course.known + course.calls:
        raise InputError(
            f"The protocol window needs {course.known + course.calls} crystals with a formation energy, and "
            f"{len(data)} are there; give another --data file."
        )
    end = float(np.sort(data.labels[ENERGY])[max(0, round(LOWEST * len(data)) - 1)])
    middle, half = sum(BAND) / 2, (BAND[1] - BAND[0]) / 2
    said = {"window": {"value": middle, "tolerance": half}, "lowest": {"at_most": end}}
    conditions = {"window": Condition(ENERGY, *BAND), "lowest": Condition(ENERGY, high=end)}
    cases = []
    for protocol, condition in conditions.items():
        target = Target(windows=(condition,))
        says = {"properties": [{"name": ENERGY, **said[protocol]}], "stable_within": None}
        oracle = Oracle(data, target)
        for seed in seeds:
            known = np.random.default_rng(seed).choice(len(data), course.known, replace=False)
            cases.append(Case(protocol, protocol, seed, says, oracle, known, course))
    return cases


def _curve_case(
    protocol: str, library: TrainingSet, row: int, seed: int, course: Course, hidden: NDArray[np.bool_] | None = None
) -> Case:
    """The case of one material's curve; known is what is not hidden, else some rows at random."""
    names = np.array(formulas(library))
    rows = np.flatnonzero(names != names[row])
    pool = library.subset(rows.tolist())
    says, target = _curve_target(library, row, stable=protocol == "stable")
    if hidden is None:
        known = np.random.default_rng([seed, row]).choice(len(pool), course.known, replace=False)
    else:
        known = np.flatnonzero(~hidden[rows])
    composition = library.structures[row].composition
    return Case(protocol, library.ids[row], seed, says, Oracle(pool, target), known, course, composition)


def _curve_target(library: TrainingSet, row: int, *, stable: bool = False) -> tuple[dict[str, Any], Target]:
    """The material of a row as a target, as a campaign file names it and as the loop takes it."""
    crystal = library.structures[row]
    own = crystal.composition.reduced_formula
    within = STABLE_WITHIN if stable else None
    target = Target(
        grid=library.grid,
        curve=library.grid.normalise(library.curves[row]),
        hit_similarity=HIT,
        exclude_formulas=(own,),
        stability=Condition(ABOVE_HULL, high=STABLE_WITHIN) if stable else None,
        crystal=crystal,
    )
    return {"dos": {"material": own}, "exclude": [own], "hit_similarity": HIT, "stable_within": within}, target


def _hits_between(library: TrainingSet, *, stable: bool = False) -> NDArray[np.bool_]:
    """(n, n) whether the second is a hit for the curve of the first; those of the same composition are none."""
    unit = library.curves / np.linalg.norm(library.curves, axis=1, keepdims=True)
    names = np.array(formulas(library))
    found = (unit @ unit.T >= HIT) & (names[:, None] != names)
    if stable:
        above = library.labels.get(ABOVE_HULL, np.full(len(library), np.nan))
        found &= np.asarray(above <= STABLE_WITHIN)
    return np.asarray(found)


def _half(names: NDArray[np.str_], binary: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """(n,) which binaries are hidden: about half, all of one composition together."""
    kinds = np.unique(names[binary])
    hidden = np.random.default_rng([HALF, seed]).permutation(kinds)[: len(kinds) // 2]
    return np.asarray(binary & np.isin(names, hidden))


def _some(rows: Rows, n: int, seed: int) -> Rows:
    return np.sort(np.random.default_rng(seed).choice(rows, min(n, len(rows)), replace=False))
