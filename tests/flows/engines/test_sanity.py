"""Results that no crystal has are refused in words; what crystals have is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Composition

from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.flows.engines.sanity import fault_of, outer_electrons
from fermiloop.platform.representations.prototypes import PROTOTYPES

IRON = PROTOTYPES["A2"].build("Fe", None, 11.5)
X = np.round(np.arange(-10.0, 8.0001, 0.05), 6)


def result(held: float = 8.0, due: float | None = 8.0, **changes: Any) -> EvaluationResult:
    """Iron with so many electrons in its curve up to zero."""
    density = np.where((X >= -5.0), held / 5.0, 0.0)
    made = EvaluationResult(IRON, -8.2, 0.0, 2.2, 5.0, due, X, density)
    return replace(made, **changes)


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"energy_per_atom": 3.08},  # of a bad geometry, as in the seed library
        {"energy_per_atom": -13.0},
        {"gap": None, "magnetic_moment": None, "fermi_level": None, "n_electrons": None},
        {"energies": None, "density": None},
        {"gap": 14.2},
        {"n_electrons": 14.0},  # six of them in 3p, below the window
        {"density": np.where(X >= -5.0, 8.0 / 5.0, -1e-4)},
    ],
)
def test_what_crystals_have_is_believed(fine: dict[str, Any]) -> None:
    assert fault_of(result(**fine)) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"energy_per_atom": 711.0}, "711 eV per atom, which no crystal has"),
        ({"energy_per_atom": -711.0}, "-711 eV per atom"),
        ({"energy_per_atom": float("inf")}, "its energy is inf, which is no number"),
        ({"energy_per_atom": float("nan")}, "no number"),
        ({"gap": -0.5}, "its gap is -0.5 eV"),
        ({"gap": float("nan")}, "its gap is nan eV"),
        ({"gap": 711.0}, "its gap is 711 eV"),
        ({"magnetic_moment": float("inf")}, "its magnetic moment is no number"),
        ({"fermi_level": float("nan")}, "its Fermi level is no number"),
        ({"structure": PROTOTYPES["A2"].build("Fe", None, 1e4)}, "its volume is 1e.04 Å³ per atom"),
        ({"structure": PROTOTYPES["A2"].build("Fe", None, 0.5)}, "its volume is 0.5 Å³ per atom"),
        ({"density": np.zeros_like(X)}, "zero everywhere"),
        ({"density": np.full_like(X, -1.0)}, "zero everywhere"),
        ({"density": np.where(X > 3, -1.0, 2.0)}, "negative, -1 states/eV/cell"),
        ({"density": np.full_like(X, np.nan)}, "no numbers"),
        ({"density": np.ones(3)}, "no curve"),
        ({"n_electrons": float("nan")}, "its number of electrons is nan"),
        ({"n_electrons": -3.0}, "its number of electrons is -3"),
    ],
)
def test_what_no_crystal_has_is_refused(changes: dict[str, Any], said: str) -> None:
    import re

    found = fault_of(result(**changes))
    assert found is not None
    assert re.search(said.replace("(", r"\("), found)


@pytest.mark.parametrize(
    ("held", "due", "said"),
    [
        (2.65, 32.0, "holds 2.6. electrons from -10 eV to its zero, where 32 are due, 8 of them in its outer shells"),
        (16.0, 8.0, "holds 16.* electrons from -10 eV to its zero, more than the 8 of its valence"),
        (0.01, 8.0, "where 8 are due"),
    ],
)
def test_a_curve_whose_electrons_disagree_with_the_valence_is_refused(held: float, due: float, said: str) -> None:
    import re

    found = fault_of(result(held, due))
    assert found is not None
    assert re.search(said, found)


def test_a_curve_that_begins_high_says_nothing_of_its_electrons() -> None:
    cut = X >= -3.0
    assert fault_of(result(density=np.full(cut.sum(), 0.5), energies=X[cut])) is None


def test_an_engine_that_counts_from_bare_cores_goes_lower() -> None:
    assert fault_of(result(energy_per_atom=-3400.0)) is not None
    assert fault_of(result(energy_per_atom=-3400.0), lowest_energy=-1e5) is None


@pytest.mark.parametrize(
    ("formula", "n"), [("Fe", 8), ("NaCl", 6), ("Ga", 1), ("Zn", 2), ("BaTiO3", 18), ("LaB6", 9), ("He", 2), ("Cs", 1)]
)
def test_outer_electrons(formula: str, n: int) -> None:
    assert outer_electrons(Composition(formula)) == n
