"""Phonon densities of states: units, normalisation to three modes an atom, and imaginary modes."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.phonon_curves import (
    SOFT,
    imaginary_modes,
    imaginary_part,
    of_modes,
    of_wavenumbers,
    refusal,
)

GRID = np.linspace(-300.0, 1000.0, 66)


def test_wavenumbers_become_states_per_thz_and_cell() -> None:
    x, y = of_wavenumbers(GRID, np.exp(-(((GRID - 500) / 40) ** 2)), 2)
    assert np.trapezoid(y, x) == pytest.approx(6.0)
    assert x[y.argmax()] == pytest.approx(14.99, abs=0.01)  # 1 THz is 33.356 cm⁻¹
    again = of_wavenumbers(GRID, 7 * np.exp(-(((GRID - 500) / 40) ** 2)), 2)[1]
    np.testing.assert_allclose(again, y)


@pytest.mark.parametrize(("values", "reason"), [(-np.ones(66), "negative"), (np.zeros(66), "zero everywhere")])
def test_what_is_no_phonon_density_of_states(values: np.ndarray, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        of_wavenumbers(GRID, values, 1)


def test_modes_are_broadened_and_none_is_lost() -> None:
    frequencies = np.array([[2.0, 2.0, 5.0], [30.0, 3.0, -4.0]])
    x, y = of_modes(frequencies, [1, 3], 0.3, 0.0, 25.0)
    assert np.trapezoid(y, x) == pytest.approx(3.0, abs=1e-6)
    assert (x[0] <= -4.0, x[-1] >= 30.0) == (True, True)
    np.testing.assert_allclose(np.diff(x), 0.1)
    at_five = np.trapezoid(y[(x > 4) & (x < 6)], x[(x > 4) & (x < 6)])
    assert at_five == pytest.approx(0.25, rel=0.01)


def test_imaginary_modes_are_counted_alike_in_modes_and_in_curves() -> None:
    frequencies = np.array([[-3.0, 4.0, 5.0, 6.0], [-0.1, 4.0, 5.0, 6.0]])
    share = imaginary_modes(frequencies, [1, 1])
    assert share == pytest.approx(0.125)
    x, y = of_modes(frequencies, [1, 1], 0.1, 0.0, 25.0)
    assert imaginary_part(x, y) == pytest.approx(share, abs=1e-3)
    assert imaginary_part(x, np.where(x > SOFT + 0.11, y, 0)) == pytest.approx(0, abs=1e-9)
    assert refusal(0.0) is None
    assert "12.5 % of the modes are imaginary" in refusal(share)
