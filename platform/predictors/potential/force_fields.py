"""Any force field that atomate2 can make an ASE calculator of, by its name there."""

from __future__ import annotations

import json
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.platform.predictors.potential.protocol import OneByOne

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ase.calculators.calculator import Calculator
    from pymatgen.core import Structure


class ForceFieldPotential(OneByOne):
    """A force field of atomate2, about whose limits nothing is known but what it says itself.

    Parameters
    ----------
    name
        As campaign files write it.
    force_field
        Name in ``atomate2.forcefields.MLFF``, such as ``MACE_MP_0``.
    options
        What atomate2 gives its calculator: they name the model.
    """

    def __init__(self, name: str, force_field: str, options: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.force_field = force_field
        self.options = dict(options or {})

    def fault(self, structure: Structure) -> str | None:
        """Why it gives no energy of a crystal: what its calculator says when it is asked for one."""
        atoms = AseAtomsAdaptor.get_atoms(structure)
        atoms.calc = self.calculator()
        try:
            atoms.get_potential_energy()
        except Exception as error:  # noqa: BLE001  whatever its code finds wrong with the crystal
            return f"{self.name} gives no energy ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        return None

    def energies(self, structures: Sequence[Structure]) -> list[float]:
        """Energies in eV per atom, one after the other; NaN for crystals with a `fault`."""
        return [self._or_nan(structure) for structure in structures]

    def calculator(self) -> Calculator:
        """Its ASE calculator, one for all: the weights of some take seconds to load."""
        return _calculator(self.force_field, json.dumps(self.options, sort_keys=True))

    def _or_nan(self, structure: Structure) -> float:
        try:
            return self._energy(structure)
        except Exception:  # noqa: BLE001  `fault` tells what
            return float("nan")


@cache
def _calculator(force_field: str, options: str) -> Calculator:
    from atomate2.forcefields.utils import MLFF, ase_calculator, revert_default_dtype  # its package: seconds

    with warnings.catch_warnings(), revert_default_dtype():
        warnings.simplefilter("ignore")  # of the package, about its own models
        made: Calculator = ase_calculator(MLFF[force_field], **json.loads(options))
    return made
