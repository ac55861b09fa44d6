"""Element vectors: what a chemical element does to densities of states, in 30 numbers.

The centroid DOS of an element is the mean curve of all materials that hold it. An autoencoder
(151-100-30-100-151, tanh) compresses the centroids; its middle layer is the element vector (Bang
et al., J. Mater. Chem. A 12, 6004, 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.composition import SMALLEST_DISTANCE, smallest_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.composition import Row

HIDDEN: Final = 100
DIM: Final = 30
LEARNING_RATE: Final = 1e-3


def centroids(curves: NDArray[np.float64], rows: Sequence[Row], elements: Sequence[int]) -> NDArray[np.float64]:
    """(n_elements, n_points) mean curve of all materials holding each element.

    Parameters
    ----------
    curves
        (n, n_points) unit-area curves.
    rows
        Composition of each curve.
    elements
        Atomic numbers asked for.

    Raises
    ------
    InputError
        If no material holds one of the elements.
    """
    holds = np.array([[number in dict(row) for row in rows] for number in elements], dtype=float)
    amounts = holds.sum(axis=1, keepdims=True)
    if not (amounts > 0).all():
        missing = [number for number, amount in zip(elements, amounts[:, 0], strict=True) if not amount]
        raise InputError(f"No material holds the elements of atomic numbers {missing}, so they have no centroid DOS.")
    return holds @ curves / amounts


class Autoencoder(nn.Module):
    """151-100-30-100-151 with tanh, as published; the width 100 is ours."""

    def __init__(self, n_points: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(n_points, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, DIM), nn.Tanh())
        self.decoder = nn.Sequential(nn.Linear(DIM, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, n_points))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Reconstruction of (n, n_points) curves."""
        return self.decoder(self.encoder(x))


def fit_element_vectors(curves: NDArray[np.float64], seed: int, epochs: int = 400) -> NDArray[np.float64]:
    """(n_elements, 30) vectors of (n_elements, n_points) centroid curves.

    Raises
    ------
    InputError
        If two elements end closer than `SMALLEST_DISTANCE`, as equal centroids would.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoencoder(curves.shape[1])
    x = torch.tensor(curves, dtype=torch.float32)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(epochs):
        loss = nn.functional.mse_loss(model(x), x)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        vectors = model.encoder(x).numpy().astype(float)
    distance = smallest_distance(vectors)
    if distance < SMALLEST_DISTANCE:
        raise InputError(
            f"Two element vectors lie {distance:.1e} apart, so their elements cannot be told from each other; "
            "add materials that hold only one of them."
        )
    return vectors
