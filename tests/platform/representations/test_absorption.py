"""Absorption out of refractive indices."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.absorption import absorption, absorption_curve, sample_refusal


def test_silver_at_one_electronvolt() -> None:
    # 4π k / λ with λ = 1.2398 μm
    assert absorption([1.0], [8.0])[0] == pytest.approx(4 * np.pi * 8.0 / 1.239842e-4, rel=1e-5)


def test_a_table_in_any_order_with_energies_twice_becomes_an_even_curve() -> None:
    energies = np.array([3.0, 1.0, 2.0, 2.0, 4.0])
    points, values = absorption_curve(energies, [1.0, 1.0, 0.5, 1.5, 1.0])
    assert (points[0], points[-1]) == (pytest.approx(1.0), pytest.approx(4.0))
    np.testing.assert_allclose(np.diff(points), 0.05)
    np.testing.assert_allclose(values[1:-1], absorption(points, np.ones_like(points))[1:-1], rtol=1e-6)


def test_a_peak_between_the_steps_is_kept() -> None:
    energies = np.linspace(1.0, 5.0, 4001)
    k = np.where(np.abs(energies - 3.012) < 0.003, 1.0, 0.0) + 1e-9
    _, values = absorption_curve(energies, k)
    exact = np.trapezoid(absorption(energies, k), energies)
    assert values[1:-1].sum() * 0.05 == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize(
    ("energies", "k", "reason"),
    [
        ([1, 2, 3], [1, 2], "as many"),
        ([-1, 2, 3], [1, 2, 3], "positive"),
        ([1, 2, 3], ["a", 2, 3], "numbers"),
        ([1, 2, 3], [1, -1, 1], "which is none"),
        ([1.0, 1.1], [1, 1], "alone"),
    ],
)
def test_what_is_no_table(energies: list[float], k: list[float], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        absorption_curve(energies, k)


def test_samples_that_are_no_crystals() -> None:
    refused = ("Amorphous silicon (α-Si or a-Si). 60-nm film.", "Liquid mercury", "Song-13L 13-layer", "DFT.",
               "Fused silica plate", "Mono-graphene", "Intercalated graphite pellet")  # fmt: skip
    assert all(sample_refusal(told) for told in refused)
    taken = ("Room temperature", "20 nm-thick silver film with 2 nm-thick Ge wetting interlayer", "Bulk", "Adachi")
    assert not any(sample_refusal(told) for told in taken)
