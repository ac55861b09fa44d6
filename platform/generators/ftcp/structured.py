"""FTCP-H: an autoencoder whose decoder speaks of elements, sites and cells, not of pixels.

Elements are softmaxes tied to element vectors, sites choose a slot or 'empty', coordinates are angles, the cell is
scaled by the number of atoms. Each element slot has latent dimensions of its own, encoded and decoded linearly and
alike in every slot, so that combinations of elements never seen are rebuilt as well as those seen; the rest of the
latent space holds the geometry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fermiloop.platform.generators.ftcp.codec import Codes
from fermiloop.platform.predictors.device import normal
from fermiloop.platform.representations.element_bins import N_BINS, N_ELEMENTS, element_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

EMBEDDING: Final = 48
ELEMENT_SHARE: Final = 0.4
"""Of the latent dimensions, for the element slots."""
LOG_VARIANCE: Final = (-10.0, 4.0)
JITTER: Final = 0.002
"""Of the coordinates that the encoder sees in training."""
CLASSES: Final = N_ELEMENTS + 1


class StructuredVae(nn.Module):
    """The network.

    Parameters
    ----------
    max_elements, max_sites
        Slots and sites.
    latent
        Dimensions of the latent space.
    width
        Hidden units.
    n_targets
        Properties.
    """

    vectors: Tensor

    def __init__(self, max_elements: int, max_sites: int, latent: int, width: int, n_targets: int) -> None:
        super().__init__()
        self.slots, self.sites, self.latent = max_elements, max_sites, latent
        self.code = max(int(ELEMENT_SHARE * latent) // max_elements, 1)
        rest = latent - max_elements * self.code
        self.register_buffer("vectors", torch.tensor(element_vectors(), dtype=torch.float32), persistent=False)
        self.embed = nn.Linear(N_BINS, EMBEDDING)
        self.element_in = nn.Linear(CLASSES, self.code)
        self.element_out = nn.Linear(self.code, CLASSES)
        self.tie = nn.Linear(N_BINS, self.code, bias=False)
        described = max_sites * (max_elements + 1 + 6) + 6
        self.encoder = _stack(max_elements * EMBEDDING + described, width, rest + latent)
        self.decoder = _stack(latent, width, described)
        self.branch = nn.Sequential(
            nn.Linear(latent, 128), nn.GELU(), nn.Linear(128, 128), nn.GELU(), nn.Linear(128, n_targets)
        )

    def encode(self, codes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Mean and log variance, (n, latent) each, of (elements, slots, frac, lattice)."""
        elements, slots, frac, lattice = codes
        there = (slots < self.slots).float()[..., None]
        seen = (
            self.embed(self.vectors[elements]).flatten(1),
            functional.one_hot(slots, self.slots + 1).float().flatten(1),
            (on_circle(frac) * there).flatten(1),
            lattice,
        )
        hidden = self.encoder(torch.cat(seen, dim=1))
        geometry, log_variance = torch.split(hidden, [self.latent - self.coded, self.latent], dim=1)
        names = self.element_in(functional.one_hot(elements, CLASSES).float()).flatten(1)
        return torch.cat([names, geometry], dim=1), log_variance.clamp(*LOG_VARIANCE)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of elements (n, slots, 104) and sites (n, sites, slots + 1), points on circles, lattice (n, 6)."""
        names = z[:, : self.coded].view(-1, self.slots, self.code)
        elements = self.element_out(names) + names @ self.tie(self.vectors).T
        described = self.decoder(z)
        widths = [self.sites * (self.slots + 1), self.sites * 6, 6]
        places, circles, lattice = torch.split(described, widths, dim=1)
        return elements, places.view(-1, self.sites, self.slots + 1), circles.view(-1, self.sites, 6), lattice

    def targets(self, z: Tensor) -> Tensor:
        """(n, n_targets) standardised properties."""
        return self.branch(z)

    def loss(self, codes: Sequence[Tensor], targets: Tensor, beta: float, random: torch.Generator) -> Tensor:
        """Mean loss of a batch; NaN targets do not count.

        Parameters
        ----------
        codes
            (elements, slots, frac, lattice).
        targets
            (n, n_targets) standardised, NaN where unlabelled.
        beta
            Weight of the Kullback-Leibler term of a crystal.
        random
            Of the noise.
        """
        elements, slots, frac, lattice = codes
        shaken = frac + JITTER * normal(frac.shape, random, frac.device)
        mean, log_variance = self.encode((elements, slots, shaken, lattice))
        z = mean + normal(mean.shape, random, mean.device) * (log_variance / 2).exp()
        names, places, circles, cell = self.decode(z)
        there = (slots < self.slots).float()[..., None]
        parts = (
            2 * functional.cross_entropy(names.flatten(0, 1), elements.flatten(), reduction="sum"),
            functional.cross_entropy(places.flatten(0, 1), slots.flatten(), reduction="sum"),
            5 * ((on_circle(frac) - circles) ** 2 * there).sum(),
            5 * functional.smooth_l1_loss(cell, lattice, reduction="sum", beta=0.1),
            -0.5 * beta * (1 + log_variance - mean**2 - log_variance.exp()).sum(),
            labelled_loss(self.targets(z), targets),
        )
        return torch.stack(parts).sum() / len(elements)

    @property
    def coded(self) -> int:
        """Latent dimensions of all element slots, the first ones."""
        return self.slots * self.code


def labelled_loss(found: Tensor, targets: Tensor) -> Tensor:
    """Smooth absolute error, summed over the labelled members."""
    labelled = ~torch.isnan(targets)
    return functional.smooth_l1_loss(found[labelled], targets[labelled], reduction="sum")


def as_tensors(codes: Codes) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(elements, slots, frac, lattice)."""
    return (
        torch.from_numpy(codes.elements),
        torch.from_numpy(codes.slots),
        torch.from_numpy(codes.frac),
        torch.from_numpy(codes.lattice),
    )


def as_codes(decoded: Sequence[Tensor]) -> Codes:
    """The likeliest crystal of what the decoder gave."""
    elements, places, circles, lattice = decoded
    cosine, sine = torch.split(circles, 3, dim=-1)
    frac = torch.atan2(sine, cosine) / (2 * np.pi) % 1
    return Codes(elements.argmax(-1).numpy(), places.argmax(-1).numpy(), frac.numpy(), lattice.numpy())


def on_circle(frac: Tensor) -> Tensor:
    """(…, 6) cosines and sines of (…, 3) fractional coordinates."""
    angle = 2 * np.pi * frac
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


def _stack(n_in: int, width: int, n_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n in (n_in, width):
        layers += [nn.Linear(n, width), nn.LayerNorm(width), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(width, n_out))
