"""Where networks train that are large enough for it: the GPU where there is one; the same code elsewhere.

Mixed precision is for those that ask for `precision`: images, FTCP, ensembles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def best_device() -> torch.device:
    """The first GPU, or the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(device: torch.device) -> AbstractContextManager[object]:
    """Mixed precision on a GPU (bfloat16 needs no scaling of the loss); full precision on the processor."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


def normal(shape: tuple[int, ...] | torch.Size, random: torch.Generator, device: torch.device) -> torch.Tensor:
    """Standard normal numbers: drawn on the processor, so that a seed gives the same ones on every device."""
    return torch.randn(shape, generator=random).to(device)
