"""Preset ``paper``: a convolutional network regresses the composition vector of a DOS.

Four times [32 kernels of width 13, ReLU, max-pooling by 2], then a linear layer to 60 numbers, by
Adam at 1e-3 on the squared error; candidates are the nearest composition vectors (Bang et al.,
J. Mater. Chem. A 12, 6004, 2024). Epochs, batch size and loss are not published; ours are options.

The vectors have a block of 30 for each element of the largest composition learned from, so that ternaries are learned
from ternaries, as published; of more elements than that nothing is proposed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import nn

from fermiloop.platform.generators.calibration import log_softmax
from fermiloop.platform.generators.row_array import RowArray
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.representations.composition import CompositionTable, CompositionVectors
from fermiloop.platform.representations.element_vectors import centroids, fit_element_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class RegressionOptions:
    """What the paper leaves open.

    Parameters
    ----------
    epochs
        Passes over the training set.
    batch_size
        Samples of one step.
    learning_rate
        Of Adam at the start; it falls to zero along a cosine.
    vector_epochs
        Epochs of the element-vector autoencoder.
    """

    epochs: int = 150
    batch_size: int = 16
    learning_rate: float = 1e-3
    vector_epochs: int = 400


class RegressionNetwork(nn.Module):
    """The published network for curves of `n_points` points."""

    def __init__(self, n_points: int, n_out: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (1, 32, 32, 32):
            layers += [nn.Conv1d(channels, 32, 13, padding="same"), nn.ReLU(), nn.MaxPool1d(2)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * (n_points // 16), n_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_out) composition vectors of (n, n_points) curves."""
        return self.layers(x[:, None])


class RegressionModel:
    """Nearest composition vectors of a regressed one.

    Parameters
    ----------
    options
        What the paper leaves open.
    """

    preset = "paper"

    def __init__(self, options: RegressionOptions | None = None) -> None:
        self.options = options or RegressionOptions()

    def fit(self, samples: Samples, seed: int, progress: Callable[[str, float], None]) -> tuple[float, ...]:
        """Train from nothing; returns the loss by epoch.

        Raises
        ------
        InputError
            If two elements cannot be told apart.
        """
        self.table = samples.table()
        middle = centroids(samples.curves, samples.rows, self.table.elements)
        element_vectors = fit_element_vectors(middle, seed, self.options.vector_epochs)
        self.vectors = CompositionVectors(self.table, element_vectors, max(2, samples.most_components))
        self.rows = RowArray.of(self.table.rows, self.table.elements)
        self.scale = float(samples.curves.std())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = RegressionNetwork(samples.curves.shape[1], self.vectors.n_blocks * self.vectors.dim)
        x = torch.tensor(samples.curves / self.scale, dtype=torch.float32)
        y = torch.tensor(self.vectors.encode(samples.rows), dtype=torch.float32)
        history = self._train(x, y, np.random.default_rng(seed), progress)
        with torch.no_grad():
            self.variance = max(float(((self.network(x) - y) ** 2).mean()), 1e-6)
        return history

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_rows) log softmax of the negative squared distance over twice the training error."""
        return log_softmax(self.scores(self.rows, curves, systems))

    def scores(self, rows: RowArray, curves: Array, systems: NDArray[np.str_]) -> Array:  # noqa: ARG002 - the paper has one model for each system
        """(k, m) log probabilities of any m compositions, but for a constant of each curve."""
        distances = self.vectors.distances_to(self.regress(curves), rows.places, rows.amounts)
        return -(distances**2) / (2 * self.variance)

    def regress(self, curves: Array) -> Array:
        """(k, n_blocks·30) composition vectors of (k, n_points) curves."""
        with torch.no_grad():
            return self.network(torch.tensor(curves / self.scale, dtype=torch.float32)).numpy().astype(float)

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to restore from."""
        return {"element_vectors": self.vectors.element_vectors} | to_arrays(self.network, "network.")

    def config(self) -> dict[str, Any]:
        """JSON-ready rest of the state."""
        return {
            "options": asdict(self.options),
            "elements": list(self.table.elements),
            "n_blocks": self.vectors.n_blocks,
            "scale": self.scale,
            "variance": self.variance,
        }

    @classmethod
    def restore(cls, config: Mapping[str, Any], state: Mapping[str, NDArray[Any]], n_points: int) -> Self:
        """The model that `config` and `state` tell of."""
        model = cls(RegressionOptions(**config["options"]))
        model.table = CompositionTable(config["elements"])
        model.rows = RowArray.of(model.table.rows, model.table.elements)
        model.vectors = CompositionVectors(model.table, state["element_vectors"], int(config.get("n_blocks", 2)))
        model.scale, model.variance = float(config["scale"]), float(config["variance"])
        model.network = RegressionNetwork(n_points, model.vectors.n_blocks * model.vectors.dim)
        from_arrays(model.network, state, "network.")
        return model

    def _train(
        self, x: torch.Tensor, y: torch.Tensor, rng: np.random.Generator, progress: Callable[[str, float], None]
    ) -> tuple[float, ...]:
        optimiser = torch.optim.Adam(self.network.parameters(), lr=self.options.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(self.options.epochs, 1))
        history = []
        for epoch in range(self.options.epochs):
            losses = []
            for batch in np.array_split(rng.permutation(len(x)), max(len(x) // self.options.batch_size, 1)):
                loss = nn.functional.mse_loss(self.network(x[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                losses.append(loss.item())
            schedule.step()
            history.append(float(np.mean(losses)))
            progress("paper", (epoch + 1) / self.options.epochs)
        return tuple(history)
