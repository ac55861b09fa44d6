"""Latent points for a target, by the strategy of the options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from fermiloop.platform.generators.ftcp import bayesian
from fermiloop.platform.generators.ftcp.latent import between, descended, everywhere, perturbed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.ftcp.latent import LatentSpace
    from fermiloop.platform.generators.ftcp.options import FtcpOptions
    from fermiloop.platform.generators.protocol import Condition

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

CANDIDATES: Final = 4
"""Points that the Bayesian search chooses one from."""


@dataclass(frozen=True)
class Draws:
    """Latent points to decode.

    Parameters
    ----------
    points
        (n, latent).
    parents
        (n,) known crystal that each was made from; -1 for none.
    far
        (n,) distance from the parent in units of perturbation, for ranking where nothing is predicted.
    """

    points: Array
    parents: Ints
    far: Array

    def subset(self, rows: Ints) -> Draws:
        """The points at `rows`."""
        return Draws(self.points[rows], self.parents[rows], self.far[rows])


def draw(
    options: FtcpOptions,
    space: LatentSpace,
    order: Ints,
    n: int,
    rng: np.random.Generator,
    predict: Callable[[torch.Tensor], torch.Tensor],
    windows: Sequence[tuple[int, Condition]],
    labels: Array,
) -> Draws:
    """`n` latent points.

    Parameters
    ----------
    options
        Strategy, scale and number of parents.
    space
        Of the known crystals.
    order
        (k,) known crystals, the best parents first.
    n
        Points.
    rng
        Randomness.
    predict
        Properties of latent points, differentiable.
    windows
        Place among the properties and window of all that is asked for.
    labels
        (k, n_targets) properties of the known crystals.
    """
    parents = np.resize(order[: options.parents], n)
    if options.strategy == "global":
        points, parents = everywhere(space, n, rng), np.full(n, -1)
    elif options.strategy == "slerp":
        points = between(space, parents, rng)
    elif options.strategy == "gradient" and windows:
        start = perturbed(space, parents, options.scale, rng)
        points = descended(space, start, lambda z: _miss(predict(z), windows))
    elif options.strategy == "bayesian" and windows:
        many = np.resize(order[: options.parents], CANDIDATES * n)
        candidates = space.trusted(perturbed(space, many, options.scale, rng))
        bands = np.array([[window.value, window.tolerance] for _, window in windows])
        values = labels[order][:, [place for place, _ in windows]]
        chosen = bayesian.choose(space.points[order], values, bands, candidates, n)
        points, parents = candidates[chosen], many[chosen]
    else:
        points = perturbed(space, parents, options.scale, rng)
    origin = np.where(parents[:, None] >= 0, space.points[parents], space.mean)
    far = np.linalg.norm((points - origin) / np.maximum(space.unit, 1e-9), axis=1)
    return Draws(points, np.asarray(parents, dtype=np.int64), far)


def _miss(predicted: torch.Tensor, windows: Sequence[tuple[int, Condition]]) -> torch.Tensor:
    """(n,) squared distances in scales from the inner half of the windows, and from half a scale inside of a bound."""
    parts = []
    for place, window in windows:
        off = (predicted[:, place] - window.value) / window.scale
        if not window.two_sided:  # beyond the aim all is well
            off = off if window.upwards else -off
            parts.append(torch.relu(-off - 0.5) ** 2)
        else:
            parts.append(torch.relu(off.abs() - 0.5) ** 2)
    return torch.stack(parts).sum(dim=0)
