"""Counting of calls."""

import numpy as np
import pytest

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.search.oracle import BudgetSpent, Evaluation, Oracle, Point


def square(point):
    return Evaluation(float((point.sites**2).sum()), -2 * point.sites)


def test_calls_are_counted_kept_and_ended():
    oracle = Oracle(square, 3)
    for x in (2.0, 1.0, 3.0):
        oracle(Point(np.array([[x, 0, 0]])))
    assert (oracle.calls, oracle.left, oracle.history) == (3, 0, [4.0, 1.0, 9.0])
    assert oracle.best is not None
    assert oracle.best[1] == 1.0
    assert oracle.best[0].sites[0, 0] == 1.0
    with pytest.raises(BudgetSpent, match="3 oracle calls"):
        oracle(Point(np.zeros((1, 3))))
    assert oracle.calls == 3
    assert issubclass(BudgetSpent, FermiloopError)


def test_the_call_that_reached_an_energy_is_told():
    oracle = Oracle(square, 9)
    for x in (3.0, 2.0, 1.0):
        oracle(Point(np.array([[x, 0, 0]])))
    assert oracle.calls_to(4.0) == 2
    assert oracle.calls_to(0.5) is None


@pytest.mark.parametrize("budget", [0, -4])
def test_no_budget_is_refused(budget):
    with pytest.raises(InputError, match=str(budget)):
        Oracle(square, budget)
