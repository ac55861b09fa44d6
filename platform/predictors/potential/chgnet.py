"""CHGNet (Deng et al., Nat. Mach. Intell. 5, 1031, 2023), with weights inside its wheel."""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager, redirect_stdout
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.predictors.potential.protocol import lonely

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from pymatgen.core import Structure

CUTOFF: Final = 6.0  # Å, of its atom graph
LAST: Final = 94  # atomic number of the last element it was trained on
BATCH: Final = 16


class ChgnetPotential:
    """CHGNet on the CPU, or on a GPU where torch sees one.

    On one core a batch of 16 takes 11 ms a crystal where one by one takes 14 ms (8 prototypes of up to 8 sites).
    """

    name = "chgnet"

    def fault(self, structure: Structure) -> str | None:
        """Why it gives no energy of a crystal: an element beyond Pu, or an atom without a neighbour within 6 Å."""
        others = sorted({site.specie.symbol for site in structure if site.specie.Z > LAST})
        if others:
            return f"CHGNet knows elements up to Pu, not {', '.join(others)}"
        if alone := lonely(structure, CUTOFF):
            return f"{alone} has no neighbour within {CUTOFF:g} Å, so CHGNet sees a free atom"
        return None

    def energies(self, structures: Sequence[Structure]) -> list[float]:
        """Energies in eV per atom, one batch; NaN for crystals with a `fault`."""
        known = [place for place, structure in enumerate(structures) if self.fault(structure) is None]
        found = [float("nan")] * len(structures)
        if not known:
            return found
        with _quiet():
            predicted = _model().predict_structure([structures[i] for i in known], task="e", batch_size=BATCH)
        for place, row in zip(known, predicted if isinstance(predicted, list) else [predicted], strict=True):
            found[place] = float(row["e"])
        return found

    def calculator(self) -> Calculator:
        """A fresh ASE calculator with energy, forces and stress."""
        with _quiet():
            made: Calculator = _calculator()(_model(), use_device=_device())
        return made


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep CHGNet's announcements off the terminal, and the one warning that it cannot help, while it runs."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad=True", category=UserWarning)
        yield


@cache
def _model() -> Any:
    import torch
    from chgnet.model import CHGNet

    torch.set_num_threads(1)
    return CHGNet.load(use_device=_device(), verbose=False)


@cache
def _calculator() -> Any:
    from chgnet.model import CHGNetCalculator  # imports torch: seconds

    class Unconstrained(CHGNetCalculator):
        """Sees no constraints: ASE applies them, and their conversion to pymatgen warns at every step."""

        def calculate(self, atoms: Atoms | None = None, *args: Any, **kwargs: Any) -> None:
            bare = atoms.copy() if atoms is not None else None
            if bare is not None:
                bare.set_constraint()
            with _quiet():
                super().calculate(bare, *args, **kwargs)

    return Unconstrained


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
