"""Small networks trained side by side on scaled descriptors, each on a bootstrap of its own (Poisson weights).

`ensemble` predicts a property by them, `synthesizability` a probability; what they make of the outputs is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import nn

from fermiloop.platform.predictors.device import precision
from fermiloop.platform.predictors.files import Arrays, SavedModel, from_arrays, to_arrays
from fermiloop.platform.predictors.trainer import cosine_rate, run_epochs, set_rate, shuffled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.predictors.trainer import Part

    Array = NDArray[np.float64]
    Outputs = tuple[torch.Tensor, torch.Tensor]

HELD_OUT: Final = 0.15
"""Share of the compositions that is kept out of the training."""
CLIP: Final = 6.0
"""Standard deviations at which a descriptor is cut off: a new element must not throw a network far out."""
CPU: Final = torch.device("cpu")


@dataclass(frozen=True)
class MembersOptions:
    """How the networks are trained.

    Parameters
    ----------
    members
        Networks.
    width
        Of their two hidden layers.
    epochs
        Passes over the training set; None takes as many as its size asks for.
    batch_size
        Crystals of a step.
    learning_rate
        Of AdamW at its highest.
    dropout
        Share of hidden numbers left out in training.
    """

    members: int = 5
    width: int = 192
    epochs: int | None = None
    batch_size: int = 128
    learning_rate: float = 2e-3
    dropout: float = 0.1


class Members(nn.Module):
    """All networks at once: weights of shape (members, in, out)."""

    def __init__(self, members: int, n_in: int, width: int, dropout: float, random: torch.Generator) -> None:
        super().__init__()
        sizes = ((n_in, width), (width, width), (width, 2))
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(members, a, b, generator=random) * (2 / a) ** 0.5) for a, b in sizes
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, b)) for _, b in sizes)
        self.dropout = dropout

    def forward(self, x: torch.Tensor, random: torch.Generator | None = None) -> Outputs:
        """(members, n) means and log variances of (n, n_in) inputs; numbers are left out where `random` is given."""
        hidden = x.expand(len(self.weights[0]), *x.shape)
        for layer in range(2):
            hidden = nn.functional.silu(torch.baddbmm(self.biases[layer], hidden, self.weights[layer]))
            if random is not None and self.dropout:
                kept = torch.rand(hidden.shape, generator=random).to(hidden.device) >= self.dropout
                hidden = hidden * kept / (1 - self.dropout)
        out = torch.baddbmm(self.biases[2], hidden, self.weights[2]).float()
        return out[..., 0], 6 * torch.tanh(out[..., 1] / 6) - 1


class MembersModel(SavedModel):
    """What models by `Members` share: the scale of descriptors, the training, and what is kept."""

    options: MembersOptions
    network: Members
    middle: Array
    width: Array

    def _scale_inputs(self, x: Array) -> None:
        """Take mean and standard deviation of (n, d) descriptors; what never changes is left alone."""
        self.middle, width = x.mean(axis=0), x.std(axis=0)
        self.width = np.where(width > 1e-9, width, 1.0)

    def _scaled(self, x: Array) -> torch.Tensor:
        return torch.tensor(np.clip((x - self.middle) / self.width, -CLIP, CLIP), dtype=torch.float32)

    def _untrained(self, n_in: int, random: torch.Generator) -> Members:
        return Members(self.options.members, n_in, self.options.width, self.options.dropout, random)

    def _steps(self, n: int) -> int:
        """Of one epoch of n crystals."""
        return -(-n // self.options.batch_size)

    def _train_members(
        self,
        x: torch.Tensor,
        epochs: int,
        loss_of: Callable[[Outputs, torch.Tensor, torch.Tensor, int], torch.Tensor],
        seed: int,
        progress: Callable[[str, float], None],
        what: str,
        resume: Path | None,
        device: torch.device = CPU,
    ) -> tuple[float, ...]:
        """Train new networks on (n, d) scaled descriptors; loss by epoch.

        Parameters
        ----------
        loss_of
            Mean loss of the outputs of a batch, of its (k,) rows, their (members, k) counts in the bootstraps, and the
            epoch.
        """
        rate, random = self.options.learning_rate, torch.Generator().manual_seed(seed)
        self.network = self._untrained(x.shape[1], random).to(device)
        counts = torch.poisson(torch.ones(self.options.members, len(x)), generator=random).to(device)
        optimiser = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=1e-2)
        x, steps = x.to(device), self._steps(len(x))

        def step(epoch: int) -> float:
            total = 0.0
            for place, rows in enumerate(shuffled(len(x), self.options.batch_size, random)):
                set_rate(optimiser, cosine_rate(epoch + place / steps, epochs, rate))
                with precision(device):
                    outputs = self.network(x[rows], random)
                loss = loss_of(outputs, rows, counts[:, rows], epoch)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += loss.item() * len(rows)
            return total / len(x)

        parts: dict[str, Part] = {"network": self.network, "optimiser": optimiser}
        history = run_epochs(parts, epochs, step, random, progress, what, resume)
        self.network = self.network.cpu()
        return history

    def _arrays(self) -> Arrays:
        """Scale and weights, of which `_restore` makes the same networks again."""
        return {"middle": self.middle, "width": self.width} | to_arrays(self.network, "network.")

    def _restore(self, arrays: Arrays) -> None:
        self.middle, self.width = arrays["middle"], arrays["width"]
        self.network = self._untrained(len(self.middle), torch.Generator())
        from_arrays(self.network, arrays, "network.")


def held_out(formulas: Sequence[str], random: np.random.Generator) -> NDArray[np.bool_]:
    """(n,) whether a crystal is kept out of the training: whole compositions, at least two."""
    kinds = sorted(set(formulas))
    n = max(2, round(HELD_OUT * len(kinds)))
    chosen = {kinds[i] for i in random.permutation(len(kinds))[:n]}
    return np.array([formula in chosen for formula in formulas])
