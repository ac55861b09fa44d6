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

from fermiloop.platform.representations.crystal_graph import SIDE, CompactGraph, by_electronegativity

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


class FollowingGenerator(nn.Module):
    """Chooses the elements from a part of the noise, then makes cell, amounts and sites that go with them.

    What is made follows the elements, so that those of a space, which may be no likely choice, still get a cell of
    their own size. Slots hold elements by rising electronegativity, each once.

    Parameters
    ----------
    graph
        What it makes.
    element_numbers
        (kinds, k) properties of each kind; of "none" all zero.
    latent, width
        Noise and layers.
    """

    def __init__(self, graph: CompactGraph, element_numbers: Tensor, latent: int, width: int) -> None:
        super().__init__()
        self.graph, self.latent, self.for_kinds = graph, latent, max(1, latent // 4)
        self.register_buffer("element_numbers", element_numbers)
        order = ranks(graph)
        self.register_buffer("later", order[None] > order[:, None])
        self.choose = nn.Sequential(
            nn.Linear(self.for_kinds, width), nn.LeakyReLU(0.2), nn.Linear(width, graph.slots * graph.kinds)
        )
        n_in = latent - self.for_kinds + graph.slots * element_numbers.shape[1]
        self.layers = nn.Sequential(
            nn.Linear(n_in, width), nn.LayerNorm(width), nn.LeakyReLU(0.2),
            nn.Linear(width, width), nn.LayerNorm(width), nn.LeakyReLU(0.2),
            nn.Linear(width, graph.cell + graph.slots * (1 + graph.site)),
        )  # fmt: skip

    def forward(self, z: Tensor, allowed: Tensor | None = None) -> Tensor:
        """(n, width) graphs of (n, latent) noise; of kinds only those `allowed`, (slots, kinds) of bool."""
        kinds = self._kinds(self.choose(z[:, : self.for_kinds]).view(len(z), self.graph.slots, -1), allowed)
        own = kinds @ cast("Tensor", self.element_numbers)
        made = self.layers(torch.cat([z[:, self.for_kinds :], own.flatten(1)], dim=1))
        slots = made[:, self.graph.cell :].view(len(z), self.graph.slots, -1) * (1 - kinds[..., :1])
        return torch.cat([made[:, : self.graph.cell], torch.cat([kinds, slots], dim=-1).flatten(1)], dim=1)

    def _kinds(self, logits: Tensor, allowed: Tensor | None) -> Tensor:
        """(n, slots, kinds) one-hot, with the softmax's gradient; a slot may hold what comes after the slot before."""
        later = cast("Tensor", self.later)
        if allowed is None:
            allowed = torch.ones(logits.shape[1:], dtype=torch.bool, device=logits.device)
            allowed[0, 0] = False
        room, found = self._room(allowed), []
        free = torch.ones_like(logits[:, 0], dtype=torch.bool)
        for place in range(self.graph.slots):
            open_ = free & room[place]
            open_[:, 0] |= ~open_.any(dim=1)
            soft = torch.softmax(logits[:, place].masked_fill(~open_, -1e4) / SHARPNESS, dim=-1)
            hard = nn.functional.one_hot(soft.argmax(dim=-1), self.graph.kinds).to(soft.dtype)
            free = later[hard.argmax(dim=-1)]
            found.append(hard + soft - soft.detach())
        return torch.stack(found, dim=1)

    def _room(self, allowed: Tensor) -> Tensor:
        """(slots, kinds) the allowed kinds after which those slots that may not stay empty can still be filled."""
        later, room = cast("Tensor", self.later), allowed.clone()
        for place in range(len(allowed) - 2, -1, -1):
            if not bool(allowed[place + 1, 0]):
                room[place] &= (later & room[place + 1]).any(dim=1)
        return room


def ranks(graph: CompactGraph) -> Tensor:
    """(kinds,) places of the kinds in the order of slots, "none" last, which may follow itself."""
    order = torch.full((graph.kinds,), float("inf"))
    for place, i in enumerate(by_electronegativity(graph.elements)):
        order[1 + i] = place
    return order


class CompactDiscriminator(nn.Module):
    """How real a compact graph looks; sees how alike the graphs of a batch are, so that they may not all be one.

    Parameters
    ----------
    graph
        What it reads.
    width
        Of its layers.
    element_numbers
        (kinds, k) properties of each kind, of which it is told, too; None where it is not.
    """

    element_numbers: Tensor | None

    def __init__(self, graph: CompactGraph, width: int, element_numbers: Tensor | None = None) -> None:
        super().__init__()
        normal = nn.utils.parametrizations.spectral_norm
        self.graph = graph
        self.register_buffer("element_numbers", element_numbers)
        told = 0 if element_numbers is None else (graph.slots + 3) * element_numbers.shape[1]
        self.layers = nn.Sequential(
            normal(nn.Linear(graph.width + 1 + told, width)), nn.LeakyReLU(0.2),
            normal(nn.Linear(width, width)), nn.LeakyReLU(0.2),
            normal(nn.Linear(width, 1)),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(n,) logits of (n, width) graphs."""
        spread = x.std(dim=0, unbiased=False).mean().expand(len(x), 1)
        seen = [x, spread]
        if self.element_numbers is not None:
            seen += properties_of(x, self.graph, self.element_numbers)
        return cast("Tensor", self.layers(torch.cat(seen, dim=1))[:, 0])


def properties_of(x: Tensor, graph: CompactGraph, element_numbers: Tensor) -> list[Tensor]:
    """Properties of the elements of (n, width) graphs: of each slot, their mean by amounts, spread and range."""
    slots = x[:, graph.cell :].reshape(len(x), graph.slots, -1)
    kinds = slots[..., : graph.kinds]
    own = kinds @ element_numbers
    amount = torch.expm1(slots[..., graph.kinds].clamp(0, 4)) * (1 - kinds[..., 0])
    share = (amount / amount.sum(dim=1, keepdim=True).clamp(min=1e-3))[..., None]
    mean = (share * own).sum(dim=1)
    apart = (share * (own - mean[:, None]).abs()).sum(dim=1)
    return [own.flatten(1), mean, apart, own.amax(dim=1) - own.amin(dim=1)]


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
        seen = torch.cat([x, *properties_of(x, self.graph, cast("Tensor", self.element_numbers))], dim=1)
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
