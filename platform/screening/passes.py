"""A stage at work on the crystals that reached it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spglib import SpglibError

from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from fermiloop.platform.screening.verdicts import Context, Crystal

# what pymatgen, spglib, ASE and torch raise over one bad crystal; a missing package or a full memory is no such thing
CRYSTAL_ERRORS: Final = (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError, SpglibError, FermiloopError)


@dataclass(frozen=True)
class Pass:
    """One stage at work: what it judges by, where its randomness comes from, whom it tells how far it is.

    Parameters
    ----------
    options
        The stage's own, in its dataclass; None where it takes none.
    """

    stage: str
    context: Context
    rng: np.random.Generator
    tell: Callable[[float], None]
    options: Any = None

    def each(self, crystals: Sequence[Crystal], check: Callable[[Crystal], Verdict]) -> list[Verdict]:
        """Judge one by one; an error over one crystal is its rejection."""
        verdicts = []
        for place, crystal in enumerate(crystals):
            try:
                verdict = check(crystal)
            except CRYSTAL_ERRORS as error:
                reason = f"the {self.stage} stage failed: {type(error).__name__}: {str(error).strip()[:200]}"
                verdict = Verdict(self.stage, False, reason, kind=f"failed: {type(error).__name__}")
            verdicts.append(verdict)
            self.tell((place + 1) / len(crystals))
        return verdicts
