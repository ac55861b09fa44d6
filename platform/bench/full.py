"""Training at scale as one command: what it will take, measured first, then the training, which can be stopped.

The generator is built as a campaign builds it, with the preset ``paper``. A trial of a few crystals and one or two
epochs of each stage says what a whole epoch takes and how much memory; then the whole training begins. Its state is
kept in a folder, so that the same command goes on where it was stopped. Networks train on the GPU where there is one,
images and FTCP in mixed precision.
"""

from __future__ import annotations

import hashlib
import json
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import read_crystals, select
from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.predictors.device import best_device

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fermiloop.platform.generators.protocol import FitReport
    from fermiloop.platform.representations.training import TrainingSet

    Progress = Callable[[str, float], None]

PRESET: Final = "paper"
MODEL: Final = "model"
"""Folder of the trained generator in the folder of a training."""
GIB: Final = 2**30


class TimeUp(FermiloopError):  # noqa: N818 - it ends a training as planned
    """The hours that a training was given are over."""


@dataclass(frozen=True)
class Stage:
    """A part of a training, known by how its progress is called.

    Parameters
    ----------
    prefix
        Of the name that the training tells.
    count
        Option that says how many epochs or steps it has.
    by_crystals
        Whether an epoch sees every crystal; other epochs are of a size of their own.
    drawn
        Option that says how many are drawn for an epoch, where it is so; empty otherwise.
    by_elements
        Whether there is one for each element.
    """

    prefix: str
    count: str
    by_crystals: bool = True
    drawn: str = ""
    by_elements: bool = False


@dataclass(frozen=True)
class Plan:
    """How a paper's generator is trained at scale.

    Parameters
    ----------
    generator
        Its name.
    choose
        The crystals of a file that it takes.
    whole
        What the preset's counts are, by the option's name.
    trial
        Options of the trial: fewer epochs, steps and images.
    crystals
        Of the trial.
    stages
        Parts of the training; what belongs to none is counted once.
    bytes_each
        Of one crystal's representation, as it lies in memory.
    """

    generator: str
    choose: Callable[[TrainingSet], TrainingSet]
    whole: Mapping[str, int]
    trial: Mapping[str, Any]
    crystals: int
    stages: tuple[Stage, ...]
    bytes_each: int


def _seconds() -> float:
    """By the clock on a GPU; on the processor what it takes where nothing else runs, whatever runs now."""
    import torch

    if best_device().type == "cuda":
        return time.perf_counter()
    return time.process_time() / torch.get_num_threads()


@dataclass
class Clock:
    """Takes the time of each part from what a training tells of its progress: the gaps between its words."""

    gaps: dict[str, list[float]] = field(default_factory=dict)
    last: float = field(default_factory=_seconds)

    def __call__(self, what: str, share: float) -> None:  # noqa: ARG002 - time alone counts
        """Put the time since the last word down to what speaks."""
        now = _seconds()
        self.gaps.setdefault(what, []).append(now - self.last)
        self.last = now

    def of(self, what: str) -> float:
        """Seconds of the epochs of a part; the first gap holds what came before, so it counts as another one."""
        first, *others = self.gaps[what]
        return (len(others) + 1) * float(np.mean(others)) if others else first

    def by_stage(self, stages: tuple[Stage, ...]) -> tuple[dict[str, float], float]:
        """Seconds of the epochs of each stage, and of all else."""
        found = dict.fromkeys((stage.prefix for stage in stages), 0.0)
        for what in self.gaps:
            name = next((stage.prefix for stage in stages if what.startswith(stage.prefix)), None)
            if name is not None:
                found[name] += self.of(what)
        total = sum(sum(gaps) for gaps in self.gaps.values())
        return found, max(total - sum(found.values()), 0.0)


def estimate(plan: Plan, data: TrainingSet, options: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """A row for each stage: seconds of an epoch and hours in all, from measured steps; the last one is of all.

    Parameters
    ----------
    data
        All crystals of the training.
    options
        Of the generator, beside its preset's.
    """
    some = data.subset(np.random.default_rng(seed).permutation(len(data))[: plan.crystals].tolist())
    model = GENERATORS[plan.generator].build(PRESET, {**options, **plan.trial})
    clock = Clock()
    with TemporaryDirectory() as folder:
        model.fit(some, seed, clock, Path(folder))
    measured, rest = clock.by_stage(plan.stages)
    whole, more = {**plan.whole, **options}, len(data) / len(some)
    elements = n_elements(data) / max(n_elements(some), 1)
    rows = []
    for stage in plan.stages:
        each = measured[stage.prefix] / int(plan.trial[stage.count])
        each *= more if stage.by_crystals else 1.0
        each *= elements if stage.by_elements else 1.0
        each *= int(whole[stage.drawn]) / int(plan.trial[stage.drawn]) if stage.drawn else 1.0
        epochs = int(whole[stage.count])
        rows.append(_row(stage.prefix, epochs, each, each * epochs / 3600, measured[stage.prefix]))
    rows.append(_row("preparation", None, None, rest * more / 3600, rest))
    total = _row("in all", None, None, sum(row["hours"] for row in rows), sum(row["measured_seconds"] for row in rows))
    return [*rows, total | {"memory_gib": memory_of(plan, data)}]


def _row(stage: str, epochs: int | None, each: float | None, hours: float, measured: float) -> dict[str, Any]:
    return {
        "stage": stage,
        "epochs": epochs,
        "seconds_of_one": each,
        "hours": hours,
        "measured_seconds": measured,
        "memory_gib": None,
    }


def n_elements(data: TrainingSet) -> int:
    """Different elements of some crystals."""
    return len({element.symbol for structure in data.structures for element in structure.composition.elements})


def memory_of(plan: Plan, data: TrainingSet) -> float:
    """GiB: the most that the trial took on its device, and what all crystals take as they are represented."""
    import torch

    device = best_device()
    if device.type == "cuda":
        used = float(torch.cuda.max_memory_allocated(device))
    else:
        used = 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (used + plan.bytes_each * max(len(data) - plan.crystals, 0)) / GIB


def train_full(
    plan: Plan,
    data: TrainingSet,
    folder: Path,
    options: Mapping[str, Any],
    hours: float | None,
    seed: int,
    tell: Progress,
) -> FitReport:
    """Train, or go on with what the folder holds; the trained generator is written to ``folder/model``.

    Raises
    ------
    TimeUp
        When the hours are over; the state is kept.
    InputError
        If the folder holds another training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder, plan, data, options, seed)
    ends = None if hours is None else time.monotonic() + 3600 * hours

    def progress(what: str, share: float) -> None:
        tell(what, share)
        if ends is not None and time.monotonic() > ends:
            raise TimeUp(
                f"The training of {plan.generator} stopped in {what}, {100 * share:.0f}% done, as its {hours:g} hours "
                f"are over; its state is in {folder}, and the same command goes on."
            )

    model = GENERATORS[plan.generator].build(PRESET, dict(options))
    report: FitReport = model.fit(data, seed, progress, folder)
    (folder / MODEL).mkdir(exist_ok=True)
    model.save(folder / MODEL)
    return report


def claim(folder: Path, plan: Plan, data: TrainingSet, options: Mapping[str, Any], seed: int) -> None:
    """Mark a folder as that of one training.

    Raises
    ------
    InputError
        If it is that of another one.
    """
    told = {"generator": plan.generator, "options": dict(options), "seed": seed, "crystals": digest(data)}
    file = folder / "training.json"
    if file.exists() and json.loads(file.read_text(encoding="utf-8")) != told:
        raise InputError(f"{folder} holds another training; name another folder, or remove it.")
    file.write_text(json.dumps(told), encoding="utf-8")


def digest(data: TrainingSet) -> str:
    """Of the ids of some crystals: what a checkpoint says that it learned from."""
    return "file-" + hashlib.sha256("\n".join(data.ids).encode()).hexdigest()[:16]


def read_for(plan: Plan, data: Path) -> TrainingSet:
    """The crystals of a file that a plan takes.

    Raises
    ------
    InputError
        If it cannot be read or holds none.
    """
    return plan.choose(read_crystals(data)[0])


def _of_curves(data: TrainingSet) -> TrainingSet:
    return data.with_curves()


def _ternaries(data: TrainingSet) -> TrainingSet:
    return select(data, 3, 20)


def _binaries(data: TrainingSet) -> TrainingSet:
    return select(data, 2, 20, 10.0)


def _small(data: TrainingSet) -> TrainingSet:
    return select(data, None, 20, 10.0)


SITE_IMAGE: Final = 4 * 64**3
CELL_IMAGE: Final = 4 * 32**3
PLANS: Final[dict[str, Plan]] = {
    "dos": Plan(
        "dos_composer", _of_curves, {"epochs": 150}, {"epochs": 3, "potential": "none"}, 300,
        (Stage("paper", "epochs"),), 8 * 151,
    ),
    "ftcp": Plan(
        "ftcp", _ternaries, {"epochs": 200}, {"epochs": 2}, 512, (Stage("ftcp paper", "epochs"),), 4 * 240 * 62,
    ),
    "imatgen": Plan(
        "imatgen", _binaries, {"epochs": 20, "cell_epochs": 20, "generator_epochs": 200},
        {"epochs": 2, "cell_epochs": 2, "generator_epochs": 2}, 4,
        (Stage("basis", "epochs"), Stage("cell", "cell_epochs"), Stage("materials generator", "generator_epochs")),
        2 * (2 * SITE_IMAGE + CELL_IMAGE),
    ),
    "ccdcgan": Plan(
        "ccdcgan", _small,
        {"site_epochs": 100, "cell_epochs": 400, "constraint_epochs": 1000, "gan_steps": 102_500, "epoch_images": 1024},
        {"site_epochs": 2, "cell_epochs": 2, "constraint_epochs": 2, "gan_steps": 2, "epoch_images": 4}, 20,
        (
            Stage("site autoencoder of", "site_epochs", False, "epoch_images", True),
            Stage("site autoencoder", "site_epochs", False, "epoch_images"),
            Stage("cell autoencoder", "cell_epochs", False, "epoch_images"),
            Stage("constraint", "constraint_epochs", False),
            Stage("ccdcgan", "gan_steps", False),
        ),
        3 * SITE_IMAGE + CELL_IMAGE,
    ),
}  # fmt: skip
"""By the bench. The published counts are those of the presets ``paper``, which a test compares."""
