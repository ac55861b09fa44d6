"""Where to look in a latent space: around known crystals, between them, everywhere, or along a gradient.

Local perturbation, Slerp and global sampling as Ren et al. (Matter 5, 314, 2022); the searches keep to a trust
region, the Mahalanobis distance within which nearly all known crystals lie, and never assume N(0, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

TRUST: Final = 95.0
"""Percentile of the known crystals' distances that bounds the trust region."""
RIDGE: Final = 1e-3
"""Of the mean variance, added to the covariance."""
PARALLEL: Final = 1e-6
STEPS: Final = 60
STEP_SIZE: Final = 0.03  # of a standard deviation


@dataclass(frozen=True)
class LatentSpace:
    """Latent points of known crystals, and the Gaussian around them.

    Parameters
    ----------
    points
        (n, latent).
    unit
        (latent,) unit of perturbations.
    """

    points: Array
    unit: Array

    @classmethod
    def around(cls, points: Array, unit_noise: bool) -> LatentSpace:
        """Of known points; perturbations in latent units, or in standard deviations."""
        spread = points.std(axis=0)
        return cls(points, np.ones_like(spread) if unit_noise else spread)

    def keeping(self, first: int, share: float) -> LatentSpace:
        """The same, where all but the `first` dimensions are perturbed by a share of their unit."""
        factors = np.where(np.arange(len(self.unit)) < first, 1.0, share)
        return LatentSpace(self.points, self.unit * factors)

    @property
    def mean(self) -> Array:
        """(latent,)."""
        return np.asarray(self.points.mean(axis=0))

    def root(self) -> Array:
        """(latent, latent) lower Cholesky factor of the covariance, kept away from zero."""
        centred = self.points - self.mean
        covariance = centred.T @ centred / max(len(centred) - 1, 1)
        ridge = RIDGE * max(float(np.trace(covariance)) / len(covariance), 1e-6)
        return np.asarray(np.linalg.cholesky(covariance + ridge * np.eye(len(covariance))))

    def distances(self, z: Array) -> Array:
        """(n,) Mahalanobis distances from the mean."""
        return np.asarray(np.linalg.norm(np.linalg.solve(self.root(), (z - self.mean).T), axis=0))

    def radius(self) -> float:
        """Of the trust region."""
        return float(np.percentile(self.distances(self.points), TRUST))

    def trusted(self, z: Array) -> Array:
        """Points as they are, or drawn back to the edge of the trust region."""
        shrink = np.minimum(1.0, self.radius() / np.maximum(self.distances(z), 1e-12))
        return self.mean + shrink[:, None] * (z - self.mean)


def perturbed(space: LatentSpace, parents: Ints, scale: float, rng: np.random.Generator) -> Array:
    """(n, latent) points around the parents; with scale 0 the parents themselves."""
    noise = rng.standard_normal((len(parents), space.points.shape[1]))
    return space.points[parents] + scale * space.unit * noise


def slerp(start: Array, end: Array, share: float) -> Array:
    """The point a share of the way from one to the other, on the arc between their directions.

    Norms are interpolated linearly; parallel points are joined by a line.

    Raises
    ------
    InputError
        If the points are opposite each other, where no arc is the shortest.
    """
    norms = np.linalg.norm(start), np.linalg.norm(end)
    if min(norms) < PARALLEL:
        return (1 - share) * start + share * end
    one, other = start / norms[0], end / norms[1]
    angle = np.arccos(np.clip(one @ other, -1, 1))
    if np.pi - angle < PARALLEL:
        raise InputError("Two latent points lie opposite each other, so no arc joins them; choose other parents.")
    if np.sin(angle) < PARALLEL:
        return (1 - share) * start + share * end
    direction = (np.sin((1 - share) * angle) * one + np.sin(share * angle) * other) / np.sin(angle)
    return np.asarray(direction * ((1 - share) * norms[0] + share * norms[1]))


def between(space: LatentSpace, parents: Ints, rng: np.random.Generator) -> Array:
    """(n, latent) points on arcs from each parent to another, random one, at a random share of the way.

    The arc is about the origin of the latent space; a parent that has no other stays where it is.
    """
    others = rng.permutation(parents)
    shares = rng.uniform(0.1, 0.9, len(parents))
    found = []
    for a, b, share in zip(parents, others, shares, strict=True):
        found.append(slerp(space.points[a], space.points[b], float(share)))
    return np.array(found).reshape(len(parents), space.points.shape[1])


def everywhere(space: LatentSpace, n: int, rng: np.random.Generator) -> Array:
    """(n, latent) points of the Gaussian of the known crystals."""
    noise = rng.standard_normal((n, space.points.shape[1]))
    return space.mean + noise @ space.root().T


def descended(space: LatentSpace, start: Array, miss: Callable[[torch.Tensor], torch.Tensor]) -> Array:
    """Points moved downhill in `miss` by Adam, within the trust region.

    Parameters
    ----------
    space
        Gives the trust region and the step.
    start
        (n, latent).
    miss
        (n, latent) points to (n,) how far each is from the target, differentiable.
    """
    unit = torch.tensor(np.maximum(space.unit, 1e-6), dtype=torch.float32)
    origin = torch.tensor(start, dtype=torch.float32)
    moved = torch.zeros_like(origin, requires_grad=True)
    optimiser = torch.optim.Adam([moved], lr=STEP_SIZE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        miss(origin + unit * moved).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return space.trusted((origin + unit * moved).detach().numpy().astype(float))
