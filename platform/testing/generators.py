"""The contract of generators: the same seed, the same crystals; inside the space; saved, cancelled, and refused."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.representations.composition import formula_of, row_of
from fermiloop.platform.testing.expecting import expect, refused, works_or_says_why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fermiloop.platform.generators.protocol import Generator, Proposal, TrainingSet

FILES: Final = frozenset({"weights.safetensors", "config.json"})
N: Final = 6
TOLERANCE: Final = 1e-5


class Stopped(Exception):  # noqa: N818 - no error of ours: a person has had enough
    """Ends a training from its progress."""


@dataclass(frozen=True)
class GeneratorCase:
    """One generator with what it is tried on.

    Parameters
    ----------
    make
        Gives an untrained one.
    data
        What it learns from: some ten crystals or more.
    target, space
        What is asked of it, and where.
    sure
        Whether it must find crystals here; one that may not counts its failures with reasons.
    random
        Whether another seed must give other crystals.
    needs_curve
        Whether a target without a curve must be refused.
    seed
        Of the training.
    """

    make: Callable[[], Generator]
    data: TrainingSet
    target: Target
    space: Space
    sure: bool = True
    random: bool = True
    needs_curve: bool = False
    seed: int = 3
    shares: list[tuple[str, float]] = field(default_factory=list)

    @cached_property
    def trained(self) -> Generator:
        """The generator, trained once; `shares` keeps what its progress said."""
        made = self.make()
        made.fit(self.data, self.seed, lambda what, share: self.shares.append((what, share)))
        return made

    def drawn(self, generator: Generator, seed: int, n: int = N, target: Target | None = None) -> list[Proposal]:
        """Proposals from a seed; none is fine only where the failures are counted or none must be found."""
        made = generator.sample(target or self.target, self.space, n, np.random.default_rng(seed))
        counted = not self.sure and sum(generator.failures.values()) > 0
        expect(made or counted, "A generator must propose something, or count in failures why draws gave no crystal.")
        expect(len(made) <= n, f"{n} proposals were asked for, and {len(made)} came.")
        return made


def check_generator(
    make: Callable[[], Generator],
    data: TrainingSet,
    target: Target,
    space: Space,
    **given: Any,
) -> None:
    """Try a generator in everything that a campaign asks of it.

    Parameters
    ----------
    make
        Gives an untrained one.
    data
        What it learns from: some ten crystals or more, with the labels and curves that it needs.
    target, space
        What is asked of it, and where; it must find something there.
    **given
        More of `GeneratorCase`: ``sure``, ``random``, ``needs_curve``, ``seed``.

    Raises
    ------
    AssertionError
        Over the first thing that is wrong, in one sentence.
    """
    case = GeneratorCase(make, data, target, space, **given)
    for check in CHECKS:
        check(case)


def same_seed_same_crystals(case: GeneratorCase) -> None:
    """And another seed gives others."""
    first, again, other = (case.drawn(case.trained, seed) for seed in (5, 5, 6))
    expect(told(first) == told(again), "The same seed must give the same proposals.")
    if first and case.random:
        expect(told(first) != told(other), "Another seed must give other proposals.")


def saved_and_loaded_it_is_the_same(case: GeneratorCase) -> None:
    """Two files, and the same proposals from them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case.trained.save(folder)
        kept = {path.name for path in folder.iterdir()}
        expect(kept == FILES, f"save must write {' and '.join(sorted(FILES))}, not {', '.join(sorted(kept))}.")
        loaded = type(case.trained).load(folder)
        before, after = case.drawn(case.trained, 1), case.drawn(loaded, 1)
    same = [one.structure for one in before] == [one.structure for one in after]
    expect(same, "A generator that was loaded must propose what the saved one proposes.")
    saved, read = (np.array([one.score for one in some]) for some in (before, after))
    expect(
        np.allclose(saved, read, rtol=TOLERANCE), "A generator that was loaded must give the scores of the saved one."
    )


def crystals_lie_inside_the_space_best_first(case: GeneratorCase) -> None:
    """Sound crystals of the elements, none excluded, with their scores in order."""
    known = case.data.structures[0].composition
    target = replace(case.target, exclude_formulas=(*case.target.exclude_formulas, known.reduced_formula))
    proposals = case.drawn(case.trained, 2, 20, target)
    scores = [one.score for one in proposals]
    expect(scores == sorted(scores, reverse=True), "Proposals must come best first, by their scores.")
    for one in proposals:
        _inside(one, target, case.space)


def no_room_gives_nothing(case: GeneratorCase) -> None:
    """A space that holds no crystal is no error."""
    space = Space(case.space.elements[:1], (2, 2))
    made = case.trained.sample(case.target, space, N, np.random.default_rng(0))
    expect(made == [], "In a space of one element and two components there is nothing to propose.")


def empty_data_is_refused(case: GeneratorCase) -> None:
    """There is nothing to learn from."""
    with refused("A training set without crystals"):
        case.make().fit(case.data.subset([]), 0, silent)


def tiny_data_works_or_says_why_not(case: GeneratorCase) -> None:
    """One crystal, one crystal of another element with it, twelve times the same."""
    for rows in ([0], [0, len(case.data) // 12], [0] * 12):
        with works_or_says_why_not(f"A training set of {len(rows)} crystals"):
            data, generator = case.data.subset(rows), case.make()
            generator.fit(data, 0, silent)
            for one in generator.sample(case.target, case.space, 3, np.random.default_rng(0)):
                expect(one.structure.is_valid(), "A proposal must have no two atoms in one place.")


def cancelled_it_goes_on_and_ends_the_same(case: GeneratorCase) -> None:
    """An exception out of progress ends a training, which goes on from its folder."""
    left = 2

    def stop(_what: str, _share: float) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Stopped

    with tempfile.TemporaryDirectory() as folder:
        generator = case.make()
        try:
            generator.fit(case.data, case.seed, stop, Path(folder))
        except Stopped:
            generator = case.make()
            generator.fit(case.data, case.seed, silent, Path(folder))
        else:
            expect(left > 0, "An exception out of progress must end the training, and was swallowed.")
    before, after = (case.drawn(one, 0) for one in (case.trained, generator))
    expect(told(before) == told(after), "A training that was cancelled and went on must end as one that ran through.")


def progress_ends_at_one(case: GeneratorCase) -> None:
    """Every share lies in 0 to 1, with the name of a stage."""
    case.trained  # noqa: B018 - which tells its progress
    named = all(isinstance(what, str) and what and 0 <= share <= 1 for what, share in case.shares)
    expect(case.shares and named, "progress must be told names of stages with shares in 0 to 1.")
    expect(case.shares[-1][1] == 1, "The last share that progress is told must be 1.")


def property_windows_alone_are_enough(case: GeneratorCase) -> None:
    """Where no curve is needed."""
    name = next((name for name, values in case.data.labels.items() if np.isfinite(values).any()), None)
    if name is None:
        return
    window = PropertyWindow(name, float(np.nanmedian(case.data.labels[name])), 0.1)
    target = Target(windows=(window,))
    if case.needs_curve:
        with refused("A target without a curve"):
            case.trained.sample(target, case.space, 3, np.random.default_rng(0))
        return
    first, again = (case.drawn(case.trained, 0, 3, target) for _ in range(2))
    expect(told(first) == told(again), "The same seed must give the same proposals for a window of a property.")


def untrained_is_refused(case: GeneratorCase) -> None:
    """It has nothing to propose from."""
    with refused("Sampling before fit"):
        case.make().sample(case.target, case.space, 1, np.random.default_rng(0))


def broken_files_are_refused(case: GeneratorCase) -> None:
    """Missing, empty, or of something else."""
    for name in sorted(FILES):
        for content in (None, b"", b"\x00garbage", b"{}"):
            with tempfile.TemporaryDirectory() as text:
                folder = Path(text)
                case.trained.save(folder)
                (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
                with refused(f"A {name} that is {'missing' if content is None else content!r}"):
                    type(case.trained).load(folder)


CHECKS: Final = (
    same_seed_same_crystals, saved_and_loaded_it_is_the_same, crystals_lie_inside_the_space_best_first,
    no_room_gives_nothing, empty_data_is_refused, tiny_data_works_or_says_why_not,
    cancelled_it_goes_on_and_ends_the_same, progress_ends_at_one, property_windows_alone_are_enough,
    untrained_is_refused, broken_files_are_refused,
)  # fmt: skip
"""All parts of the contract, each by itself."""


def told(proposals: Sequence[Proposal]) -> list[Any]:
    """All that proposals say, to compare them."""
    return [(one.structure.as_dict(), one.score, one.probability, dict(one.detail)) for one in proposals]


def silent(_what: str, _share: float) -> None:
    """Progress that nobody asks for."""


def _inside(one: Proposal, target: Target, space: Space) -> None:
    symbols, n = {e.symbol for e in one.structure.composition.elements}, len(one.structure)
    formula = formula_of(row_of(one.structure.composition))
    expect(symbols <= set(space.elements), f"{formula} has elements outside the space.")
    expect(formula not in target.exclude_formulas, f"{formula} is excluded by the target, and was proposed.")
    expect(n <= space.max_sites, f"{formula} has {n} sites, more than the space allows.")
    expect(one.structure.is_valid(tol=1.0), f"{formula} has atoms nearer than 1 Å.")
    volume = one.structure.volume / n
    expect(3 < volume < 100, f"{formula} has {volume:.1f} Å³ an atom, where 3 to 100 Å³ are possible.")
    expect(one.probability is None or 0 <= one.probability <= 1, f"The probability of {formula} must lie in 0 to 1.")
    expect(json.dumps(one.detail), f"The detail of {formula} must be JSON.")
