"""Minima hopping (Goedecker, J. Chem. Phys. 120, 9911, 2004).

An escape by molecular dynamics, then down. The kinetic energy rises after an escape that came back or to a minimum
met before, and falls after a new one; a minimum is accepted if it lies less than a threshold above the last, and
the threshold follows the acceptance. ASE's class keeps its state in files of the working directory and does not
count calls, so the method is written here on the shared relaxation and escape; its feedback is that class's but
for quicker changes of temperature and a larger first threshold, since a budget has room for few hops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.search.optimisers.protocol import Start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.search.optimisers.protocol import Minimum, SearchSpace


@dataclass(frozen=True)
class HoppingOptions:
    """Feedback.

    Parameters
    ----------
    kinetic
        First kinetic energy of an escape, per degree of freedom, in units of the space's `heat`.
    threshold
        First rise in energy that is accepted.
    beta_same, beta_known, beta_new
        Factors of the kinetic energy after an escape that came back, met a known and a new minimum (β1, β2, β3).
    alpha_accepted, alpha_refused
        Factors of the threshold (α1, α2).
    alike
        Root mean square difference of fingerprints below which two minima are one.
    """

    kinetic: float = 1.0
    threshold: float = 2.0
    beta_same: float = 1.2
    beta_known: float = 1.2
    beta_new: float = 1 / 1.1
    alpha_accepted: float = 0.98
    alpha_refused: float = 1 / 0.98
    alike: float = 0.01


class MinimaHopping:
    """One hopper with a history."""

    name = "minima_hopping"

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: HoppingOptions | None = None) -> None:
        self._space, self._rng, self._options = space, rng, options or HoppingOptions()
        self._here: Minimum | None = None
        self._history: list[NDArray[np.float64]] = []
        self._print: NDArray[np.float64] | None = None
        self._kinetic, self._threshold = self._options.kinetic * space.heat, self._options.threshold

    def ask(self) -> list[Start]:
        """An escape from where the hopper is."""
        if self._here is None:
            return [Start(self._space.random(self._rng))]
        return [Start(self._here.point, self._kinetic)]

    def tell(self, minima: Sequence[Minimum]) -> None:
        """Kinetic energy and threshold follow what came of the escape."""
        options = self._options
        for there in minima:
            print_ = self._space.fingerprint(there.point)
            if self._here is None or self._print is None:
                self._here, self._print = there, print_
                self._history.append(print_)
                continue
            if self._alike(print_, self._print):
                self._kinetic *= options.beta_same
                continue
            known = any(self._alike(print_, other) for other in self._history)
            self._kinetic *= options.beta_known if known else options.beta_new
            if not known:
                self._history.append(print_)
            if there.value - self._here.value < self._threshold:
                self._here, self._print = there, print_
                self._threshold *= options.alpha_accepted
            else:
                self._threshold *= options.alpha_refused

    def _alike(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
        return float(np.sqrt(np.mean((one - other) ** 2))) < self._options.alike
