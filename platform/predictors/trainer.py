"""One training loop for every network: it can be cancelled, and goes on where it stopped.

What it keeps is the state of each network and optimiser, the loss by epoch and the state of the random
numbers, as safetensors and JSON, never as pickles; so a training that was cut in two ends with the same
weights as one that was not. Learning rates must follow from the epoch, not from an object of their own.
"""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.predictors.files import under

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Part = nn.Module | torch.optim.Optimizer

PLAN: Final = "plan"
RANDOM: Final = "random"
EVERY_S: Final = 30.0


def run_epochs(
    parts: Mapping[str, Part],
    epochs: int,
    step: Callable[[int], float],
    random: torch.Generator,
    progress: Callable[[str, float], None],
    what: str = "training",
    resume: Path | None = None,
    every_s: float = EVERY_S,
) -> tuple[float, ...]:
    """Call `step` for every epoch that is still to do; loss by epoch, of all of them.

    Parameters
    ----------
    parts
        Networks and optimisers by name: all that an epoch changes.
    epochs
        How many in all.
    step
        Trains one epoch and returns its loss.
    random
        Where `step` takes all its random numbers from.
    progress
        Told `what` and the share done after each epoch; an exception out of it cancels the training,
        whose state is kept first.
    resume
        Folder of the state; None keeps none. The state is left there when the training is done.
    every_s
        Seconds between two savings of the state.

    Raises
    ------
    InputError
        If the folder holds the state of another training.
    FermiloopError
        If the loss is no longer finite.
    """
    file = None if resume is None else resume / f"{_stem(what)}.safetensors"
    history = [] if file is None else _restore(parts, random, file, what, epochs)
    saved = time.monotonic()
    for epoch in range(len(history), epochs):
        history.append(_finite(float(step(epoch)), what, epoch))
        try:
            progress(what, (epoch + 1) / epochs)
        except BaseException:  # a cancelled training keeps what it has, and goes on from there
            _keep(parts, random, history, file, what, epochs)
            raise
        if time.monotonic() - saved > every_s or epoch + 1 == epochs:
            _keep(parts, random, history, file, what, epochs)
            saved = time.monotonic()
    return tuple(history)


def _finite(loss: float, what: str, epoch: int) -> float:
    if not math.isfinite(loss):
        raise FermiloopError(f"The loss of {what} is {loss} after epoch {epoch + 1}; lower its learning rate.")
    return loss


def cosine_rate(epoch: float, epochs: float, highest: float, warm_up: float = 0.1, lowest: float = 0.01) -> float:
    """Learning rate of an epoch: a linear rise over the first share `warm_up`, then a half cosine.

    Parameters
    ----------
    epoch, epochs
        Which one, of how many; fractions of an epoch are fine.
    highest
        Rate at the end of the rise.
    warm_up
        Share of the training that the rise takes.
    lowest
        Share of `highest` at the very end.
    """
    done = epoch / max(epochs, 1.0)
    if done < warm_up:
        return highest * (0.04 + 0.96 * done / warm_up)
    fall = min((done - warm_up) / max(1 - warm_up, 1e-9), 1.0)
    return highest * (lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * fall)))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group of an optimiser this learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move an averaged copy of a network towards it: average = decay · average + (1 - decay) · network."""
    with torch.no_grad():
        theirs = network.state_dict()
        for name, value in average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])


def shuffled(n: int, batch_size: int, random: torch.Generator) -> list[torch.Tensor]:
    """Batches of indices of one epoch, in random order."""
    return list(torch.split(torch.randperm(n, generator=random), batch_size))


def _keep(
    parts: Mapping[str, Part], random: torch.Generator, history: list[float], file: Path | None, what: str, epochs: int
) -> None:
    """Write the state as one file in one move, so that a kill leaves the old one or the new one."""
    if file is None:
        return
    tensors: dict[str, torch.Tensor] = {RANDOM: random.get_state()}
    groups: dict[str, Any] = {}
    for name, part in parts.items():
        state = part.state_dict()
        if isinstance(part, nn.Module):
            tensors |= {f"{name}/{key}": value.detach().clone() for key, value in state.items()}
            continue
        groups[name] = state["param_groups"]
        for index, values in state["state"].items():
            tensors |= {f"{name}/{index}/{key}": torch.as_tensor(value).clone() for key, value in values.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    plan = {"what": what, "epochs": epochs, "history": history, "groups": groups}
    half = file.with_suffix(".part")
    save_file({key: value.contiguous() for key, value in tensors.items()}, half, {PLAN: json.dumps(plan)})
    half.replace(file)


def _restore(parts: Mapping[str, Part], random: torch.Generator, file: Path, what: str, epochs: int) -> list[float]:
    """Loss by epoch of the state in the file, which the parts take over; nothing where there is none."""
    if not file.exists():
        return []
    try:
        with safe_open(file, "pt") as stored:
            plan = json.loads(stored.metadata()[PLAN])
            tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - no mapping
        for name, part in parts.items():
            own = under(f"{name}/", tensors)
            if isinstance(part, nn.Module):
                part.load_state_dict(own)
            else:
                part.load_state_dict({"state": _by_index(own), "param_groups": plan["groups"][name]})
        random.set_state(tensors[RANDOM])
        history = [float(loss) for loss in plan["history"]]
        planned = plan["epochs"]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputError(f"{file} holds no state of this {what} ({error}); remove it to start again.") from None
    if planned != epochs:
        raise InputError(f"{file} holds a {what} of {planned} epochs, not {epochs}; remove it to start again.")
    return history


def _by_index(flat: Mapping[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    found: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in flat.items():
        index, name = key.split("/", 1)
        found.setdefault(int(index), {})[name] = value
    return found


def _stem(what: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in what)
