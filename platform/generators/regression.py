"""Presets ``paper`` and ``regression``: a convolutional network regresses the composition vector of a DOS.

Four times [32 kernels of width 13, ReLU, max-pooling by 2], then a linear layer to 60 numbers, by
Adam at 1e-3 on the squared error, one network for each crystal system; candidates are the nearest composition vectors
(Bang et al., J. Mater. Chem. A 12, 6004, 2024). Epochs, batch size and loss are not published; ours are options.
``regression`` is one network for all, on curves divided by their spread, its rate falling to zero.

The vectors have a block of 30 for each element of the largest composition learned from, so that ternaries are learned
from ternaries, as published; of more elements than that nothing is proposed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import torch
from torch import nn

from fermiloop.platform.generators.calibration import log_softmax
from fermiloop.platform.generators.row_array import RowArray
from fermiloop.platform.generators.samples import told_apart
from fermiloop.platform.predictors.device import seeded
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
    """What the paper leaves open, and what is better than what it says.

    Parameters
    ----------
    epochs
        Passes over the training set.
    batch_size
        Samples of one step.
    learning_rate
        Of Adam.
    vector_epochs
        Epochs of the element-vector autoencoder.
    falling
        Whether the rate falls to zero along a cosine.
    scaled
        Whether curves are divided by their spread.
    by_system
        Whether each crystal system has a network of its own.
    """

    epochs: int = 150
    batch_size: int = 16
    learning_rate: float = 1e-3
    vector_epochs: int = 400
    falling: bool = False
    scaled: bool = False
    by_system: bool = True


BETTER: Final = {"falling": True, "scaled": True, "by_system": False}
"""Of the preset ``regression``."""
ALL: Final = ""
"""Name of the network of all crystal systems."""


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
        """Train from nothing; returns the loss by epoch. Elements that always occur together are left out.

        Raises
        ------
        InputError
            If too little is left, or the vectors of two elements are equal all the same.
        """
        samples = told_apart(samples)
        self.table = samples.table()
        self.vectors = self._vectors(samples, seed)
        self.rows = RowArray.of(self.table.rows, self.table.elements)
        self.scale = float(samples.curves.std()) if self.options.scaled else 1.0
        x = torch.tensor(samples.curves / self.scale, dtype=torch.float32)
        y = torch.tensor(self.vectors.encode(samples.rows), dtype=torch.float32)
        groups = samples.systems if self.options.by_system else np.full(len(samples), ALL)
        self.networks, histories, errors = {}, [], 0.0
        for name, n in sorted(Counter(groups.tolist()).items(), key=lambda item: (-item[1], item[0])):
            with seeded(seed):
                network = RegressionNetwork(samples.curves.shape[1], self.vectors.width)
            mine = torch.from_numpy(groups == name)
            histories.append(self._train(network, x[mine], y[mine], np.random.default_rng(seed), progress))
            with torch.no_grad():
                errors += n * float(((network(x[mine]) - y[mine]) ** 2).mean()) / len(samples)
            self.networks[str(name)] = network
        self.variance = max(errors, 1e-6)
        return tuple(float(np.mean(losses)) for losses in zip(*histories, strict=True))

    def _vectors(self, samples: Samples, seed: int) -> CompositionVectors:
        """What the network regresses."""
        middle = centroids(samples.curves, samples.rows, self.table.elements)
        element_vectors = fit_element_vectors(middle, seed, self.options.vector_epochs)
        return CompositionVectors(self.table, element_vectors, max(2, samples.most_components))

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_rows) log softmax of the negative squared distance over twice the training error.

        A curve of a crystal system that was not learned is answered by the network that has learned most.
        """
        return log_softmax(self.scores(self.rows, curves, systems))

    def scores(self, rows: RowArray, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, m) log probabilities of any m compositions, but for a constant of each curve."""
        distances = self.vectors.distances_to(self.regress(curves, systems), rows.places, rows.amounts)
        return -(distances**2) / (2 * self.variance)

    def regress(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_blocks·30) composition vectors of (k, n_points) curves of (k,) crystal systems."""
        found, largest = np.zeros((len(curves), self.vectors.width)), next(iter(self.networks))
        used = np.array([name if name in self.networks else largest for name in systems.tolist()], dtype=str)
        x = torch.tensor(curves / self.scale, dtype=torch.float32)
        with torch.no_grad():
            for name in np.unique(used).tolist():
                found[used == name] = self.networks[name](x[torch.from_numpy(used == name)]).numpy()
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to restore from."""
        arrays = {"element_vectors": self.vectors.element_vectors}
        for name, network in self.networks.items():
            arrays |= to_arrays(network, _prefix(name))
        return arrays

    def config(self) -> dict[str, Any]:
        """JSON-ready rest of the state."""
        return {
            "options": asdict(self.options),
            "elements": list(self.table.elements),
            "n_blocks": self.vectors.n_blocks,
            "scale": self.scale,
            "variance": self.variance,
            "systems": list(self.networks),
        }

    @classmethod
    def restore(cls, config: Mapping[str, Any], state: Mapping[str, NDArray[Any]], n_points: int) -> Self:
        """The model that `config` and `state` tell of."""
        before = {} if "systems" in config else BETTER  # one network for all, as all had before
        model = cls(RegressionOptions(**{**before, **config["options"]}))
        model.table = CompositionTable(config["elements"])
        model.rows = RowArray.of(model.table.rows, model.table.elements)
        model.vectors = CompositionVectors(model.table, state["element_vectors"], int(config.get("n_blocks", 2)))
        model.scale, model.variance = float(config["scale"]), float(config["variance"])
        model.networks = {}
        for name in config.get("systems", [ALL]):
            model.networks[name] = RegressionNetwork(n_points, model.vectors.width)
            from_arrays(model.networks[name], state, _prefix(name))
        return model

    def _train(
        self,
        network: RegressionNetwork,
        x: torch.Tensor,
        y: torch.Tensor,
        rng: np.random.Generator,
        progress: Callable[[str, float], None],
    ) -> tuple[float, ...]:
        optimiser = torch.optim.Adam(network.parameters(), lr=self.options.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(self.options.epochs, 1))
        history = []
        for epoch in range(self.options.epochs):
            losses = []
            for batch in np.array_split(rng.permutation(len(x)), max(len(x) // self.options.batch_size, 1)):
                loss = nn.functional.mse_loss(network(x[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                losses.append(loss.item())
            if self.options.falling:
                schedule.step()
            history.append(float(np.mean(losses)))
            progress("paper", (epoch + 1) / self.options.epochs)
        return tuple(history)


def _prefix(system: str) -> str:
    """Of the weights of a crystal system's network."""
    return f"network.{system}." if system else "network."
