import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.representations.conditions import Condition, PropertyWindow, aim_of

WINDOW = PropertyWindow("band_gap", 1.5, 0.2)
STABLE = Condition("energy_above_hull", high=0.1)
WIDE = Condition("band_gap", low=3.0)
LEAST = Condition("formation_energy_per_atom", direction="minimise")


def test_a_window_is_a_value_and_its_tolerance():
    assert (WINDOW.value, WINDOW.tolerance, WINDOW.low, WINDOW.high) == pytest.approx((1.5, 0.2, 1.3, 1.7))
    assert WINDOW.bounded
    assert WINDOW.two_sided
    assert WINDOW.aside([1.5, 1.7, 1.1]) == pytest.approx([0, 1, 2])


def test_one_sided_ones_aim_inside_their_bound():
    assert (STABLE.value, STABLE.scale) == pytest.approx((0.0, 0.1))
    assert WIDE.value == 3.5
    assert STABLE.met([0.0, 0.1, 0.11, -5.0, np.nan]).tolist() == [True, True, False, True, False]
    assert STABLE.beyond([0.0, 0.1, 0.3]) == pytest.approx([0, 0, 2])
    assert WIDE.aside([9.0, 3.5, 3.0]) == pytest.approx([0, 0, 1])
    assert WIDE.upwards
    assert not STABLE.upwards


def test_an_objective_aims_at_the_end_of_its_range():
    assert not LEAST.bounded
    assert LEAST.value == aim_of("formation_energy_per_atom")[0]
    assert LEAST.aside([-9.0, -3.0]).tolist() == [0.0, 0.0]
    assert LEAST.beyond([0.0])[0] == pytest.approx(3.0 / PROPERTIES["formation_energy_per_atom"].scale)


@given(st.floats(-10, 10), st.floats(-10, 10), st.sampled_from([WINDOW, STABLE, WIDE, LEAST]))
def test_what_lies_within_is_not_beyond(one, other, condition):
    assert (condition.beyond([one])[0] == 0) == bool(condition.met([one])[0]) or not condition.bounded
    near, far = sorted((one, other), key=lambda value: condition.beyond([value])[0])
    assert condition.aside([near]).shape == (1,)
    assert condition.beyond([near])[0] <= condition.beyond([far])[0]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"low": 2.0, "high": 1.0}, {"low": np.nan}, {"direction": "more"}],
)
def test_what_asks_for_nothing_or_the_impossible_is_refused(wrong):
    with pytest.raises(InputError, match="band_gap"):
        Condition("band_gap", **wrong)
