"""The loop without a store: a campaign's own steps on recorded answers.

What is asked for is what a campaign of the same file and seed would compute if its generator proposed every crystal
that has no answer yet, and its engine gave what is recorded: the same surrogate, belief, acquisition, batches and seeds
(`campaign.choosing`). It goes on until the budget is spent; what ends a campaign early does not end a replay, for its
hits are to be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.campaign import choosing
from fermiloop.platform.campaign.goal import score_of
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.surrogates.protocol import answers, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.campaign.spec import CampaignSpec
    from fermiloop.platform.predictors.surrogates.protocol import Surrogate
    from fermiloop.platform.representations.training import Target, TrainingSet

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

BASELINE_SEED: Final = 1004
"""Place of a baseline's seed within a round."""


@dataclass(frozen=True, eq=False)
class Oracle:
    """Recorded answers to one target.

    Parameters
    ----------
    pool
        Crystals whose labels and curves are the answers.
    target
        What is looked for.
    """

    pool: TrainingSet
    target: Target

    @cached_property
    def computed(self) -> dict[str, Array]:
        """(n,) answers to each part of the target, NaN where none is recorded."""
        return {part: answers(self.pool, self.target, part) for part in parts_of(self.target)}

    def row(self, i: int) -> dict[str, float]:
        """Answers of one crystal, those that are recorded."""
        found = {part: float(values[i]) for part, values in self.computed.items()}
        return {part: value for part, value in found.items() if np.isfinite(value)}

    @cached_property
    def judged(self) -> tuple[Array, NDArray[np.bool_]]:
        """(n,) scores, and (n,) whether each is a hit."""
        found = [score_of(self.target, self.row(i)) for i in range(len(self.pool))]
        return np.array([score for score, _ in found]), np.array([hit for _, hit in found], dtype=bool)

    @property
    def scores(self) -> Array:
        """(n,) scores."""
        return self.judged[0]

    @property
    def hits(self) -> NDArray[np.bool_]:
        """(n,) whether each is a hit."""
        return self.judged[1]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Composition of each with columns of the periodic table in place of elements."""
        return tuple(columns_of(structure) for structure in self.pool.structures)

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """(n,) whether a crystal may be asked for: its formula is not excluded, and some answer is recorded."""
        excluded = set(self.target.exclude_formulas)
        free = np.array([one.composition.reduced_formula not in excluded for one in self.pool.structures], dtype=bool)
        told = np.any([np.isfinite(values) for values in self.computed.values()], axis=0)
        return free & told


def columns_of(structure: Structure) -> str:
    """Composition with columns of the periodic table in place of elements: ``"1:1 17:1"`` for NaCl and KBr alike."""
    amounts = structure.composition.element_composition.reduced_composition.get_el_amt_dict().items()
    return " ".join(f"{group}:{amount:g}" for group, amount in sorted((Element(e).group, n) for e, n in amounts))


@dataclass(frozen=True)
class Run:
    """One search.

    Parameters
    ----------
    seed
        Of it.
    known, asked
        Ids, in their order.
    hits
        Of each batch.
    """

    seed: int
    known: tuple[str, ...]
    asked: tuple[str, ...]
    hits: tuple[int, ...]


class Baseline(Protocol):
    """A rule to compare with: chooses rows of the pool."""

    def __call__(self, oracle: Oracle, known: Rows, left: Rows, n: int, rng: np.random.Generator) -> Sequence[int]:
        """At most `n` of the rows in `left`, best first; of answers it may see those of `known` alone."""
        ...


class Proposer(Protocol):
    """Stands in a generator's place: says which of the rows that are left may be chosen."""

    def __call__(self, oracle: Oracle, known: Rows, left: Rows, rng: np.random.Generator) -> Rows:
        """Some of the rows in `left`."""
        ...


def replay(
    spec: CampaignSpec,
    target: Target,
    pool: TrainingSet | Oracle,
    known: Sequence[int] | Rows,
    seed: int,
    baseline: Baseline | None = None,
    propose: Proposer | None = None,
) -> Run:
    """Repeat a campaign's search on recorded answers.

    Parameters
    ----------
    spec
        Surrogate, acquisition, when to train again, and the budget, by its rounds, evaluations and their number in one
        round.
    target
        What is looked for, resolved.
    pool
        Crystals with their answers; an `Oracle` of them where several searches share it.
    known
        Rows that are known at the start.
    seed
        Of the search, in the place of that of the file.
    baseline
        Chooses in the place of surrogate and acquisition.
    propose
        What may be chosen; everything that is left by default. Where it is fewer than a batch, the rest of the batch
        is chosen at random from what is left, since it must be spent.

    Raises
    ------
    InputError
        If fewer crystals are left than the budget asks for.
    """
    oracle = pool if isinstance(pool, Oracle) else Oracle(pool, target)
    spec = spec.model_copy(update={"seed": seed})
    search = _Search(spec, oracle, np.asarray(known, dtype=np.int64), baseline, propose)
    calls = _calls(spec)
    if calls > len(search.left()):
        raise InputError(
            f"A replay with {len(search.start)} known crystals and {calls} calls needs as many crystals in all, and "
            f"{len(oracle.pool)} are there, {len(search.left())} of which may be asked for; ask for fewer calls."
        )
    hits = []
    while len(search.asked) < calls:
        batch = search.step(min(spec.budget.per_round, calls - len(search.asked)))
        hits.append(int(oracle.hits[batch].sum()))
    ids = oracle.pool.ids
    return Run(seed, tuple(ids[i] for i in search.start), tuple(ids[i] for i in search.asked), tuple(hits))


def _calls(spec: CampaignSpec) -> int:
    return min(spec.budget.evaluations, spec.budget.rounds * spec.budget.per_round)


class _Search:
    """A search on its way."""

    def __init__(
        self,
        spec: CampaignSpec,
        oracle: Oracle,
        start: Rows,
        baseline: Baseline | None,
        propose: Proposer | None,
    ) -> None:
        self.spec, self.oracle, self.start = spec, oracle, start
        self.baseline, self.propose = baseline, propose
        self.asked: list[int] = []
        self.number = 0
        self.surrogate: Surrogate | None = None
        self.learned: int | None = None

    def left(self) -> Rows:
        """Rows that may be asked for, in the order of the pool."""
        free = self.oracle.allowed.copy()
        free[self.start] = False
        free[self.asked] = False
        return np.flatnonzero(free)

    def step(self, n: int) -> list[int]:
        """Ask for one batch."""
        self.number += 1
        left, known = self.left(), np.concatenate([self.start, np.array(self.asked, dtype=np.int64)])
        rng = np.random.default_rng(choosing.seed_of(self.spec, self.number, BASELINE_SEED))
        slate = left if self.propose is None else self.propose(self.oracle, known, left, rng)
        chosen: list[int] = []
        if len(slate):
            if self.baseline is not None:
                chosen = [int(i) for i in self.baseline(self.oracle, known, slate, n, rng)]
            else:
                chosen = self._chosen(known, slate, n)
        if len(chosen) < n:
            chosen += [int(i) for i in rng.choice(np.setdiff1d(left, chosen), n - len(chosen), replace=False)]
        self.asked += chosen
        return chosen

    def _chosen(self, known: Rows, slate: Rows, n: int) -> list[int]:
        """What the campaign would compute."""
        oracle, spec = self.oracle, self.spec
        if choosing.worth_training(spec, len(known), self.learned):
            self.surrogate, _ = choosing.train(spec, oracle.target, oracle.pool.subset(known.tolist()), self.number)
            self.learned = len(known)
        assert self.surrogate is not None
        structures = [oracle.pool.structures[i] for i in slate]
        picked = choosing.choose(
            spec,
            oracle.target,
            self.surrogate.predict(structures),
            structures,
            n,
            [oracle.row(i) for i in self.asked],
            np.random.default_rng(choosing.seed_of(spec, self.number, choosing.SELECTION)),
        )
        return [int(slate[i]) for i in picked]
