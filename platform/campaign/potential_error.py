"""How far the funnel's potential is off the engine in energies above the hull: a bias to take off, and what is left.

A potential that was trained on other data is not right on average: of binaries whose CHGNet energy above the hull is at
most 0.2 eV/atom, PBE puts most higher. The library tells by how much, since its crystals have energies by both: each
is measured against the hull of all others, as a candidate is. Results of the campaign count beside that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Composition

from fermiloop.platform.screening.hull import Hulls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Entry = tuple[Mapping[str, float], float, str]

USUAL_ERROR: Final = 0.05
"""eV/atom: standard deviation of a potential's energy differences against the engine's, where no library tells it."""
WEIGHT: Final = 5
"""Results that the library, or `USUAL_ERROR`, counts for beside those measured."""
LEAST_PAIRS: Final = 10  # of the library, below which it tells nothing
MOST_PAIRS: Final = 200  # more cost time and tell no more


@dataclass(frozen=True)
class PotentialError:
    """Of the potential's energies above the hull as predictions of the engine's, eV/atom.

    Parameters
    ----------
    std
        Standard deviation once the bias is taken off.
    bias
        Potential less engine.
    """

    std: float = 0.0
    bias: float = 0.0


def potential_error(own: Iterable[tuple[float, float]], library: Sequence[tuple[float, float]] = ()) -> PotentialError:
    """Bias and standard deviation from pairs of energies above the hull, by the potential and by the engine, eV/atom.

    Parameters
    ----------
    own
        Of the campaign's results.
    library
        Of crystals that are known by both, as `left_out` gives them.
    """
    known, measured = _differences(library), _differences(own)
    bias, square = 0.0, USUAL_ERROR**2
    if len(known) >= LEAST_PAIRS:
        bias, square = float(known.mean()), float(known.var())
    total = WEIGHT + len(measured)
    mean = (WEIGHT * bias + float(measured.sum())) / total
    spread = WEIGHT * (square + (bias - mean) ** 2) + float(((measured - mean) ** 2).sum())
    return PotentialError(float(np.sqrt(spread / total)), mean)


def left_out(cheap: Sequence[Entry], engine: Sequence[Entry], most: float) -> list[tuple[float, float]]:
    """Energies above the hull of all others, of each compound that both know, by the potential and by the engine.

    Parameters
    ----------
    cheap, engine
        Composition, energy in eV per atom and id of all references by each.
    most
        eV/atom by the potential; compounds above it never come to be evaluated and are left out.
    """
    by_engine = {name: energy for _, energy, name in engine}
    both = [one for one in cheap if one[2] in by_engine and len(one[0]) > 1]
    pairs = []
    for amounts, energy, name in both[:: max(1, -(-len(both) // MOST_PAIRS))]:
        ours, theirs = _above(cheap, amounts, energy, name), _above(engine, amounts, by_engine[name], name)
        if ours <= most and np.isfinite(theirs):
            pairs.append((ours, theirs))
    return pairs


def _above(entries: Sequence[Entry], amounts: Mapping[str, float], energy: float, name: str) -> float:
    """Energy above the hull of all entries but the one of a name; NaN without the elements."""
    hulls = Hulls([one for one in entries if one[2] != name and set(one[0]) <= set(amounts)])
    return float("nan") if hulls.missing(frozenset(amounts)) else hulls.above(Composition(dict(amounts)), energy)[0]


def _differences(pairs: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
    found = np.array([one - other for one, other in pairs], dtype=float)
    return found[np.isfinite(found)]
