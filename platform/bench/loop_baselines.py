"""Plain rules that the loop is compared with: each ranks the rows that are left, from those that are known.

They see the crystals of the whole pool and the answers of the known rows, no more. Where a rule predicts, it predicts
each part of the target by itself, and ranks by the campaign's own score of the predictions; among equal scores, as
those inside a window are, by how far inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.bench.loop_cases import answers_of
from fermiloop.platform.campaign.goal import CURVE, believe
from fermiloop.platform.predictors.descriptors import atomic_fractions, structure_descriptors
from fermiloop.platform.predictors.element_table import COLUMNS, element_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fermiloop.platform.bench.loop_cases import Case

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Ranker = Callable[[Rows, Rows, np.random.Generator], Rows]
    """Known rows, rows that are left and randomness to the rows that are left, best first."""
    Model = Callable[[Array, Array, Array, np.random.Generator], Array]
    """Features and answers of the known, features of those left, and randomness to predictions."""

ELEVEN: Final = (
    "number", "group", "row", "mendeleev", "electronegativity", "covalent radius", "molar volume", "melting point",
    "s electrons", "p electrons", "d electrons",
)  # fmt: skip
"""Numbers of the elements whose means over the composition are the eleven element statistics."""
TREES: Final = 100
BOOSTS: Final = 10
"""Members of CAMD's AdaBoost as it ships."""
SPREAD: Final = 0.5
"""Weight of the uncertainty in CAMD's rule."""
PARENTS: Final = 30
"""Known crystals nearest to the target from which substitution goes out, as the generator of that name does."""
NEAREST: Final = 5
"""Known crystals nearest to a target that is no material, which stand for its composition."""
TINY: Final = 1e-6
SEEDS: Final = 2**31


@dataclass(frozen=True)
class Baseline:
    """A plain rule.

    Parameters
    ----------
    title
        What it is, in a few words.
    make
        Its ranker of one case.
    """

    title: str
    make: Callable[[Case], Ranker]


class Features:
    """Numbers of the crystals of a pool, each kind made once."""

    def __init__(self, case: Case) -> None:
        self.structures = case.pool.structures

    def fractions(self) -> Array:
        """(n, 103) atomic fractions."""
        return atomic_fractions(self.structures)

    def elements(self) -> Array:
        """(n, 11) means of element numbers over the composition."""
        return element_means(self.fractions())

    def descriptors(self) -> Array:
        """(n, 271) composition and structure."""
        return structure_descriptors(self.structures)


def element_means(fractions: Array) -> Array:
    """(n, 11) means over the composition of the numbers `ELEVEN`."""
    return np.asarray(fractions @ element_table()[1:][:, [COLUMNS.index(name) for name in ELEVEN]])


def random(case: Case) -> Ranker:  # noqa: ARG001 - knows nothing
    """Random order."""
    return lambda known, left, rng: rng.permutation(left)  # noqa: ARG005


def nearest_composition(case: Case) -> Ranker:
    """Least distance from the target's eleven element statistics, in standard deviations of the pool."""
    means = element_means(atomic_fractions(case.pool.structures))
    width = np.maximum(means.std(axis=0), 1e-9)
    own = None
    if case.composition is not None:
        own = element_means(atomic_fractions([case.composition])) / width
    return _nearest(case, means / width, own, 2)


def nearest_fractions(case: Case) -> Ranker:
    """Least difference from the target's atomic fractions, summed over the elements."""
    own = atomic_fractions([case.composition]) if case.composition is not None else None
    return _nearest(case, atomic_fractions(case.pool.structures), own, 1)


def extra_trees(case: Case) -> Ranker:
    """The mean of extremely randomised trees (Geurts et al., 2006) on eleven element statistics of the composition."""
    from sklearn.ensemble import ExtraTreesRegressor

    def predict(x: Array, y: Array, new: Array, rng: np.random.Generator) -> Array:
        forest = ExtraTreesRegressor(TREES, random_state=int(rng.integers(SEEDS)), n_jobs=1)
        return np.asarray(forest.fit(x, y).predict(new))

    return _predicting(case, element_means(atomic_fractions(case.pool.structures)), predict)


def camd(case: Case, at_random: float = 0.5) -> Ranker:
    """The rule of CAMD's agent (Montoya et al., Chem. Sci. 11, 8517, 2020).

    AdaBoost over scaled features, by its mean and half the weighted spread of its members in favour of a candidate;
    of each batch a part is drawn at random.
    """
    x = structure_descriptors(case.pool.structures)
    ranked = _predicting(case, x, _boosted)

    def rank(known: Rows, left: Rows, rng: np.random.Generator) -> Rows:
        best = ranked(known, left, rng)
        n = case.course.batch - round(case.course.batch * at_random)
        return np.concatenate([best[:n], rng.permutation(best[n:])])

    return rank


def camd_exploit(case: Case) -> Ranker:
    """`camd` without its random part."""
    return camd(case, 0.0)


def substitution(case: Case) -> Ranker:
    """Children by substitution of the known crystals nearest to the target; chance among the rest.

    A child has its parent's composition but for elements of the same columns of the periodic table; one with the
    parent's kind of structure too comes before all others.
    """
    columns = [_columns(structure.composition.get_el_amt_dict()) for structure in case.pool.structures]
    keys = list(zip(columns, case.pool.prototypes, strict=True))
    values = answers_of(case)

    def rank(known: Rows, left: Rows, rng: np.random.Generator) -> Rows:
        near = known[np.argsort(-worth(case, {k: v[known] for k, v in values.items()}), kind="stable")][:PARENTS]
        alike: dict[tuple[str, str], float] = {}
        like: dict[str, float] = {}
        for place, i in enumerate(near):
            alike.setdefault(keys[i], 2 * PARENTS - place)
            like.setdefault(columns[i], PARENTS - place)
        kin = np.array([alike.get(keys[i], like.get(columns[i], 0.0)) for i in left])
        return left[np.argsort(-(kin + rng.random(len(left))), kind="stable")]

    return rank


BASELINES: Final[dict[str, Baseline]] = {
    "random": Baseline("random order", random),
    "nearest_composition": Baseline("nearest to the target's composition by element statistics", nearest_composition),
    "nearest_fractions": Baseline("nearest to the target's composition by atomic fractions", nearest_fractions),
    "extra_trees": Baseline("extra-trees on eleven element statistics of the composition", extra_trees),
    "camd": Baseline("CAMD's AdaBoost agent, half of each batch at random", camd),
    "camd_exploit": Baseline("CAMD's AdaBoost agent, nothing at random", camd_exploit),
    "substitution": Baseline("like elements in known crystals near the target", substitution),
}
"""Every baseline by name."""


def worth(case: Case, means: dict[str, Array]) -> Array:
    """(n,) score of predicted means, larger better; among equal ones by how far inside its bounds each part lies."""
    parts = {name: np.where(np.isfinite(mean), mean, np.nan) for name, mean in means.items()}
    score = believe(case.target, {name: (mean, np.zeros(len(mean))) for name, mean in parts.items()}).mean
    inside = [parts[CURVE]] if CURVE in parts else []
    for condition in case.target.conditions:
        apart = (parts[condition.property] - condition.value) / condition.scale
        one_sided = not condition.two_sided
        side = 1.0 if np.isfinite(condition.high) else -1.0
        inside.append(-side * apart if one_sided else -np.abs(apart))
    return np.nan_to_num(score) + TINY * np.nan_to_num(np.sum(inside, axis=0))


def _predicting(case: Case, x: Array, model: Model) -> Ranker:
    values = answers_of(case)

    def rank(known: Rows, left: Rows, rng: np.random.Generator) -> Rows:
        means = {}
        for name, answers in values.items():
            told = known[np.isfinite(answers[known])]
            means[name] = model(x[told], answers[told], x[left], rng) if len(told) else np.full(len(left), np.nan)
        return left[np.argsort(-worth(case, means), kind="stable")]

    return rank
