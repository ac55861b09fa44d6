"""Lennard-Jones: for tests, never for a claim about materials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ase.calculators.lj import LennardJones

from fermiloop.platform.predictors.potential.protocol import OneByOne

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


class AnalyticPotential(OneByOne):
    """Lennard-Jones of one length for all elements."""

    name = "analytic"

    def calculator(self) -> Calculator:
        """A fresh ASE calculator with energy, forces and stress."""
        return LennardJones(sigma=2.4, epsilon=0.2, rc=7.0, smooth=True)
