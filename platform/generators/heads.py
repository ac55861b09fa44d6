"""Softmax heads over what a composition is made of: first element, second element, …, ratio.

A table of eleven thousand compositions is learned from a few hundred curves only if its rows share
parameters: log p(row) = log p(A) + log p(B) + log p(m:n). The network sees the curve, its integral
(which a small shift changes little), the curve per occupied state, and the crystal system; training
adds noise and shifts. One network is trained for each fold, without it, so that every training
sample also has a prediction of a network that never saw its composition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn

from fermiloop.platform.generators.row_array import NOBODY, RowArray
from fermiloop.platform.predictors.device import seeded
from fermiloop.platform.predictors.files import from_arrays, to_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.row_array import Places
    from fermiloop.platform.generators.samples import Samples

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
    n_slots: int = 2

    def inputs(self, curves: Array, systems: NDArray[np.str_]) -> tuple[torch.Tensor, torch.Tensor]:
        """(k, 3, n_points) channels and (k, n_systems) crystal systems."""
        half = (self.n_points - 1) * self.step / 2
        running = np.cumsum(curves, axis=1) * self.step
        occupied = np.maximum(running[:, self.zero : self.zero + 1], 1e-3)
        channels = np.stack([curves * half, running, curves / occupied], axis=1)
        flags = systems[:, None] == np.array(self.systems)[None]
        return torch.tensor(channels, dtype=torch.float32), torch.tensor(flags, dtype=torch.float32)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Outputs of each head: a first element, further ones that may be absent, the ratio."""
        return (self.n_elements, *[self.n_elements + 1] * (self.n_slots - 1), len(self.ratios))

    def places(self, rows: RowArray) -> Places:
        """(n_slots + 1, m) output of each head for compositions of no more elements than slots; -1 for a new ratio."""
        order = {ratio: i for i, ratio in enumerate(self.ratios)}
        ratios, place = rows.ratios()
        slots = np.full((len(rows), self.n_slots), NOBODY)
        slots[:, : rows.places.shape[1]] = rows.places[:, : self.n_slots]
        ratio = np.array([order.get(one, NOBODY) for one in ratios])[place]
        return np.vstack([np.where(slots == NOBODY, self.n_elements, slots).T, ratio])

    def log_probabilities(self, heads: Sequence[Array], rows: RowArray) -> Array:
        """(k, m) sums over the heads' (k, size) log probabilities.

        A composition of more elements than there are slots takes the mean over the choices of those that fill them,
        the others being as likely as any; so is a ratio that was not learned.
        """
        size = rows.places.shape[1]
        if size <= self.n_slots:
            return self._summed(heads, rows)
        total = np.zeros((len(heads[0]), len(rows)))
        choices = [list(chosen) for chosen in combinations(range(size), self.n_slots)]
        fits = rows.sizes <= self.n_slots
        for chosen in choices:
            total += self._summed(heads, replace(rows, places=rows.places[:, chosen]))
        total = total / len(choices) - np.log(self.n_elements) * np.maximum(rows.sizes - self.n_slots, 0)
        if fits.any():
            small = rows.subset(np.flatnonzero(fits))
            small = replace(small, places=small.places[:, : self.n_slots])
            total[:, fits] = self._summed(heads, small)
        return total

    def _summed(self, heads: Sequence[Array], rows: RowArray) -> Array:
        *slots, ratio = self.places(rows)
        unknown = -np.log(len(self.ratios))
        total = np.where(ratio == NOBODY, unknown, heads[-1][:, ratio])
        return np.asarray(sum((head[:, place] for head, place in zip(heads, slots, strict=False)), start=total))


class HeadsNetwork(nn.Module):
    """Three strided convolutions, one hidden layer, softmax heads."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.sizes = layout.sizes
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
        """Log probabilities of A, B, … and the ratio: (k, n_elements), (k, n_elements + 1), …, (k, n_ratios)."""
        hidden = self.hidden(torch.cat([self.convolutions(channels), systems], dim=1))
        return tuple(part.log_softmax(dim=1) for part in self.heads(hidden).split(self.sizes, dim=1))


class HeadsEnsemble:
    """One network for each fold.

    Parameters
    ----------
    elements
        Atomic numbers that the heads choose from, ascending.
    layout
        Sizes of the networks.
    """

    def __init__(self, elements: tuple[int, ...], layout: Layout) -> None:
        self.elements = elements
        self.layout = layout
        self.networks: list[HeadsNetwork] = []

    def fit(
        self,
        samples: Samples,
        folds: NDArray[np.int64],
        options: HeadsOptions,
        seed: int,
        progress: Callable[[str, float], None],
    ) -> tuple[float, ...]:
        """Train all networks, each without one fold; returns the mean loss by epoch."""
        histories = []
        n_folds = int(folds.max()) + 1
        for fold in range(n_folds):
            rest = samples.subset(np.flatnonzero(folds != fold))
            network, history = self._train(rest, options, seed + fold, partial(_tell, progress, fold, n_folds))
            self.networks.append(network)
            histories.append(history)
        return tuple(float(x) for x in np.mean(histories, axis=0))

    def scores(self, curves: Array, systems: NDArray[np.str_], rows: RowArray, fold: int | None = None) -> Array:
        """(k, m) log probability by the network of a fold, or the mean over all."""
        chosen = self.networks if fold is None else [self.networks[fold]]
        return np.asarray(np.mean([self._scores(network, curves, systems, rows) for network in chosen], axis=0))

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

    def _scores(self, network: HeadsNetwork, curves: Array, systems: NDArray[np.str_], rows: RowArray) -> Array:
        with torch.no_grad():
            heads = [head.numpy().astype(float) for head in network(*self.layout.inputs(curves, systems))]
        return self.layout.log_probabilities(heads, rows)

    def _train(
        self, samples: Samples, options: HeadsOptions, seed: int, tell: Callable[[float], None]
    ) -> tuple[HeadsNetwork, list[float]]:
        rng = np.random.default_rng(seed)
        truth = [torch.tensor(place) for place in self.layout.places(RowArray.of(samples.rows, self.elements))]
        with seeded(seed):
            network = HeadsNetwork(self.layout)
            optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=1e-2)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(options.epochs, 1))
            history = []
            for epoch in range(options.epochs):
                curves = augment(samples.curves, options, rng)
                inputs = self.layout.inputs(curves, samples.systems)
                losses = []
                for batch in np.array_split(rng.permutation(len(samples)), max(len(samples) // options.batch_size, 1)):
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
