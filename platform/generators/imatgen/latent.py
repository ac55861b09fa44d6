"""Where to look in a latent space: between two codes, around their mean, around one.

Spherical interpolation (Shoemake, SIGGRAPH 1985) keeps to the shell where high-dimensional codes lie. The angle is
taken between the directions and the length is interpolated linearly; the paper's published script does neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

STRAIGHT: Final = 1e-6
"""Sine of the angle below which the way is a straight line."""
STEPS: Final = 19
"""Points between two known crystals, as in the paper."""


def slerp(a: ArrayLike, b: ArrayLike, share: ArrayLike) -> Array:
    """Points on the way from `a` to `b`.

    Parameters
    ----------
    a, b
        (d,) codes.
    share
        (n,) 0 at `a`, 1 at `b`.

    Returns
    -------
    (n, d) codes.

    Raises
    ------
    InputError
        If the codes point in opposite directions, or one is 0, so that the way is undetermined.
    """
    a, b, t = np.asarray(a, dtype=float), np.asarray(b, dtype=float), np.atleast_1d(np.asarray(share, dtype=float))
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) == 0:
        raise InputError("A latent code of zero length has no direction to interpolate from; use another crystal.")
    one, two = a / lengths[0], b / lengths[1]
    cosine = float(np.clip(one @ two, -1, 1))
    angle = np.arccos(cosine)
    if np.sin(angle) < STRAIGHT:
        if cosine < 0:
            raise InputError("Two latent codes point in opposite directions; there is no one way between them.")
        return np.asarray(a + t[:, None] * (b - a))
    direction = (np.sin((1 - t) * angle)[:, None] * one + np.sin(t * angle)[:, None] * two) / np.sin(angle)
    return np.asarray(((1 - t) * lengths[0] + t * lengths[1])[:, None] * direction)


def between(a: ArrayLike, b: ArrayLike, n: int = STEPS) -> Array:
    """(n, d) codes evenly on the way from `a` to `b`, both left out."""
    return slerp(a, b, np.arange(1, n + 1) / (n + 1))


def around_mean(codes: Array, n: int, rng: np.random.Generator, spread: float = 1.0) -> Array:
    """(n, d) normal samples with the mean and `spread` times the standard deviation of (m, d) codes."""
    return np.asarray(codes.mean(axis=0) + spread * codes.std(axis=0) * rng.normal(size=(n, codes.shape[1])))


def around(code: Array, n: int, rng: np.random.Generator, radius: float) -> Array:
    """(n, d) points at a distance from one (d,) code, in random directions."""
    steps = rng.normal(size=(n, len(code)))
    return np.asarray(code + radius * steps / np.linalg.norm(steps, axis=1, keepdims=True))
