"""Counting of calls."""

import numpy as np
import pytest

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.search.oracle import GIGAPASCAL, BudgetSpent, Evaluation, Oracle, Point, under_pressure


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


def test_the_enthalpy_and_its_stress_fit_each_other():
    def spring(point):  # energy of the volume alone: 2 (V - 10)², stress its derivative by the strain over V
        volume = abs(np.linalg.det(point.cell))
        slope = 4 * (volume - 10)
        return Evaluation(2 * (volume - 10) ** 2, np.zeros_like(point.sites), slope * np.eye(3))

    assert under_pressure(spring, 0) is spring
    pressed, sites = under_pressure(spring, 50.0), np.zeros((1, 3))
    cell = 2.0 * np.eye(3)
    found = pressed(Point(sites, cell))
    assert found.energy == pytest.approx(8 + 50 * GIGAPASCAL * 8)
    strain, step = np.diag([1.0, 0, 0]), 1e-6
    energies = [pressed(Point(sites, cell @ (np.eye(3) + x * strain))).energy for x in (-step, step)]
    assert (energies[1] - energies[0]) / (2 * step) / 8 == pytest.approx(found.stress[0, 0], rel=1e-5)
