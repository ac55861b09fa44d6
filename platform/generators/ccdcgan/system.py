"""A preset's graph with its networks: the one place that tells the two presets apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.networks import (
    CompactConstraint,
    CompactDiscriminator,
    CompactGenerator,
    PaperConstraint,
    PaperDiscriminator,
    PaperGenerator,
)
from fermiloop.platform.generators.ccdcgan.scaling import CodeScaling
from fermiloop.platform.predictors.element_table import element_table
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.representations.crystal_graph import Codes, CompactGraph, PaperGraph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions

    Array = NDArray[np.float64]

FULL_WIDTH = 256


@dataclass
class GraphSystem:
    """Graph, networks, and what codes are scaled by.

    Parameters
    ----------
    graph
        Packs and unpacks.
    scaling
        Of codes; None leaves them as they are.
    gate
        Norm of a row above which the paper's graph shows an element: the least norm of one in the training set.
    limit
        What the paper's graph is divided by, so that its numbers lie within those of a tanh.
    generator, discriminator
        Networks.
    width
        Of their layers.
    """

    graph: CompactGraph | PaperGraph
    scaling: CodeScaling | None
    gate: float
    limit: float
    generator: nn.Module
    discriminator: nn.Module
    width: int

    def graphs(self, codes: Sequence[Codes]) -> Array:
        """(n, width) graphs of codes."""
        packed = [self.graph.pack(self.scaling.scaled(one) if self.scaling else one).ravel() for one in codes]
        return np.array(packed) / self.limit

    def codes(self, row: Array, elements: set[int]) -> Codes:
        """Codes of a graph, of the elements that the graph itself shows among those allowed."""
        if isinstance(self.graph, CompactGraph):
            found = self.graph.unpack(row)
            return self.scaling.restored(found) if self.scaling else found
        found = self.graph.unpack(row * self.limit, self.gate)
        kept = [i for i, number in enumerate(found.elements) if number in elements]
        return Codes(found.cell, tuple(found.elements[i] for i in kept), found.amounts[kept], found.sites[kept])

    def allowed(self, elements: set[int]) -> torch.Tensor | None:
        """(kinds,) of bool: which kinds the generator may choose; None where it knows none of the elements."""
        if isinstance(self.graph, PaperGraph):
            return torch.ones(1, dtype=torch.bool)
        kinds = [True, *(number in elements for number in self.graph.elements)]
        return torch.tensor(kinds) if sum(kinds) > 1 else None

    def constraint(self, seed: int) -> nn.Module:
        """An untrained network for a property."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if isinstance(self.graph, PaperGraph):
                return PaperConstraint(self.width / FULL_WIDTH)
            return CompactConstraint(self.graph, _element_numbers(self.graph), self.width)

    def config(self) -> dict[str, Any]:
        """JSON-ready part of what to restore from."""
        compact = isinstance(self.graph, CompactGraph)
        return {
            "elements": list(self.graph.elements) if isinstance(self.graph, CompactGraph) else [],
            "slots": self.graph.slots if isinstance(self.graph, CompactGraph) else 0,
            "gate": self.gate,
            "limit": self.limit,
            "compact": compact,
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to restore from."""
        arrays = to_arrays(self.generator, "generator/") | to_arrays(self.discriminator, "discriminator/")
        return arrays | (self.scaling.arrays() if self.scaling else {})

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], options: CcdcganOptions) -> Self:
        """From what `config` and `state` gave."""
        if config["compact"]:
            scaling = CodeScaling.restore(arrays)
            graph = CompactGraph(config["elements"], int(config["slots"]), len(scaling.cell_mean), scaling.components)
            made = cls._compact(graph, scaling, options)
        else:
            made = cls._paper(float(config["gate"]), float(config["limit"]), options)
        from_arrays(made.generator, arrays, "generator/")
        from_arrays(made.discriminator, arrays, "discriminator/")
        made.generator.eval()
        made.discriminator.eval()
        return made

    @classmethod
    def _compact(cls, graph: CompactGraph, scaling: CodeScaling, options: CcdcganOptions) -> Self:
        generator = CompactGenerator(graph, options.latent, options.width)
        return cls(graph, scaling, 0.0, 1.0, generator, CompactDiscriminator(graph, options.width), options.width)

    @classmethod
    def _paper(cls, gate: float, limit: float, options: CcdcganOptions) -> Self:
        share = options.width / FULL_WIDTH
        return cls(
            PaperGraph(),
            None,
            gate,
            limit,
            PaperGenerator(options.latent, share),
            PaperDiscriminator(share),
            options.width,
        )


def build_system(preset: str, options: CcdcganOptions, codes: Sequence[Codes], seed: int) -> GraphSystem:
    """Untrained networks for the codes of the training crystals.

    Raises
    ------
    InputError
        If there are no codes.
    """
    if not codes:
        raise InputError("ccdcgan has no crystal to make a graph of; give it more crystals.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if preset == "paper":
            norms = np.concatenate([np.linalg.norm(one.sites, axis=1) for one in codes])
            limit = max(max(np.abs(one.sites).max(), np.abs(one.cell).max()) for one in codes)
            return GraphSystem._paper(float(norms.min()), float(limit) or 1.0, options)  # noqa: SLF001 - its own maker
        scaling = CodeScaling.learn(codes, options.components)
        elements = sorted({number for one in codes for number in one.elements})
        slots = min(options.slots, max(len(one.elements) for one in codes))
        graph = CompactGraph(elements, slots, len(codes[0].cell), scaling.components)
        return GraphSystem._compact(graph, scaling, options)  # noqa: SLF001 - its own maker


def _element_numbers(graph: CompactGraph) -> torch.Tensor:
    """(kinds, 16) standardised properties of each kind; of "none" all zero."""
    table = element_table()[1:]
    scaled = (table - table.mean(axis=0)) / table.std(axis=0)
    rows = np.vstack([np.zeros(table.shape[1]), scaled[np.array(graph.elements) - 1]])
    return torch.tensor(rows, dtype=torch.float32)
