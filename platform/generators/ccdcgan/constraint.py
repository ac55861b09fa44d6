"""Properties predicted from crystal graphs, and the pull that they exert on a generator.

The paper's constraint network predicts a formation energy scaled to [0, 1] through a rectified tanh and adds
0.1 · mean(exp(E)) to the generator's loss; so does the preset ``paper``, see `published`. Here the last layer is linear
and speaks eV/atom, three networks vote, and a pull ends where its aim is reached, so that a generator gains nothing by
driving a model where it knows nothing: what counts is the mean plus the spread of the votes. Several models may pull at
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.device import best_device, normal, seeded
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.predictors.trainer import cosine_rate, run_epochs, set_rate, shuffled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
    from fermiloop.platform.generators.ccdcgan.spaces import Space
    from fermiloop.platform.generators.protocol import Condition

    Array = NDArray[np.float64]

MEMBERS: Final = 3
RATE: Final = 2e-3
DECAY: Final = 3e-2
BLUR: Final = 0.1
"""Standard deviation of noise on the continuous numbers of training rows."""
FEWEST: Final = 8
"""Labels below which nothing is learned."""


class ConstraintModel(nn.Module):
    """Predicts one property from rows of a space.

    Parameters
    ----------
    space
        Whose rows.
    property_name
        Name of the label.
    seed
        Of the initial weights.
    """

    centre: Tensor
    spread: Tensor
    n_members = MEMBERS

    def __init__(self, space: Space, property_name: str, seed: int = 0) -> None:
        super().__init__()
        self.property = property_name
        with seeded(seed):
            self.members = nn.ModuleList(space.constraint() for _ in range(self.n_members))
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))
        self.register_buffer("smooth", space.smooth())

    def forward(self, rows: Tensor) -> Tensor:
        """(members, n) values of (n, width) rows in the property's unit; gradients reach the rows."""
        return torch.stack([member(rows) for member in self.members]) * self.spread + self.centre

    def predict(self, rows: Tensor) -> Array:
        """(n,) mean of the votes, without gradients."""
        with torch.no_grad():
            return cast("Array", self.eval()(rows).mean(dim=0).double().numpy())

    def train_on(
        self,
        rows: Tensor,
        values: Array,
        options: CcdcganOptions,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> tuple[float, ...]:
        """Train in place, then freeze; loss by epoch.

        Parameters
        ----------
        rows
            (n, width) of the space.
        values
            (n,) labels, all finite.
        options
            Epochs and batch size.
        seed, progress, resume
            As in `run_epochs`.

        Raises
        ------
        InputError
            If there are fewer than 8 labels.
        """
        if len(values) < FEWEST:
            raise InputError(f"A constraint on {self.property} needs {FEWEST} labels, not {len(values)}.")
        device, random = best_device(), torch.Generator().manual_seed(seed)
        targets = torch.as_tensor(values, dtype=torch.float32, device=device)
        self.to(device)
        centre, spread = self._scale(targets)
        self.centre.copy_(centre)
        self.spread.copy_(spread.clamp(min=1e-3))
        scaled = (targets - self.centre) / self.spread
        history = self._train(rows.to(device), scaled, options, random, progress, resume)
        self.cpu().eval().requires_grad_(False)
        return history

    def _scale(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Centre and spread by which labels are scaled."""
        return targets.mean(), targets.std()

    def _train(
        self,
        rows: Tensor,
        scaled: Tensor,
        options: CcdcganOptions,
        random: torch.Generator,
        progress: Callable[[str, float], None],
        resume: Path | None,
    ) -> tuple[float, ...]:
        """Train on scaled labels, on the device where all is; loss by epoch."""
        optimiser = torch.optim.AdamW(self.members.parameters(), RATE, weight_decay=DECAY)
        epochs, steps = options.constraint_epochs, -(-len(rows) // options.batch_size)
        smooth = cast("Tensor", self.smooth)

        def step(epoch: int) -> float:
            total = 0.0
            self.train()
            with seeded(random):
                for place, batch in enumerate(shuffled(len(rows), options.batch_size, random)):
                    set_rate(optimiser, cosine_rate(epoch + place / steps, epochs, RATE))
                    seen = rows[batch] + BLUR * smooth * normal(rows[batch].shape, random, rows.device)
                    votes = torch.stack([member(seen) for member in self.members])
                    loss = nn.functional.smooth_l1_loss(votes, scaled[batch].expand_as(votes), beta=0.5)
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                    total += loss.item() * len(batch)
            return total / len(rows)

        parts: dict[str, nn.Module | torch.optim.Optimizer] = {"model": self, "optimiser": optimiser}
        history = run_epochs(parts, epochs, step, random, progress, f"constraint on {self.property}", resume)
        optimiser.zero_grad()
        return history

    def score(self, rows: Tensor, values: Array) -> tuple[float, float]:
        """R² and mean absolute error in the property's unit on (n, width) rows of (n,) labels."""
        error = self.predict(rows) - values
        variance = float(((values - values.mean()) ** 2).sum())
        return 1 - float((error**2).sum()) / max(variance, 1e-12), float(np.abs(error).mean())

    def state(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Weights and scale."""
        return to_arrays(self, prefix)

    def restore(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Take over weights and scale."""
        from_arrays(self, arrays, prefix)
        self.eval().requires_grad_(False)


@dataclass(frozen=True)
class Pull:
    """What a frozen model asks of graphs.

    Parameters
    ----------
    model
        Predicts the property.
    weight
        Beside the adversarial loss.
    value
        Aim, in the property's unit.
    tolerance
        Distance from the aim that costs nothing; None where anything beyond the aim is as good.
    upwards
        Whether beyond the aim means above it.
    """

    model: ConstraintModel
    weight: float
    value: float
    tolerance: float | None = None
    upwards: bool = False

    @classmethod
    def towards(cls, model: ConstraintModel, condition: Condition) -> Pull:
        """Into a window; of a bound or an objective, beyond the value aimed at."""
        wide = condition.scale if condition.two_sided else None
        return cls(model, 1.0, condition.value, wide, condition.upwards)

    def __call__(self, rows: Tensor) -> Tensor:
        """(n,) how far (n, width) rows are from the aim, in standard deviations of the property; 0 within it."""
        votes = self.model(rows)
        mean, doubt = votes.mean(dim=0), votes.std(dim=0, unbiased=False)
        off = self.value - mean if self.upwards else mean - self.value
        away = off if self.tolerance is None else off.abs() - self.tolerance
        return torch.relu(away + doubt) / self.model.spread
