"""Codes of crystals as rows that networks learn from, and the networks that go with them.

A `CompactSpace` keeps the principal components of the elements' codes, each row in scaled numbers; the norm of an
absent element's row is zero by construction. A `PaperSpace` is the published image of 160 × 160, divided by the
largest number in it; an element is there if the norm of its row reaches that of the weakest one of the training set.
How the paper itself reads its image is `published.PublishedSpace`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.networks import (
    CompactConstraint,
    CompactDiscriminator,
    CompactGenerator,
    FollowingGenerator,
    PaperConstraint,
    PaperDiscriminator,
    PaperGenerator,
)
from fermiloop.platform.predictors.element_table import element_table
from fermiloop.platform.representations.crystal_graph import SITE_CODE, Codes, CompactGraph, PaperGraph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions

    Array = NDArray[np.float64]

FULL_WIDTH: Final = 256
"""Option ``width`` at which the networks on images of 160 × 160 have the published channels."""
NONE_FITS: Final = "No crystal fits ccdcgan's box, slots and limits; give it smaller crystals or wider ones."


class Space(Protocol):
    """Rows of numbers for codes, and networks on them."""

    width: int
    published: bool
    """Whether networks on it are trained to the letter of the paper."""

    def rows(self, codes: Sequence[Codes]) -> Tensor:
        """(n, width) rows of codes."""
        ...

    def codes(self, rows: Tensor, allowed: Sequence[int] | None = None) -> list[Codes]:
        """Codes of (n, width) rows; other elements than the `allowed` ones are left out."""
        ...

    def mask(self, allowed: Sequence[int], fewest: int) -> Tensor | None:
        """What a generator may choose, for crystals of these and of at least so many elements; None for anything."""
        ...

    def smooth(self) -> Tensor:
        """(width,) 1 for numbers that vary continuously and may be blurred, 0 for choices."""
        ...

    def generator(self) -> nn.Module:
        """An untrained generator."""
        ...

    def discriminator(self) -> nn.Module:
        """An untrained discriminator."""
        ...

    def constraint(self) -> nn.Module:
        """An untrained model of a property."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned of the codes."""
        ...


class CompactSpace:
    """Cell code, then a slot of identity, amount and code for each element; see `CompactGraph`.

    Parameters
    ----------
    options
        Sizes.
    arrays
        What `state` gave.
    """

    published = False

    def __init__(self, options: CcdcganOptions, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.options, self.arrays = options, {name: np.asarray(value) for name, value in arrays.items()}
        self.axes, self.middle = self.arrays["axes"], self.arrays["middle"]
        self.cell_middle, self.cell_scale = self.arrays["cell_middle"], self.arrays["cell_scale"]
        elements = [int(z) for z in self.arrays["elements"]]
        self.graph = CompactGraph(elements, options.slots, len(self.cell_middle), len(self.axes))
        self.width = self.graph.width

    @classmethod
    def learned(cls, options: CcdcganOptions, codes: Sequence[Codes]) -> CompactSpace:
        """Principal components and scales of training codes.

        Raises
        ------
        InputError
            If there are none.
        """
        if not codes:
            raise InputError(NONE_FITS)
        sites, cells = np.concatenate([item.sites for item in codes]), np.stack([item.cell for item in codes])
        middle = sites.mean(axis=0)
        _, strength, axes = np.linalg.svd(sites - middle, full_matrices=False)
        axes = axes[: options.components]
        scale = max(float(strength[0]) / len(sites) ** 0.5, 1e-6)
        return cls(
            options,
            {
                "axes": axes / scale,
                "middle": middle,
                "cell_middle": cells.mean(axis=0),
                "cell_scale": np.maximum(cells.std(axis=0), 1e-3),
                "elements": np.array(sorted({z for item in codes for z in item.elements})),
            },
        )

    def rows(self, codes: Sequence[Codes]) -> Tensor:
        """(n, width) rows of codes."""
        packed = [
            self.graph.pack(
                Codes(
                    (item.cell - self.cell_middle) / self.cell_scale,
                    item.elements,
                    item.amounts,
                    (item.sites - self.middle) @ self.axes.T,
                )
            )
            for item in codes
        ]
        return torch.as_tensor(np.array(packed).reshape(-1, self.width), dtype=torch.float32)

    def codes(self, rows: Tensor, allowed: Sequence[int] | None = None) -> list[Codes]:
        """Codes of (n, width) rows."""
        back = self.axes / (self.axes**2).sum(axis=1, keepdims=True)
        made = []
        for row in rows.detach().double().numpy():
            item = self.graph.unpack(row)
            there = [i for i, z in enumerate(item.elements) if allowed is None or z in allowed]
            made.append(
                Codes(
                    item.cell * self.cell_scale + self.cell_middle,
                    tuple(item.elements[i] for i in there),
                    item.amounts[there],
                    item.sites[there] @ back + self.middle,
                )
            )
        return made

    def mask(self, allowed: Sequence[int], fewest: int) -> Tensor | None:
        """(slots, kinds) whether a slot may hold a kind; the first `fewest` slots may not stay empty.

        Raises
        ------
        InputError
            If none of the elements was learned, or there are not slots enough.
        """
        known = [number in allowed for number in self.graph.elements]
        if not any(known):
            raise InputError("ccdcgan has learned from no crystal that holds an element of this space; train it again.")
        if fewest > self.graph.slots:
            raise InputError(f"ccdcgan has {self.graph.slots} slots, too few for {fewest} elements; raise its slots.")
        mask = torch.tensor([[True, *known]] * self.graph.slots)
        mask[:fewest, 0] = False
        return mask

    def smooth(self) -> Tensor:
        """(width,) 0 for the kinds, 1 for all else."""
        slots = torch.ones(self.graph.slots, self.graph.slot_width)
        slots[:, : self.graph.kinds] = 0
        return torch.cat([torch.ones(self.graph.cell), slots.flatten()])

    def generator(self) -> nn.Module:
        """An untrained generator."""
        if self.options.elements_first:
            return FollowingGenerator(self.graph, self._element_numbers(), self.options.latent, self.options.width)
        return CompactGenerator(self.graph, self.options.latent, self.options.width)

    def discriminator(self) -> nn.Module:
        """An untrained discriminator."""
        told = self._element_numbers() if self.options.elements_first else None
        return CompactDiscriminator(self.graph, self.options.width, told)

    def constraint(self) -> nn.Module:
        """An untrained model of a property."""
        return CompactConstraint(self.graph, self._element_numbers(), self.options.width)

    def _element_numbers(self) -> Tensor:
        """(kinds, k) properties of the elements, scaled; of "none" all zero."""
        table = element_table()
        scaled = (table - table[1:].mean(axis=0)) / table[1:].std(axis=0)
        numbers = np.vstack([np.zeros(table.shape[1]), scaled[list(self.graph.elements)]])
        return torch.as_tensor(numbers, dtype=torch.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned of the codes."""
        return dict(self.arrays)


class PaperSpace:
    """Graphs of 160 × 160 as flat rows between -1 and 1.

    Parameters
    ----------
    options
        Sizes.
    arrays
        What `state` gave.
    """

    published = False

    def __init__(self, options: CcdcganOptions, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.options, self.arrays = options, {name: np.asarray(value) for name, value in arrays.items()}
        self.scale, self.least_norm = (float(self.arrays[name][0]) for name in ("scale", "least_norm"))
        self.graph = PaperGraph()
        self.width = self.graph.shape[0] * self.graph.shape[1]

    @classmethod
    def learned(cls, options: CcdcganOptions, codes: Sequence[Codes]) -> PaperSpace:
        """Scale and least norm of training codes.

        Raises
        ------
        InputError
            If there are none.
        """
        if not codes:
            raise InputError(NONE_FITS)
        largest = max(max(float(np.abs(item.cell).max()), float(np.abs(item.sites).max())) for item in codes)
        norm = min(float(np.linalg.norm(item.sites, axis=1).min()) for item in codes)
        return cls(options, {"scale": np.array([max(largest, 1e-6)]), "least_norm": np.array([norm])})

    def rows(self, codes: Sequence[Codes]) -> Tensor:
        """(n, 25600) rows of codes."""
        made = torch.zeros(len(codes), self.width)
        for row, item in zip(made, codes, strict=True):
            row.copy_(torch.as_tensor(self.graph.pack(item).ravel() / self.scale))
        return made

    def codes(self, rows: Tensor, allowed: Sequence[int] | None = None) -> list[Codes]:
        """Codes of (n, 25600) rows: of the strongest allowed elements whose norms reach the training set's."""
        graphs = rows.detach().double().numpy() * self.scale
        if allowed is not None:
            barred = np.setdiff1d(np.arange(1, 119), np.asarray(allowed)) - 1
            places = (160 + SITE_CODE * barred[:, None] + np.arange(SITE_CODE)).ravel()
            graphs[:, places] = 0
        limit = self.least_norm * (1 - 1e-6)
        return [self.graph.unpack(graph, limit, self.options.slots) for graph in graphs]

    def mask(self, allowed: Sequence[int], fewest: int) -> Tensor | None:  # noqa: ARG002 - rows are chosen by norm
        """None: which elements are there shows in the rows alone."""
        return None

    def smooth(self) -> Tensor:
        """(25600,) all 1: noise hides the tiny numbers by which absent rows would betray a generator."""
        return torch.ones(self.width)

    def generator(self) -> nn.Module:
        """An untrained generator."""
        return PaperGenerator(self.options.latent, self.options.width / FULL_WIDTH)

    def discriminator(self) -> nn.Module:
        """An untrained discriminator."""
        return PaperDiscriminator(self.options.width / FULL_WIDTH)

    def constraint(self) -> nn.Module:
        """An untrained model of a property."""
        return PaperConstraint(self.options.width / FULL_WIDTH)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned of the codes."""
        return dict(self.arrays)
