"""Flows of a group of its own: what the engine ``flow`` is pointed at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobflow import Flow, Job, Maker, Response, job
from pymatgen.core import Structure


@job(data="curve")
def squeeze(structure: Structure, by: float) -> dict[str, Any]:
    """The crystal at another volume, with made-up numbers of it and where it was computed."""
    found = structure.copy()
    found.scale_lattice(structure.volume * by)
    grid = [round(-10.0 + 0.1 * i, 6) for i in range(181)]
    curve = {"energies": [x + 3.0 for x in grid], "densities": {"1": [1.0] * 181, "-1": [0.5] * 181}}
    return {
        "structure": found, "output": {"energy_per_atom": -4.0 * by}, "bulk": [{"k": 1.5, "unit": "Mbar"}],
        "moment": 2.0 * len(found), "curve": curve, "fermi": 3.0, "folder": str(Path.cwd()), "words": "much",
    }  # fmt: skip


@job
def twice(structure: Structure, by: float) -> Response:
    """Another job in the place of this one."""
    return Response(replace=squeeze(structure, by))


@job
def fail() -> None:
    """Fails as programs do."""
    raise RuntimeError("the self-consistency did not converge")


@job
def rest(seconds: float) -> dict[str, float]:
    """Takes its time."""
    time.sleep(seconds)
    return {"energy_per_atom": -1.0}


@dataclass
class SqueezeMaker(Maker):
    """Two jobs, the second in the place of another."""

    name: str = "squeeze"
    by: float = 0.9

    def make(self, structure: Structure) -> Flow:
        """Flow of a crystal."""
        first = squeeze(structure, self.by)
        second = twice(first.output["structure"], self.by)
        return Flow([first, second], output=second.output, name=self.name)


@dataclass
class PickyMaker(SqueezeMaker):
    """Takes only what is less than one."""

    def __post_init__(self) -> None:
        if self.by >= 1:
            raise ValueError("by must be less than 1")


def of_callable(structure: Structure, by: float = 0.5) -> Job:
    """A job of a crystal, by a plain function."""
    return squeeze(structure, by)


def failing(structure: Structure) -> Job:
    """A flow that fails."""
    return fail()


def resting(structure: Structure, seconds: float = 60.0) -> Job:
    """A flow that takes long."""
    return rest(seconds)


def number(structure: Structure) -> float:
    """No flow at all."""
    return 1.0


def silent(structure: Structure) -> Flow:
    """A flow that does not say what its output is."""
    return Flow([squeeze(structure, 0.5)])


made = SqueezeMaker()
word = "no maker"
