"""One autoencoder of site images for all elements, and copies of it for single ones: the paper's "separated" mode."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from torch import nn

from fermiloop.platform.predictors.files import from_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.published_autoencoder import PublishedAutoencoder
    from fermiloop.platform.generators.voxel_autoencoder import VoxelAutoencoder

    Voxels = NDArray[np.float32]
    Network = PublishedAutoencoder | VoxelAutoencoder


class SiteAutoencoders(nn.Module):
    """One network for all elements, and copies for single ones.

    Parameters
    ----------
    combined
        For all; it is told no element.
    """

    def __init__(self, combined: Network) -> None:
        super().__init__()
        self.grid, self.latent, self.combined = combined.grid, combined.latent, combined
        self.own = nn.ModuleDict()

    def add(self, numbers: Sequence[int]) -> None:
        """Copies of the network for all, one for each of these elements."""
        for number in numbers:
            self.own[str(number)] = deepcopy(self.combined)

    def of(self, number: int) -> Network:
        """The network of an element: its own, where it has one."""
        name = str(number)
        return cast("Network", self.own[name]) if name in self.own else self.combined

    def codes(self, images: Voxels, elements: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, latent) codes of images of the (n,) elements."""
        made = np.zeros((len(images), self.latent), dtype=np.float32)
        for number in np.unique(elements):
            made[elements == number] = self.of(int(number)).codes(images[elements == number])
        return made

    def images(self, codes: NDArray[np.float32], elements: NDArray[np.int64]) -> Voxels:
        """(n, grid, grid, grid) images of codes of the (n,) elements."""
        made = np.zeros((len(codes), *(self.grid,) * 3), dtype=np.float32)
        for number in np.unique(elements):
            made[elements == number] = self.of(int(number)).images(codes[elements == number])
        return made

    def restore(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Take over weights, after as many copies were made as they are of."""
        own = f"{prefix}own."
        self.add(sorted({int(name.removeprefix(own).split(".")[0]) for name in arrays if name.startswith(own)}))
        from_arrays(self, arrays, prefix)
