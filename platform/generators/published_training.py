"""The training loop of the published networks of iMatGen and CCDCGAN: Adam at a constant rate."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fermiloop.platform.predictors.trainer import run_epochs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True)
class PublishedTraining:
    """What one network is trained on, and for how long.

    Parameters
    ----------
    epochs
        How many.
    rate
        Of Adam, constant.
    batches
        Row numbers of the batches of one epoch.
    loss
        Mean loss of the rows of a batch.
    around
        Entered for each epoch before its batches are drawn.
    """

    epochs: int
    rate: float
    batches: Callable[[], Sequence[Tensor]]
    loss: Callable[[Tensor], Tensor]
    around: Callable[[], AbstractContextManager[None]] = nullcontext


def train_by_adam(
    model: nn.Module,
    training: PublishedTraining,
    random: torch.Generator,
    progress: Callable[[str, float], None],
    what: str,
    resume: Path | None = None,
) -> tuple[float, ...]:
    """Train in place, on the device where the model is, and bring it back; loss by epoch.

    Parameters
    ----------
    model
        What learns.
    training
        On what, and how long.
    random
        Where batches and loss take all their random numbers from.
    progress, what, resume
        As in `run_epochs`.
    """
    optimiser = torch.optim.Adam(model.parameters(), training.rate)

    def step(_epoch: int) -> float:
        total, seen = 0.0, 0
        with training.around():
            for rows in training.batches():
                loss = training.loss(rows)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += float(loss.detach()) * len(rows)
                seen += len(rows)
        return total / seen

    parts: dict[str, nn.Module | torch.optim.Optimizer] = {"model": model, "optimiser": optimiser}
    try:
        return run_epochs(parts, training.epochs, step, random, progress, what, resume)
    finally:
        optimiser.zero_grad()
        model.cpu()
