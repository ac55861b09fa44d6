"""The contract of potentials finds what is wrong with one."""

from __future__ import annotations

import numpy as np
import pytest
from ase.calculators.lj import LennardJones

from fermiloop.platform.plugins.potentials import PotentialDeclaration
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.testing.potentials import check_potential


class Wrong(AnalyticPotential):
    name = "wrong"


class Renamed(AnalyticPotential):
    name = "another"


class Refuses(Wrong):
    def fault(self, structure):
        return "I do not like it"


class Mixes(Wrong):
    def energies(self, structures):
        return [value + 0.01 * place for place, value in enumerate(super().energies(structures))]


class Extensive(Wrong):
    def energies(self, structures):
        return [value * len(one) for value, one in zip(super().energies(structures), structures, strict=True)]


class Silent(Wrong):
    def energies(self, structures):
        return [
            float("nan") if len(one) == 1 else value
            for value, one in zip(super().energies(structures), structures, strict=True)
        ]


class Gigapascal(LennardJones):
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        if "stress" in self.results:
            self.results["stress"] = np.asarray(self.results["stress"]) * 160.2


class Units(Wrong):
    def calculator(self):
        return Gigapascal(sigma=2.4, epsilon=0.2, rc=7.0, smooth=True)


class Uphill(LennardJones):
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["forces"] = -self.results["forces"]


class Backwards(Wrong):
    def calculator(self):
        return Uphill(sigma=2.4, epsilon=0.2, rc=7.0, smooth=True)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("Renamed", "calls itself another"), ("Refuses", "I do not like it"), ("Mixes", "in a batch"),
        ("Extensive", "supercell"), ("Silent", "whose fault is None"), ("Units", "a stress is"),
        ("Backwards", "a force is"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(made, says):
    declared = PotentialDeclaration("wrong", "of this test", place=f"{__name__}:{made}", model="wrong 1")
    with pytest.raises(AssertionError, match=says):
        check_potential(declared)
