"""What the search in the latent space asks of a network, and how property labels are scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.crystals import CrystalBatch

    Array = NDArray[np.float64]
    Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class TargetScale:
    """Labels in their units, and as a network learns them.

    Parameters
    ----------
    shift, span
        (n_targets,) zero and unit of the scaled labels.
    """

    shift: Array
    span: Array

    @classmethod
    def standard(cls, targets: Array) -> TargetScale:
        """Mean 0 and spread 1."""
        return cls(np.nanmean(targets, axis=0), _positive(np.nanstd(targets, axis=0)))

    @classmethod
    def unit(cls, targets: Array) -> TargetScale:
        """From 0 to 1."""
        low = np.nanmin(targets, axis=0)
        return cls(low, _positive(np.nanmax(targets, axis=0) - low))

    def scaled(self, targets: Array) -> Array:
        """(n, n_targets) as learned."""
        return (targets - self.shift) / self.span

    def in_units(self, scaled: torch.Tensor) -> torch.Tensor:
        """(n, n_targets) in their units, of what a network gives; gradients pass."""
        shift, span = (torch.tensor(x, dtype=torch.float32) for x in (self.shift, self.span))
        return scaled * span + shift

    def config(self) -> dict[str, Any]:
        """As JSON."""
        return {"shift": self.shift.tolist(), "span": self.span.tolist()}

    @classmethod
    def restore(cls, config: dict[str, Any]) -> TargetScale:
        """Of what `config` gave."""
        return cls(np.array(config["shift"]), np.array(config["span"]))


class LatentModel(Protocol):
    """An autoencoder of crystals that predicts properties."""

    unit_noise: bool
    """Whether perturbations are in latent units, not in standard deviations of the latent points."""

    @property
    def element_dimensions(self) -> int:
        """How many of the first latent dimensions hold the elements and nothing else; 0 where none does."""
        ...

    def fit(
        self, crystals: CrystalBatch, targets: Array, seed: int, progress: Progress, resume: Path | None
    ) -> tuple[float, ...]:
        """Train on (n, n_targets) labels, NaN where there is none; loss by epoch."""
        ...

    def encode(self, crystals: CrystalBatch) -> Array:
        """(n, latent) means."""
        ...

    def decode(self, z: Array, allowed: NDArray[np.bool_] | None = None) -> CrystalBatch:
        """Crystals of (n, latent) points; (104,) `allowed` says which atomic numbers may be chosen."""
        ...

    def predict(self, z: torch.Tensor) -> torch.Tensor:
        """(n, n_targets) properties in their units, differentiable."""
        ...

    def config(self) -> dict[str, Any]:
        """As JSON."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights."""
        ...

    def restore(self, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `config` and `state` gave."""
        ...


def _positive(spans: Array) -> Array:
    return np.where(spans > 0, spans, 1.0)
