"""Bias and error of the potential, by the library and by a campaign's own results."""

from __future__ import annotations

import pytest

from fermiloop.platform.campaign.potential_error import (
    LEAST_PAIRS,
    USUAL_ERROR,
    WEIGHT,
    PotentialError,
    left_out,
    potential_error,
)

PURE = [({"Cu": 1.0}, 0.0, "m-Cu"), ({"Pt": 1.0}, 0.0, "m-Pt")]
LIBRARY = [(0.0, 0.1), (0.0, 0.2)] * LEAST_PAIRS


def test_without_anything_it_is_the_usual_one() -> None:
    assert potential_error([]) == PotentialError(pytest.approx(USUAL_ERROR), 0.0)
    assert potential_error([(0.0, float("nan"))]) == PotentialError(pytest.approx(USUAL_ERROR), 0.0)
    assert potential_error([], LIBRARY[: LEAST_PAIRS - 1]) == potential_error([])


def test_a_library_tells_bias_and_spread() -> None:
    assert potential_error([], LIBRARY) == PotentialError(pytest.approx(0.05), pytest.approx(-0.15))


def test_results_overrule_the_library_in_the_end() -> None:
    found = potential_error([(0.3, 0.1)] * 1000, LIBRARY)
    assert found.bias == pytest.approx(0.2, abs=0.005)
    assert found.std == pytest.approx(0.0, abs=0.03)
    half = potential_error([(0.15, 0.0)] * WEIGHT, LIBRARY)
    assert half.bias == pytest.approx(0.0)
    assert half.std > 0.15 * 0.9  # library and results do not agree


def test_a_compound_is_measured_against_the_hull_of_the_others() -> None:
    half, quarter = {"Cu": 1.0, "Pt": 1.0}, {"Cu": 3.0, "Pt": 1.0}
    cheap = [*PURE, (half, -0.2, "m-1"), (quarter, -0.05, "m-2"), (half, 0.5, "m-3"), (half, -0.3, "m-4")]
    engine = [*PURE, (half, -0.1, "m-1"), (quarter, -0.05, "m-2"), (half, 0.4, "m-3")]
    pairs = left_out(cheap, engine, 0.2)
    assert pairs == [
        pytest.approx((0.1, -0.1 + 0.1 / 3)),  # m-4 is lower by the potential; m-2 alone by the engine
        pytest.approx((0.1, 0.0)),
    ]


def test_without_elements_nothing_is_measured() -> None:
    assert left_out([({"Cu": 1.0, "Pt": 1.0}, -0.2, "m-1")], [({"Cu": 1.0, "Pt": 1.0}, -0.1, "m-1")], 0.2) == []
