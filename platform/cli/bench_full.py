"""``fermiloop bench NAME --full``: a paper's network trained at scale, and kept as a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fermiloop.platform.cli.output import Listing, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError

Full = Annotated[
    bool,
    typer.Option("--full", help="Train the paper's network on all crystals, and keep it as a checkpoint; no table."),
]
Device = Annotated[
    str | None, typer.Option("--device", help="With --full: cpu or cuda. [the first GPU, else the processor]")
]
Hours = Annotated[
    float | None, typer.Option("--hours", min=0, help="With --full: stop then; the same command goes on. [no limit]")
]
Estimate = Annotated[bool, typer.Option("--estimate", help="With --full: say what it takes, and train nothing.")]
Folder = Annotated[Path | None, typer.Option("--to", help="With --full: folder of the training. [trainings/NAME]")]


SCALED: Final = ("dos", "ftcp", "imatgen", "ccdcgan")
"""Benches whose networks can be trained at scale; those of `fermiloop.platform.bench.full.PLANS`."""


@dataclass(frozen=True)
class Scale:
    """What a person says of a training at scale: the options above."""

    full: bool
    device: str | None
    hours: float | None
    folder: Path | None
    estimate: bool

    def asked_for(self) -> bool:
        """Whether it is asked for.

        Raises
        ------
        InputError
            If an option of it is given without it.
        """
        told = {"--device": self.device, "--hours": self.hours, "--to": self.folder}
        given = [name for name, value in told.items() if value is not None] + ["--estimate"] * self.estimate
        lonely = given[0] if given else ""
        if not self.full and lonely:
            raise InputError(f"{lonely} belongs to --full; add --full, or leave it out.")
        return self.full


def train(name: str, data: Path, seed: int, scale: Scale, *, as_json: bool) -> None:
    """Say what the training of a paper's network takes, train it, and keep the checkpoint.

    Raises
    ------
    InputError
        If there is no such device, or the file does not suit.
    """
    from fermiloop.platform.bench import full
    from fermiloop.platform.predictors.device import best_device, choose_device

    choose_device(scale.device)
    plan, place = full.PLANS[name], scale.folder or Path("trainings") / name
    crystals = full.read_for(plan, data)
    with long_work("A trial of a few epochs") as report:
        report(plan.generator, 0.0)
        rows = full.estimate(plan, crystals, {}, seed)
    told: dict[str, Any] = {"rows": rows, "crystals": len(crystals), "device": str(best_device())}
    if not as_json:
        show(plan.generator, told)
    if not scale.estimate:
        with long_work(f"Training of {plan.generator}") as report:
            trained = full.train_full(plan, crystals, place, {}, scale.hours, seed, report)
        told["checkpoint"] = kept(plan, crystals, place, trained, seed)
        if not as_json:
            print_line(f"The checkpoint {told['checkpoint']} is in the store; put it into use by")
            print_line(f"fermiloop generators promote {told['checkpoint']}")
    if as_json:
        print_json(told)


def show(generator: str, told: dict[str, Any]) -> None:
    """Print what a training takes."""
    columns = {
        "stage": "stage", "epochs": "epochs", "seconds_of_one": "seconds of one", "hours": "hours",
        "measured_seconds": "measured, s", "memory_gib": "memory, GiB",
    }  # fmt: skip
    title = f"{generator}, preset paper: {told['crystals']} crystals on {told['device']}, from a trial"
    Listing(title, columns, told["rows"]).show()


def kept(plan: Any, crystals: Any, place: Path, trained: Any, seed: int) -> str:
    """Id of the checkpoint in the store."""
    from fermiloop.platform.app import generators
    from fermiloop.platform.bench import full
    from fermiloop.platform.store import connection

    connection.connect()
    learned = full.digest(crystals)
    return generators.keep(place / full.MODEL, plan.generator, full.PRESET, trained, learned, seed)
