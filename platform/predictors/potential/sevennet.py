"""SevenNet (Park et al., J. Chem. Theory Comput. 20, 4857, 2024), with weights inside its wheel.

Its checkpoints are pickles. What is read here is a file of the installed package, as much its own code as its modules
are; nothing that a user or a store gives is unpickled anywhere.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.predictors.potential.declarations import OF_MPTRJ
from fermiloop.platform.predictors.potential.protocol import OneByOne, beyond, lonely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase.calculators.calculator import Calculator
    from pymatgen.core import Structure

CUTOFF: Final = 5.0  # Å, of its atom graph


class SevenNetPotential(OneByOne):
    """A SevenNet on the CPU, or on a GPU where torch sees one.

    Parameters
    ----------
    name
        As campaign files write it.
    model
        One of those in the wheel: ``7net-0``, ``7net-mf-0`` or ``7net-l3i5``.
    modal
        Fidelity of a model that has several.
    """

    def __init__(self, name: str = "sevennet", model: str = "7net-0", modal: str | None = None) -> None:
        self.name = name
        self.model = model
        self.modal = modal

    def fault(self, structure: Structure) -> str | None:
        """Why it gives no energy of a crystal: an element that it was not trained on, or an atom without neighbours."""
        if others := beyond(structure, OF_MPTRJ):
            return f"SevenNet was not trained on {others}"
        if alone := lonely(structure, CUTOFF):
            return f"{alone} has no neighbour within {CUTOFF:g} Å, so SevenNet sees a free atom"
        return None

    def calculator(self) -> Calculator:
        """A fresh ASE calculator with energy, forces and stress, on weights that all of them share."""
        with _quiet():
            from sevenn.calculator import SevenNetCalculator  # imports torch: seconds

            made: Calculator = SevenNetCalculator(
                _network(self.model), file_type="model_instance", device="auto", modal=self.modal
            )
        return made


@cache
def _network(model: str) -> Any:
    import torch
    from sevenn.util import load_checkpoint

    torch.set_num_threads(1)
    return load_checkpoint(model).build_model()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of its imports about torch's deprecated compiler, and that no GPU accelerator is there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
