"""Answers of a file in the place of calculations: for virtual screening on what is known, demonstrations and tests.

Nothing runs and nothing is paid; a crystal that is not in the file, or there without an energy, is refused before
it is chosen. The Method is the content of the file, so another file is another Method.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jobflow import Flow, Maker, job
from pymatgen.core import Structure

from fermiloop.flows.engines.protocol import Availability, EngineEntry, MethodRecord, chain, checked_settings
from fermiloop.flows.engines.recorded.declaration import RECORDED
from fermiloop.flows.engines.steps import failures
from fermiloop.platform.errors import EngineError, InputError
from fermiloop.platform.representations.answer_file import Answer, Register, read_answers

STEP: Final = "static"


@dataclass(frozen=True)
class RecordedSettings:
    """Which answers.

    Parameters
    ----------
    file
        Path of the file, as `representations.answer_file` reads it.
    """

    file: str = ""


@dataclass(frozen=True)
class Recorded:
    """A file of answers.

    Parameters
    ----------
    answers
        In the order of the file.
    register
        Finds a crystal among them.
    digest
        Of the content.
    """

    answers: tuple[Answer, ...]
    register: Register
    digest: str

    def find(self, structure: Structure) -> Answer | None:
        """The answer for a crystal, None where there is none."""
        place = self.register.find(structure)
        return None if place is None else self.answers[place]


def recorded(settings: Mapping[str, Any]) -> Recorded:
    """The file that settings name.

    Raises
    ------
    InputError
        If they name none, or it cannot be read.
    """
    file = checked_settings(RecordedSettings, settings, RECORDED.name).file
    if not file:
        raise InputError("The recorded engine answers from a file; name it by its setting file, as file=answers.jsonl.")
    path = Path(file).expanduser()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Recorded:
    answers = tuple(read_answers(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return Recorded(answers, Register([one.structure for one in answers]), digest)


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """Method of a file: its content."""
    return MethodRecord(RECORDED.name, "as recorded", {"content": recorded(settings).digest}, {})


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:  # noqa: ARG001
    """One job that looks the answer up."""
    made = RecordedMaker(settings=dict(settings), calculation=calculation).make(structure)
    return chain("recorded answer", [], {STEP: made})


def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:
    """Why there is no answer, None where there is one."""
    found = recorded(settings).find(structure)
    if found is None:
        return "its file holds no such crystal"
    return None if found.energy_per_atom is not None else f"its file holds {found.key} without an energy"


def available() -> Availability:
    """It is built in."""
    return Availability(True, "built in")


@dataclass
class RecordedMaker(Maker):
    """The recorded answer for one crystal."""

    name: str = "recorded answer"
    settings: dict[str, Any] | None = None
    calculation: str = ""

    @job(data=["energies", "density"])
    def make(self, structure: Structure) -> dict[str, Any]:
        """What is recorded: energies in eV per cell, density in states/eV/cell."""
        with failures.told(self.calculation, STEP):
            found = recorded(self.settings or {}).find(structure)
            if found is None or found.energy_per_atom is None:
                raise EngineError(f"no answer is recorded for {structure.composition.reduced_formula}")
            return output_of(found)


def output_of(found: Answer) -> dict[str, Any]:
    """An answer as engines leave it; numbers that are not recorded are left out."""
    if found.energy_per_atom is None:
        raise InputError(f"{found.key} is recorded without an energy.")
    numbers = {
        "gap": found.gap,
        "magnetic_moment": found.magnetic_moment,
        "fermi_level": found.fermi_level,
        "n_electrons": found.n_electrons,
    }
    output: dict[str, Any] = {
        "structure": found.structure.as_dict(),
        "energy": found.energy_per_atom * len(found.structure),
        **{name: value for name, value in numbers.items() if value is not None},
    }
    if found.energies is not None and found.density is not None:
        output |= {"energies": found.energies.tolist(), "density": found.density.tolist()}
    if found.curves:
        output["curves"] = {name: [x.tolist(), y.tolist()] for name, (x, y) in found.curves.items()}
    return output


ENGINE: Final = EngineEntry(method, flow, available, refuses=refuses)
