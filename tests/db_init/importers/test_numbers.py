"""Numbers and curves of other people's files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.db_init.importers.dos import on_even_grid
from fermiloop.db_init.importers.numbers import number, value_of
from fermiloop.platform.errors import InputError
from fermiloop.schemas.vocabulary import Property


@pytest.mark.parametrize("value", [None, "", " na ", "NaN", "None", float("nan"), -99999, "-99999"])
def test_absent_numbers_are_none(value: Any) -> None:
    assert number(value, "x") is None


@pytest.mark.parametrize("value", ["low", [1], {}, True, float("inf"), "1e999", 10**400])
def test_what_is_no_number_is_told(value: Any) -> None:
    with pytest.raises(InputError, match="The value of x is"):
        number(value, "x")


@given(st.floats(-40, 40))
def test_numbers_are_read_as_written(value: float) -> None:
    assert number(repr(value), "x") == value
    assert value_of(Property.FORMATION_ENERGY_PER_ATOM, value, "x") == value


def test_what_no_crystal_has_is_told() -> None:
    with pytest.raises(InputError, match="outside 0 to 50"):
        value_of(Property.BAND_GAP, -0.5, "gap")


@settings(max_examples=40, deadline=None)
@given(
    step=st.floats(0.003, 0.2),
    fermi=st.floats(-5, 10),
    peaks=st.lists(st.tuples(st.floats(-7, 7), st.floats(0.05, 2)), min_size=1, max_size=4),
)
def test_no_state_is_lost_on_the_way_to_the_even_grid(
    step: float, fermi: float, peaks: list[tuple[float, float]]
) -> None:
    x = np.arange(-13, 13, step)
    y = sum(np.exp(-0.5 * ((x - centre) / width) ** 2) for centre, width in peaks)
    points, density = on_even_grid(x + fermi, [y, y], fermi)
    assert points[0] == pytest.approx(-10)
    assert points[-1] == pytest.approx(10)
    assert np.allclose(np.diff(points), 0.05)
    inside = (x >= points[0]) & (x <= points[-1])
    cut = 2 * max(y[~inside], default=0.0) * 0.5  # what may lie in the bins that the window cuts
    assert density.sum() * 0.05 == pytest.approx(2 * np.trapezoid(y[inside], x[inside]), abs=cut + 1e-2 + 4 * step**2)


@pytest.mark.parametrize(
    ("energies", "density", "told"),
    [
        ([0, 1], [1, 1], "covers 0.00 to 1.00 eV"),
        ([-10, 0, 0, 10], [1, 1, 1, 1], "must rise"),
        (["a", "b"], [1, 1], "no list of numbers"),
        ([-20, 20], [1, float("nan")], "finite"),
        ([-20, 0, 20], [1, 1], "as many values"),
        ([], [], "points"),
        ([-10.0, 10.0], [1, [2]], "no list of numbers"),
    ],
)
def test_what_is_no_density_of_states_is_told(energies: Any, density: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        on_even_grid(energies, [density], 0.0)
