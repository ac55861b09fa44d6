"""How unlike two crystals are by the surroundings of their atoms, as FTCP's paper measures it.

Each site is described by CrystalNN's weights of its coordination numbers and, for each number, by order parameters of
the motifs that it may form (Zimmermann and Jain, RSC Adv. 10, 6063, 2020: the fingerprint ``ops`` with no cut-offs of
distance and no weight on electronegativity); a crystal by mean, standard deviation, least and greatest over its sites.
The dissimilarity is the Euclidean distance; elements do not count. Above 0.75 the paper speaks of another structure.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core.local_env import CN_OPT_PARAMS, CrystalNN, LocalStructOrderParams

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pymatgen.core import Structure

    Array = NDArray[np.float64]

LARGEST: Final = 24
"""Coordination number up to which there is a weight."""
STEINHARDT: Final = dict.fromkeys((9, 10, 11, 12), ("q2", "q4", "q6"))
"""What describes coordination numbers that have no motif, or few."""


def dissimilarity(one: Array, other: Array) -> float:
    """Distance of two fingerprints; NaN where one of them is unknown."""
    return float(np.linalg.norm(one - other))


def fingerprint(structure: Structure) -> Array:
    """(4 · 61,) mean, standard deviation, least and greatest of the sites' numbers; NaN where CrystalNN finds none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # oxidation states are not needed
            sites = np.array([_site(structure, place) for place in range(len(structure))])
    except (ValueError, RuntimeError, IndexError, ZeroDivisionError):  # a site without neighbours
        return np.full(4 * _width(), np.nan)
    return np.concatenate([sites.mean(axis=0), sites.std(axis=0), sites.min(axis=0), sites.max(axis=0)])


def _site(structure: Structure, place: int) -> list[float]:
    found = _neighbours().get_nn_data(structure, place)
    numbers: list[float] = []
    for coordination in range(1, LARGEST + 1):
        weight = float(found.cn_weights.get(coordination, 0.0))
        numbers.append(weight)
        for parameters in _motifs().get(coordination, ()):
            if weight == 0:
                numbers.append(0.0)
                continue
            around = [neighbour["site"] for neighbour in found.cn_nninfo[coordination]]
            order = parameters.get_order_parameters(
                [structure[place], *around], 0, indices_neighs=list(range(1, len(around) + 1))
            )[0]
            numbers.append(weight * float(order or 0.0))
    return numbers


@cache
def _neighbours() -> Any:
    return CrystalNN(distance_cutoffs=None, x_diff_weight=0)  # type: ignore[no-untyped-call]


@cache
def _motifs() -> dict[int, tuple[Any, ...]]:
    """Order parameters of the motifs of each coordination number."""
    kinds: dict[int, list[tuple[Any, ...]]] = {1: [("sgl_bd",)]}
    kinds |= {
        int(coordination): [tuple(one) for one in motifs.values()] for coordination, motifs in CN_OPT_PARAMS.items()
    }
    for coordination, names in STEINHARDT.items():
        kinds[coordination] = [*kinds.get(coordination, []), *((name,) for name in names)]
    return {
        coordination: tuple(
            LocalStructOrderParams([kind], parameters=[more[0] if more else None]) for kind, *more in ones
        )
        for coordination, ones in kinds.items()
    }


def _width() -> int:
    return LARGEST + sum(len(motifs) for motifs in _motifs().values())
