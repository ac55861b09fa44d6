"""What every acquisition is: a small frozen class with its own parameters and one method."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fermiloop.platform.acquisition.belief import Belief


class Acquisition(Protocol):
    """Says what computing each candidate is worth."""

    name: ClassVar[str]
    """By which a campaign asks for it."""

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """(n,) worth of each candidate, larger better; anything where nothing is known.

        Parameters
        ----------
        best
            Score to improve on (`incumbent`); -inf where nothing was computed yet.
        rng
            Randomness.
        """
        ...
