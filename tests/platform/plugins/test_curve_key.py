"""Which Methods' densities of states may stand beside one another."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.db_init import seed_method
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.plugins.curve_key import curve_key


def key(engine: str, settings: dict[str, Any] | None = None) -> str | None:
    made = code_of(engine).method(settings or {})
    return curve_key(made.engine, made.functional, made.settings)


def test_both_families_of_gpaw_and_the_seed_library_have_one_key() -> None:
    seed = seed_method.GPAW
    ours = curve_key(seed["engine"], seed["functional"], seed["settings"])
    assert ours is not None
    assert key("gpaw") == key("gpaw-hard") == key("gpaw-hard", {"cutoff": 800}) == ours
    assert key("gpaw", {"kpoint_density": 7, "max_scf_steps": 200}) == ours


@pytest.mark.parametrize(
    "settings",
    [
        {"cutoff": 300},  # not converged
        {"kpoint_density": 3.0},
        {"smearing": 0.05},
        {"dos_broadening": 0.2},
        {"dos_lo": -12.0},
        {"dos_step": 0.1},
        {"hubbard": {"V": 3.25}},
        {"hubbard": "materials_project"},
    ],
)
def test_what_changes_a_curve_changes_the_key(settings: dict[str, Any]) -> None:
    assert key("gpaw", settings) != key("gpaw")


def test_another_functional_is_another_key() -> None:
    made = code_of("gpaw").method({})
    assert curve_key("gpaw", "PBEsol", made.settings) != curve_key("gpaw", "PBE", made.settings)


def test_curves_of_an_engine_that_says_nothing_stand_alone() -> None:
    assert key("analytic") is None
    assert curve_key("of_another_package", "PBE", {}) is None
