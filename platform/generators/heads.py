"""Softmax heads over what a composition is made of: first element, second element, ratio.

A table of eleven thousand compositions is learned from a few hundred curves only if its rows share
parameters: log p(row) = log p(A) + log p(B) + log p(m:n). The network sees the curve, its integral
(which a small shift changes little), the curve per occupied state, and the crystal system; training
adds noise and shifts. One network is trained for each fold, without it, so that every training
sample also has a prediction of a network that never saw its composition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn

from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.representations.composition import ratio_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import CompositionTable

    Array = NDArray[np.float64]

CHANNELS: Final = 3
WIDTH: Final = 24
HIDDEN: Final = 64


@dataclass(frozen=True)
class HeadsOptions:
    """How the heads are trained.

    Parameters
    ----------
    epochs
        Passes over the training set.
    batch_size
        Samples of one step.
    learning_rate
        Of AdamW, falling to zero along a cosine.
    noise
        Standard deviation of the noise added to a curve, relative to the curves' own.
    shift
        Largest shift in grid points.
    """

    epochs: int = 15
    batch_size: int = 32
    learning_rate: float = 2e-3
    noise: float = 0.05
    shift: int = 2


@dataclass(frozen=True)
class Layout:
    """Sizes of what goes in and comes out, and the places of a table's rows in the heads."""

    n_points: int
    step: float
    zero: int
    systems: tuple[str, ...]
    ratios: tuple[tuple[int, ...], ...]
    n_elements: int

    def inputs(self, curves: Array, systems: NDArray[np.str_]) -> tuple[torch.Tensor, torch.Tensor]:
        """(k, 3, n_points) channels and (k, n_systems) crystal systems."""
        half = (self.n_points - 1) * self.step / 2
        running = np.cumsum(curves, axis=1) * self.step
        occupied = np.maximum(running[:, self.zero : self.zero + 1], 1e-3)
        channels = np.stack([curves * half, running, curves / occupied], axis=1)
        flags = systems[:, None] == np.array(self.systems)[None]
        return torch.tensor(channels, dtype=torch.float32), torch.tensor(flags, dtype=torch.float32)

    def places(self, table: CompositionTable) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Outputs of A, of B (the last one says there is none) and of the ratio, for each row."""
        a, _, b, n = table.blocks.T
        order = {ratio: i for i, ratio in enumerate(self.ratios)}
        return a, np.where(n > 0, b, self.n_elements), np.array([order[ratio_of(row)] for row in table.rows])


class HeadsNetwork(nn.Module):
    """Three strided convolutions, one hidden layer, three softmax heads."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.sizes = (layout.n_elements, layout.n_elements + 1, len(layout.ratios))
        self.convolutions = nn.Sequential(
            nn.Conv1d(CHANNELS, WIDTH, 9, stride=2, padding=4),
            nn.GELU(),
            nn.Conv1d(WIDTH, WIDTH, 9, stride=2, padding=4),
            nn.GELU(),
            nn.Conv1d(WIDTH, WIDTH, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Flatten(),
            nn.Dropout(0.3),
        )
        length = (layout.n_points + 7) // 8  # each stride of 2 rounds up
        self.hidden = nn.Sequential(nn.Linear(WIDTH * length + len(layout.systems), HIDDEN), nn.GELU(), nn.Dropout(0.2))
        self.heads = nn.Linear(HIDDEN, sum(self.sizes))

    def forward(self, channels: torch.Tensor, systems: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Log probabilities of A, B and the ratio: (k, n_elements), (k, n_elements + 1), (k, n_ratios)."""
        hidden = self.hidden(torch.cat([self.convolutions(channels), systems], dim=1))
        return tuple(part.log_softmax(dim=1) for part in self.heads(hidden).split(self.sizes, dim=1))


class HeadsEnsemble:
    """One network for each fold.

    Parameters
    ----------
    table
        Rows to score.
    layout
        Sizes of the networks.
    """

    def __init__(self, table: CompositionTable, layout: Layout) -> None:
        self.table = table
        self.layout = layout
        self._places = layout.places(table)
        self.networks: list[HeadsNetwork] = []

    def fit(
        self,
        samples: Samples,
        folds: NDArray[np.int64],
        options: HeadsOptions,
        seed: int,
        progress: Callable[[str, float], None],
    ) -> tuple[Array, tuple[float, ...]]:
        """Train all networks; returns (n, n_rows) scores by the network without the sample, and the mean loss."""
        scores = np.zeros((len(samples), len(self.table)))
        histories = []
        n_folds = int(folds.max()) + 1
        for fold in range(n_folds):
            rest = samples.subset(np.flatnonzero(folds != fold))
            network, history = self._train(rest, options, seed + fold, partial(_tell, progress, fold, n_folds))
            self.networks.append(network)
            histories.append(history)
            held = samples.subset(np.flatnonzero(folds == fold))
            scores[folds == fold] = self._scores(network, held.curves, held.systems)
        return scores, tuple(float(x) for x in np.mean(histories, axis=0))

    def scores(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_rows) mean log probability over the networks."""
        return np.asarray(np.mean([self._scores(network, curves, systems) for network in self.networks], axis=0))

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays of all networks."""
        return {
            name: value
            for i, network in enumerate(self.networks)
            for name, value in to_arrays(network, f"heads.{i}.").items()
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], n_networks: int) -> HeadsEnsemble:
        """Put networks back; returns itself."""
        for i in range(n_networks):
            network = HeadsNetwork(self.layout)
            from_arrays(network, arrays, f"heads.{i}.")
            self.networks.append(network.eval())
        return self

    def _scores(self, network: HeadsNetwork, curves: Array, systems: NDArray[np.str_]) -> Array:
        with torch.no_grad():
            heads = [head.numpy().astype(float) for head in network(*self.layout.inputs(curves, systems))]
        return np.asarray(sum(head[:, place] for head, place in zip(heads, self._places, strict=True)))

    def _train(
        self, samples: Samples, options: HeadsOptions, seed: int, tell: Callable[[float], None]
    ) -> tuple[HeadsNetwork, list[float]]:
        rng = np.random.default_rng(seed)
        rows = [self.table.index[row] for row in samples.rows]
        truth = [torch.tensor(place[rows]) for place in self._places]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = HeadsNetwork(self.layout)
            optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=1e-2)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(options.epochs, 1))
            history = []
            for epoch in range(options.epochs):
                curves = augment(samples.curves, options, rng)
                inputs = self.layout.inputs(curves, samples.systems)
                losses = []
                for batch in np.array_split(rng.permutation(len(rows)), max(len(rows) // options.batch_size, 1)):
                    heads = network(*(part[batch] for part in inputs))
                    loss = sum(
                        (nn.functional.nll_loss(head, t[batch]) for head, t in zip(heads, truth, strict=True)),
                        start=torch.zeros(()),
                    )
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                    losses.append(loss.item())
                schedule.step()
                history.append(float(np.mean(losses)))
                tell((epoch + 1) / options.epochs)
        return network.eval(), history


def _tell(progress: Callable[[str, float], None], done: int, n_folds: int, share: float) -> None:
    """Pass on the share of one fold as that of all."""
    progress("heads", (done + share) / n_folds)


def augment(curves: Array, options: HeadsOptions, rng: np.random.Generator) -> Array:
    """Curves with noise, each shifted by up to ``options.shift`` grid points, of the same shape."""
    n, n_points = curves.shape
    shifts = rng.integers(-options.shift, options.shift + 1, size=n)
    places = np.clip(np.arange(n_points)[None, :] + shifts.reshape(-1, 1), 0, n_points - 1)
    noise = rng.standard_normal(curves.shape) * options.noise * curves.std()
    return np.maximum(np.take_along_axis(curves, places, axis=1) + noise, 0)
