"""Where networks train that are large enough for it: the GPU where there is one; the same code elsewhere.

Mixed precision is for those that ask for `precision`: images, FTCP, ensembles.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import torch

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


DEVICES: Final = ("cpu", "cuda")
_chosen: list[str] = []


def choose_device(name: str | None) -> None:
    """Train on this device from now on, in this process; None for the best one again.

    Raises
    ------
    InputError
        If there is no such device here.
    """
    if name is not None and name not in DEVICES:
        raise InputError(f"{name} is no device to train on; choose one of {', '.join(DEVICES)}.")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("torch sees no GPU here, so nothing can train on cuda; leave the device out.")
    _chosen[:] = [] if name is None else [name]


def best_device() -> torch.device:
    """The device that was chosen, else the first GPU, or the processor."""
    return torch.device(_chosen[0] if _chosen else "cuda" if torch.cuda.is_available() else "cpu")


def precision(device: torch.device) -> AbstractContextManager[object]:
    """Mixed precision on a GPU (bfloat16 needs no scaling of the loss); full precision on the processor."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


def normal(shape: tuple[int, ...] | torch.Size, random: torch.Generator, device: torch.device) -> torch.Tensor:
    """Standard normal numbers: drawn on the processor, so that a seed gives the same ones on every device."""
    return torch.randn(shape, generator=random).to(device)


@contextmanager
def seeded(by: int | torch.Generator) -> Iterator[None]:
    """Let what takes no generator of its own, such as initial weights and dropout, follow from a seed.

    Parameters
    ----------
    by
        The seed, or a generator that it is drawn from.
    """
    seed = int(torch.randint(2**31, (1,), generator=by)) if isinstance(by, torch.Generator) else by
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
