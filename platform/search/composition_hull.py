"""The lower hull of energies over compositions: what a search at variable composition measures its crystals by.

The energy of the hull at a composition is the least that any mixture of known crystals of this composition has: a
linear program, exact for any number of elements, and quick where there are a few hundred crystals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def hull_energies(fractions: Array, energies: Array, asked: Array) -> Array:
    """(m,) energy of the hull at each asked composition, eV per atom.

    Parameters
    ----------
    fractions
        (n, k) atomic fractions of what is known.
    energies
        (n,) eV per atom.
    asked
        (m, k) atomic fractions.

    Raises
    ------
    InputError
        If a composition is no mixture of what is known.
    """
    found = np.empty(len(asked))
    for i, composition in enumerate(asked):
        solved = linprog(energies, A_eq=fractions.T, b_eq=composition, bounds=(0, None), method="highs")
        if solved.status != 0:
            raise InputError("A composition lies outside the hull: give each of its elements an energy of its own.")
        found[i] = solved.fun
    return found


def above_hull(fractions: Array, energies: Array) -> Array:
    """(n,) energy of each known crystal above the hull of all of them, eV per atom; never negative.

    Parameters
    ----------
    fractions
        (n, k) atomic fractions.
    energies
        (n,) eV per atom.
    """
    rows, places = np.unique(np.round(fractions, 9), axis=0, return_inverse=True)
    lowest = np.full(len(rows), np.inf)
    np.minimum.at(lowest, places.ravel(), energies)
    return np.maximum(energies - hull_energies(rows, lowest, rows)[places.ravel()], 0.0)


def depth(fractions: Array, energies: Array, grid: Array) -> float:
    """Mean depth of the hull below zero over compositions, eV per atom: how much stability has been found.

    Parameters
    ----------
    fractions, energies
        (n, k) and (n,) of what is known, relative to the elements; elements at zero are added.
    grid
        (m, k) compositions over which the mean is taken.
    """
    ends = np.eye(fractions.shape[1])
    rows, values = np.concatenate([ends, fractions]), np.concatenate([np.zeros(len(ends)), energies])
    return float(-hull_energies(rows, np.asarray(values), grid).mean())
