"""The contract of every acquisition, and what breaks it."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.testing import check_acquisition


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_ours_keep_the_contract(name):
    check_acquisition(ACQUISITIONS[name].build, blind=not ACQUISITIONS[name].needs_prediction)


class Mean:
    name = "mean"

    def worth(self, belief, best, rng):
        return belief.mean


class One(Mean):
    def worth(self, belief, best, rng):
        return belief.mean.mean()


class Moody(Mean):
    def worth(self, belief, best, rng):
        return np.random.default_rng().random(len(belief))


class Backward(Mean):
    def worth(self, belief, best, rng):
        return -belief.mean


class Spoiling(Mean):
    def worth(self, belief, best, rng):
        belief.draws[:] = 0
        return belief.mean


class Infinite(Mean):
    def worth(self, belief, best, rng):
        return belief.mean + np.inf


def test_one_of_a_group_keeps_it():
    check_acquisition(Mean)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (One, "one number a candidate"),
        (Moody, "The same belief and seed"),
        (Backward, "A sure hit must be worth more"),
        (Spoiling, "leave the belief as it is"),
        (Infinite, "must be finite"),
    ],
)
def test_what_breaks_it_is_told(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_acquisition(kind)
