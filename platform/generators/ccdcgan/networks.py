"""Generators, discriminators and constraint networks, on compact graphs and on the paper's images of 160 × 160.

The published layers are those of Long et al.: a generator of five upsampling convolutions from 5 × 5, a
discriminator and a constraint network of convolutions of stride 2. Of the preset ``graph`` the constraint's last layer
is linear, since a rectified tanh can die; the compact networks are fully connected.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, cast

import torch
from torch import Tensor, nn

from fermiloop.platform.representations.crystal_graph import SIDE, CompactGraph

SHARPNESS: Final = 1.0
"""Temperature of the softmax through which gradients of the choice of elements flow."""


class CompactGenerator(nn.Module):
    """Noise to compact graphs in scaled numbers; the kinds are one-hot, with the softmax's gradient."""

    def __init__(self, graph: CompactGraph, latent: int, width: int) -> None:
        super().__init__()
        self.graph, self.latent = graph, latent
        self.layers = nn.Sequential(
            nn.Linear(latent, width), nn.LayerNorm(width), nn.LeakyReLU(0.2),
            nn.Linear(width, width), nn.LayerNorm(width), nn.LeakyReLU(0.2),
            nn.Linear(width, graph.width),
        )  # fmt: skip

    def forward(self, z: Tensor, allowed: Tensor | None = None) -> Tensor:
        """(n, width) graphs of (n, latent) noise; kinds that are not `allowed`, (kinds,) of bool, are not chosen."""
        raw = self.layers(z)
        cell, slots = raw[:, : self.graph.cell], raw[:, self.graph.cell :].reshape(len(raw), self.graph.slots, -1)
        logits = slots[..., : self.graph.kinds]
        if allowed is not None:
            logits = logits.masked_fill(~allowed, -1e4)
        soft = torch.softmax(logits / SHARPNESS, dim=-1)
        hard = nn.functional.one_hot(soft.argmax(dim=-1), self.graph.kinds).to(soft.dtype)
        kinds = hard + soft - soft.detach()
        there = 1 - hard[..., :1]  # an element that is absent has no amount and no code
        return torch.cat([cell, torch.cat([kinds, slots[..., self.graph.kinds :] * there], dim=-1).flatten(1)], dim=1)


class CompactDiscriminator(nn.Module):
    """How real a compact graph looks; sees how alike the graphs of a batch are, so that they may not all be one."""

    def __init__(self, graph: CompactGraph, width: int) -> None:
        super().__init__()
        normal = nn.utils.parametrizations.spectral_norm
        self.layers = nn.Sequential(
            normal(nn.Linear(graph.width + 1, width)), nn.LeakyReLU(0.2),
            normal(nn.Linear(width, width)), nn.LeakyReLU(0.2),
            normal(nn.Linear(width, 1)),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(n,) logits of (n, width) graphs."""
        spread = x.std(dim=0, unbiased=False).mean().expand(len(x), 1)
        return cast("Tensor", self.layers(torch.cat([x, spread], dim=1))[:, 0])


class CompactConstraint(nn.Module):
    """A property of compact graphs, in its standard deviations about its mean.

    Parameters
    ----------
    graph
        What it reads.
    element_numbers
        (kinds, k) properties of each kind; of "none" all zero.
    width
        Of its layers.
    """

    def __init__(self, graph: CompactGraph, element_numbers: Tensor, width: int) -> None:
        super().__init__()
        self.graph = graph
        self.register_buffer("element_numbers", element_numbers)
        k = element_numbers.shape[1]
        n_in = graph.cell + graph.slots * (graph.slot_width + k) + 3 * k
        self.layers = nn.Sequential(
            nn.Linear(n_in, width), nn.SiLU(), nn.Dropout(0.2),
            nn.Linear(width, width), nn.SiLU(), nn.Dropout(0.2),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(n,) values of (n, width) graphs."""
        cell, slots = x[:, : self.graph.cell], x[:, self.graph.cell :].reshape(len(x), self.graph.slots, -1)
        kinds = slots[..., : self.graph.kinds]
        own = kinds @ cast("Tensor", self.element_numbers)
        amount = torch.expm1(slots[..., self.graph.kinds].clamp(0, 4)) * (1 - kinds[..., 0])
        share = (amount / amount.sum(dim=1, keepdim=True).clamp(min=1e-3))[..., None]
        mean = (share * own).sum(dim=1)
        apart = (share * (own - mean[:, None]).abs()).sum(dim=1)
        widest = own.amax(dim=1) - own.amin(dim=1)
        seen = torch.cat([cell, slots.flatten(1), own.flatten(1), mean, apart, widest], dim=1)
        return cast("Tensor", self.layers(seen)[:, 0])


class PaperGenerator(nn.Module):
    """Noise to (n, 25600) graphs; `share` of the published channels (128, 64, 32, 16, 8)."""

    def __init__(self, latent: int, share: float = 1.0) -> None:
        super().__init__()
        self.latent = latent
        channels = [max(1, round(share * c)) for c in (128, 64, 32, 16, 8)]
        self.first = channels[0]
        layers: list[nn.Module] = []
        for a, b in zip([channels[0], *channels], channels, strict=False):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(a, b, 3, padding=1),
                nn.BatchNorm2d(b, momentum=0.1),
                nn.ReLU(),
            ]
        self.dense = nn.Linear(latent, 25 * channels[0])
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 3, padding=1), nn.Tanh())

    def forward(self, z: Tensor, allowed: Tensor | None = None) -> Tensor:  # noqa: ARG002 - elements are chosen by row
        """(n, 25600) graphs of (n, latent) noise."""
        x = torch.relu(self.dense(z)).view(len(z), self.first, 5, 5)
        return cast("Tensor", self.layers(x).flatten(1))


class PaperDiscriminator(nn.Module):
    """(n,) logits of (n, 25600) graphs; `share` of the published channels (8 to 512)."""

    def __init__(self, share: float = 1.0) -> None:
        super().__init__()
        channels = [1, *(max(1, round(share * c)) for c in (8, 16, 32, 64, 128, 256, 512))]
        layers: list[nn.Module] = []
        for a, b in pairwise(channels):
            layers += [nn.Conv2d(a, b, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.25)]
        last = channels[-1]
        layers += [nn.Conv2d(last, last, 3, 1, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(4 * last, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n,) logits."""
        return cast("Tensor", self.layers(x.view(-1, 1, SIDE, SIDE))[:, 0])


class PaperConstraint(nn.Module):
    """(n,) values of (n, 25600) graphs; `share` of the published widths (512, 256, 128, 64).

    Published is `rectified`: no rectifier after the last convolution, a rectified tanh at the end, which can die.
    """

    def __init__(self, share: float = 1.0, rectified: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in zip((1, 2, 4, 8, 16), (2, 4, 8, 16, 32), strict=True):
            layers += [nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.2)]
        layers = layers[:-1] if rectified else layers
        wide = max(4, round(share * 512))
        sizes = (32 * 25, wide, wide, wide, wide, max(4, wide // 2), max(4, wide // 4), max(4, wide // 8))
        layers += [nn.Flatten(), nn.Dropout(0.25)]
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.ReLU()]
        ends: list[nn.Module] = [nn.Tanh(), nn.ReLU()] if rectified else []
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 1), *ends)

    def forward(self, x: Tensor) -> Tensor:
        """(n,) values, in standard deviations about the mean; if rectified, between 0 and 1."""
        return cast("Tensor", self.layers(x.view(-1, 1, SIDE, SIDE))[:, 0])
