"""A map of the element vectors: which elements act alike on densities of states (Bang et al., 2024)."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.representations.element_vectors import centroids, fit_element_vectors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples

    Array = NDArray[np.float64]

PERPLEXITY: Final = 10.0
BLOCKS: Final = {"s": "#c23b22", "p": "#2a9d8f", "d": "#3066be", "f": "#8d6a9f"}
"""Colours of the blocks of the periodic table."""


def vectors_of(samples: Samples, seed: int) -> Array:
    """(n_elements, 30) element vectors of a library."""
    return fit_element_vectors(centroids(samples.curves, samples.rows, samples.elements), seed)


def positions(vectors: Array, seed: int) -> Array:
    """(n_elements, 2) places by t-SNE, begun with the first two principal components.

    Parameters
    ----------
    vectors
        (n_elements, dim).
    """
    from sklearn.manifold import TSNE  # takes a second to import

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    return np.asarray(TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors), dtype=float)


def draw(samples: Samples, path: Path, seed: int) -> None:
    """Write the map as a picture, in the format that the name ends in."""
    from matplotlib.figure import Figure

    places = positions(vectors_of(samples, seed), seed)
    figure = Figure(figsize=(7.5, 5.5), layout="constrained")
    axes = figure.add_subplot()
    elements = [Element.from_Z(number) for number in samples.elements]
    for block, colour in BLOCKS.items():
        mine = np.array([element.block == block for element in elements])
        if mine.any():
            axes.scatter(
                places[mine, 0], places[mine, 1], s=240, color=colour, alpha=0.25, label=f"{block} block", linewidths=0
            )
    for element, (x, y) in zip(elements, places, strict=True):
        axes.text(x, y, element.symbol, ha="center", va="center", color=BLOCKS[element.block], fontsize=9)
    axes.set(xticks=[], yticks=[], title="Element vectors, t-SNE")
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def map_rows(samples: Samples, seed: int) -> list[dict[str, Any]]:
    """How often the nearest element vector is of the same group of the periodic table, and by chance."""
    vectors = vectors_of(samples, seed)
    groups = np.array([Element.from_Z(number).group for number in samples.elements])
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    shared = np.array([(groups == group).sum() > 1 for group in groups])
    right = (groups[distances.argmin(axis=1)] == groups)[shared]
    low, high = wilson(int(right.sum()), len(right))
    counts = np.unique(groups, return_counts=True)[1]
    pairs = sum(comb(int(count), 2) for count in counts) / comb(len(groups), 2)
    split = "nearest element is of the same group"
    return [
        {
            "model": "element vectors", "split": split, "n": len(right), "top1": round(float(right.mean()), 4),
            "top1_low": round(low, 4), "top1_high": round(high, 4),
        },
        {"model": "random", "split": split, "n": len(right), "top1": round(pairs, 4)},
    ]  # fmt: skip
