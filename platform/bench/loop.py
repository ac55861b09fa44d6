"""The closed loop on recorded curves and labels: the campaign's own steps, with the answers hidden, beside plain rules.

Protocols: see `loop_cases`; figures and their intervals: see `loop_statistics`. ``default`` is a campaign whose file
says nothing of surrogate and acquisition; every acquisition that is offered stands beside it, and plain rules in the
place of both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.bench import loop_cases as cases
from fermiloop.platform.bench.crystal_data import read_crystals, select
from fermiloop.platform.bench.library import lines_of
from fermiloop.platform.bench.loop_front import FRONT, front_cases, hypervolume_share
from fermiloop.platform.bench.loop_kept import Kept, key_of
from fermiloop.platform.bench.loop_library import read_labelled
from fermiloop.platform.bench.loop_rows import rows_of
from fermiloop.platform.bench.loop_statistics import Outcome
from fermiloop.platform.bench.loop_strategies import COMPARED, OF_MATERIALS, QUICK, UNNAMED, USUAL, check, strategy
from fermiloop.platform.bench.replay import CRYSTALS, MAX_SITES, labelled_pool
from fermiloop.platform.campaign.replaying.loop import replay
from fermiloop.platform.campaign.replaying.strategies import DEFAULT
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fermiloop.platform.bench.loop_cases import Case
    from fermiloop.platform.representations.training import TrainingSet

    Progress = Callable[[str, float], None]

CURVES: Final = ("pool", "hidden", "stable")
LABELS: Final = ("window", "lowest", FRONT)
PROTOCOLS: Final = ("pool", "hidden", "window", "lowest", "stable", FRONT)
TARGETS: Final = 40
SEEDS: Final = 2
WINDOW_SEEDS: Final = 10
QUICK_TARGETS: Final = 2
QUICK_COURSE: Final = cases.Course(25, 20, 10)
QUICK_WINDOWS: Final = cases.Course(20, 40, 20)
QUICK_CRYSTALS: Final = 400
QUICK_LINES: Final = 800


@dataclass(frozen=True)
class LoopOptions:
    """What is run.

    Parameters
    ----------
    library
        Densities of states in the seed's format; None leaves out the protocols that need curves.
    data
        Crystals with formation energies; None leaves out the protocols that need them.
    protocols, strategies
        Names; all of `PROTOCOLS`, and those of the whole table, where they are empty.
    targets, seeds
        How many; as in the table where they are None.
    seed
        Of the choice of targets, and the first of the runs.
    quick
        Few targets, calls and strategies: a check, not a figure.
    resume
        File of runs that are made already and of those that will be; it knows nothing of changes of the code.
    """

    library: Path | None = None
    data: Path | None = None
    protocols: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    targets: int | None = None
    seeds: int | None = None
    seed: int = 0
    quick: bool = False
    resume: Path | None = None

    def __post_init__(self) -> None:
        for name in self.protocols:
            if name not in PROTOCOLS:
                raise InputError(f"{name!r} is no protocol of the loop; known are {', '.join(PROTOCOLS)}.")
        check(self.strategies)

    def seeds_of(self, protocol: str) -> list[int]:
        """Seeds of the runs of a protocol."""
        usual = 1 if self.quick else WINDOW_SEEDS if protocol in LABELS else SEEDS
        return [self.seed + i for i in range(self.seeds or usual)]

    @property
    def n_targets(self) -> int:
        """Targets of each protocol with curves."""
        return self.targets or (QUICK_TARGETS if self.quick else TARGETS)

    @property
    def names(self) -> tuple[str, ...]:
        """Strategies, those that the others are compared with among them."""
        return tuple(dict.fromkeys((*(self.strategies or (QUICK if self.quick else USUAL)), *COMPARED)))


def run_bench(data: Path, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Rows of the table for one file: the protocols that it suits.

    Raises
    ------
    InputError
        If the file cannot be read, or suits none.
    """
    labelled = '"cell"' in next(lines_of(data), "")
    library, labels = (None, data) if labelled else (data, None)
    return run_loop(LoopOptions(library, labels, quick=quick, seed=seed), progress)


def run_loop(options: LoopOptions, progress: Progress) -> dict[str, Any]:
    """Rows of the table, what was left out and why.

    Raises
    ------
    InputError
        If a file does not suit, or no protocol is left.
    """
    began = time.process_time()
    made, skipped, refused = _cases(options, progress)
    if not made:
        raise InputError(f"There is nothing to run. {' '.join(dict.fromkeys(skipped.values()))}")
    kept, rows = Kept(options.resume), []
    for place, (protocol, found) in enumerate(made.items()):
        part = _part_of(progress, place / len(made), 1 / len(made))
        names = [name for name in options.names if suits(found[0], name)]
        rows += _protocol(protocol, found, names, kept, part)
    progress("done", 1.0)
    return {
        "rows": rows,
        "skipped": skipped,
        "refused": refused,
        "data": {name: f"{len(found[0].oracle.pool)} crystals" for name, found in made.items()},
        "settings": {"quick": options.quick, "seed": options.seed, "targets": options.n_targets},
        "seconds": time.process_time() - began,
    }


def _cases(options: LoopOptions, progress: Progress) -> tuple[dict[str, list[Case]], dict[str, str], list[str]]:
    """Cases by protocol, protocols that are left out with the reason, and lines of the library that were refused."""
    asked = options.protocols or PROTOCOLS
    made: dict[str, list[Case]] = {}
    refused: list[str] = []
    skipped = _skipped(options, asked)
    left = [name for name in asked if name not in skipped]
    if options.library is not None and any(name in CURVES for name in left):
        progress("reading the library", 0.0)
        library, refused = read_labelled(options.library)
        for name in (name for name in left if name in CURVES):
            try:
                made[name] = _curve_cases(options, library, name)
            except InputError as error:
                skipped[name] = str(error)
    if options.data is not None and any(name in LABELS for name in left):
        crystals = _labelled(options, options.data, progress)
        for name in (name for name in left if name in LABELS):
            try:
                made[name] = _label_cases(options, crystals, name)
            except InputError as error:
                skipped[name] = str(error)
    return {name: made[name] for name in asked if name in made}, skipped, refused


def _skipped(options: LoopOptions, asked: Sequence[str]) -> dict[str, str]:
    """Protocols for which no file was named, with what to do about it."""
    lacking: dict[str, str] = {}
    if options.library is None:
        lacking |= dict.fromkeys(CURVES, "Name a library of densities of states by --library.")
    if options.data is None:
        lacking |= dict.fromkeys(LABELS, "Name a file of crystals with formation energies by --data.")
    return {name: reason for name, reason in lacking.items() if name in asked}


def _curve_cases(options: LoopOptions, library: TrainingSet, name: str) -> list[Case]:
    """Cases of a protocol with curves."""
    seeds, course = options.seeds_of(name), QUICK_COURSE if options.quick else cases.IN_POOL
    if name == "hidden":
        return cases.hidden_cases(library, options.n_targets, seeds)
    return cases.pool_cases(library, options.n_targets, seeds, course, stable=name == "stable")


def _labelled(options: LoopOptions, path: Path, progress: Progress) -> TrainingSet:
    """Crystals of the protocols with labels alone."""
    if not options.quick:
        return labelled_pool(path, cases.ENERGY, MAX_SITES, CRYSTALS, options.seed, progress)
    some, _ = read_crystals(path, lines=QUICK_LINES)
    return select(some, max_sites=MAX_SITES, limit=QUICK_CRYSTALS, seed=options.seed)


def _label_cases(options: LoopOptions, crystals: TrainingSet, name: str) -> list[Case]:
    """Cases of a protocol with labels alone."""
    seeds, course = options.seeds_of(name), QUICK_WINDOWS if options.quick else cases.WINDOWS
    if name == FRONT:
        return front_cases(crystals, seeds, course)
    return [one for one in cases.window_cases(crystals, seeds, course) if one.protocol == name]


def _protocol(
    protocol: str, found: Sequence[Case], names: Sequence[str], kept: Kept, progress: Progress
) -> list[dict[str, Any]]:
    """Rows of one protocol."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    baseline = {name: strategy(name, found[0].composition).baseline for name in names}
    for place, case in enumerate(found):
        for j, name in enumerate(names):
            progress(f"{protocol}, run {place + 1} of {len(found)}: {name}", (place + j / len(names)) / len(found))
            outcomes[name].append(outcome(case, name, kept))
    return rows_of(protocol, outcomes, baseline)


def suits(case: Case, name: str) -> bool:
    """Whether a strategy can look for what the case does, and differs from others there."""
    if case.protocol not in CURVES and name in OF_MATERIALS:
        return False
    plan = strategy(name, case.composition)
    return plan.rule is not None or plan.suits(case.spec(strategy(DEFAULT, None)))


def outcome(case: Case, name: str, kept: Kept) -> Outcome:
    """What a strategy finds in a case, from what is kept or by the loop itself.

    Raises
    ------
    InputError
        If the case has fewer rows than are asked for.
    """
    plan = strategy(name, case.composition)
    spec = case.spec(plan)
    oracle = case.oracle
    if name == UNNAMED:
        oracle = replace(oracle, target=replace(oracle.target, crystal=None))
    key = key_of(case, name if plan.rule or name == UNNAMED else "", spec.as_dict())
    asked = kept.get(key)
    if asked is None:
        asked = list(replay(spec, oracle.target, oracle, case.known, case.seed, plan.rule).asked)
        told = {"protocol": case.protocol, "strategy": name, "target": case.group, "seed": case.seed}
        kept.put(key, told, asked)
    hit = dict(zip(case.oracle.pool.ids, case.hits, strict=True))
    batch, left = case.course.batch, case.left
    found = tuple(bool(hit[one]) for one in asked)
    ends = (*range(batch, len(asked), batch), len(asked))
    return Outcome(
        case.unit,
        case.group,
        case.seed,
        len(left),
        int(case.hits[left].sum()),
        found,
        ends,
        _reached(case, asked, ends),
    )


def _reached(case: Case, asked: Sequence[str], ends: Sequence[int]) -> float | None:
    """Mean share of the pool's hypervolume at the ends of batches, None where nothing is traded off."""
    if case.objectives is None:
        return None
    place = {one: row for row, one in enumerate(case.oracle.pool.ids)}
    known, calls = case.known.tolist(), [place[one] for one in asked]
    return sum(hypervolume_share(case.objectives, known + calls[:n]) for n in ends) / len(ends)


def _part_of(progress: Progress, start: float, share: float) -> Progress:
    return lambda what, done: progress(what, start + done * share)
