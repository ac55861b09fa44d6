"""The contract of acquisitions: one number for each candidate, from the belief and the given randomness alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.acquisition.batches import select_batch
from fermiloop.platform.acquisition.belief import Belief
from fermiloop.platform.testing.expecting import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from fermiloop.platform.acquisition.protocol import Acquisition

N: Final = 40
DRAWS: Final = 256
LEVEL: Final = 0.9


def belief(seed: int = 0, n: int = N, level: float = LEVEL) -> Belief:
    """What might be believed of `n` candidates, with two objectives; made up."""
    rng = np.random.default_rng(seed)
    draws = np.clip(rng.random((n, 1)) + 0.3 * rng.standard_normal((n, DRAWS)), 0, 1)
    table = np.stack([draws, rng.standard_normal((n, DRAWS))], axis=-1)
    return Belief(draws, (draws >= level).mean(axis=1), level, table, np.array([[0.5, 0.5]]))


def sure_of_one() -> Belief:
    """A sure hit, and a sure miss."""
    draws = np.array([np.full(64, 0.95), np.full(64, 0.2)])
    objectives = np.stack([1 - draws, 1 - draws], axis=-1)
    return Belief(draws, np.array([1.0, 0.0]), LEVEL, objectives, np.array([[0.5, 0.5]]))


def check_acquisition(make: Callable[[], Acquisition], *, blind: bool = False) -> None:
    """Try an acquisition on beliefs that are made up.

    Parameters
    ----------
    make
        Gives one.
    blind
        Whether it is a baseline that looks at nothing.

    Raises
    ------
    AssertionError
        Over the first thing that is wrong, in one sentence.
    """
    expect(isinstance(make().name, str) and make().name, "An acquisition must have its name as a class attribute.")
    asked = belief()
    before = asked.draws.copy()
    worth, again = (np.asarray(make().worth(asked, 0.4, np.random.default_rng(3))) for _ in range(2))
    expect(worth.shape == (N,), f"worth must give one number a candidate, ({N},), not {worth.shape}.")
    expect(np.isfinite(worth).all(), "worth must be finite where all is known.")
    expect((worth == again).all(), "The same belief and seed must give the same worth.")
    expect((asked.draws == before).all(), "worth must leave the belief as it is.")
    if not blind:
        for seed in range(5):
            first, second = make().worth(sure_of_one(), 0.4, np.random.default_rng(seed))
            expect(first > second, "A sure hit must be worth more than a sure miss.")
    _check_nothing_known(make())


def _check_nothing_known(acquisition: Acquisition) -> None:
    """Before anything was computed, and where nothing predicts some candidates, a batch is chosen all the same."""
    unknown = belief(1)
    draws = unknown.draws.copy()
    draws[::2] = np.nan
    probability = np.where(np.arange(N) % 2, unknown.probability, np.nan)
    half = Belief(draws, probability, LEVEL, unknown.objectives, unknown.front)
    for believed in (unknown, half):
        features = np.random.default_rng(0).random((N, 3))
        chosen = select_batch(acquisition, believed, features, 5, -np.inf, np.random.default_rng(0), diversity=0.2)
        expect(len(set(chosen)) == 5, "Of 40 candidates five different ones must be chosen, whatever is known of them.")
