"""Running: which evaluations run, since when, by whom, and how far each has come by what its programs have written.

Reads only. A file that is half written, or that lies on another machine, tells nothing; then state and time do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pymatgen.core import Structure

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.engines.steps.children import LOG
from fermiloop.flows.processes.identity import parse
from fermiloop.flows.queue import giving_back
from fermiloop.platform.campaign.reported import RunningRow
from fermiloop.platform.store import calculations, candidates, leases
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import CalculationState

TAIL: Final = 65_536  # bytes of a log that are read
GEOMETRY: Final = "geometry.json"
GPAW_LOG: Final = "gpaw.txt"
ATTEMPT: Final = "attempt-"
GPAW_SCF: Final = re.compile(r"^\|?iter:\s*(\d+)[\s|]+[\d:]+[\s|]+(?:([-+]?\d+\.\d+)c?[\s|])?", re.MULTILINE)
VASP_SCF: Final = re.compile(r"^(?:DAV|RMM|SDA|CGA):\s+(\d+)\s+([-+.\dE]+)", re.MULTILINE)
VASP_IONIC: Final = re.compile(r"^\s*(\d+) F=", re.MULTILINE)


@dataclass(frozen=True)
class Progress:
    """How far a step has come.

    Parameters
    ----------
    step
        Name of the step, empty where none has left anything here.
    scf
        Self-consistency steps of the geometry at hand.
    ionic
        The geometry at hand, counted from 1.
    energy
        eV, of the last self-consistency step.
    """

    step: str = ""
    scf: int | None = None
    ionic: int | None = None
    energy: float | None = None

    @property
    def sentence(self) -> str:
        """In a few words."""
        parts = [self.step] if self.step else []
        parts += [f"SCF {self.scf}"] if self.scf is not None else []
        parts += [f"ionic step {self.ionic}"] if self.ionic is not None else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Running:
    """One evaluation that runs.

    Parameters
    ----------
    worker
        Host and process id; the whole name is in the calculation.
    seconds
        Since it began, by the clock of the database server.
    told
        Whether it was told to stop.
    """

    calculation: str
    candidate: str
    formula: str
    worker: str
    since: datetime | None
    seconds: float | None
    progress: Progress
    told: bool = False

    @property
    def sentence(self) -> str:
        """Formula, progress, time and worker on one line."""
        age = "" if self.seconds is None else f"{self.seconds:.0f} s on "
        parts = [self.progress.sentence, f"{age}{self.worker}"]
        return f"{self.formula}: {', '.join(part for part in parts if part)}{', told to stop' * self.told}"

    def row(self) -> RunningRow:
        """For JSON and tables."""
        return {
            "calculation": self.calculation,
            "candidate": self.candidate,
            "formula": self.formula,
            "worker": self.worker,
            "since": None if self.since is None else self.since.isoformat(),
            "seconds": self.seconds,
            "told": self.told,
            "progress": self.progress.sentence,
            "step": self.progress.step,
            "scf": self.progress.scf,
            "ionic": self.progress.ionic,
            "energy": self.progress.energy,
        }


@dataclass(frozen=True)
class StepOnDisk:
    """A step of a calculation that has begun on this machine.

    Parameters
    ----------
    step
        Its name.
    attempts, outcome
        Attempts that have ended, and how the last did.
    core_seconds
        Of all attempts.
    progress
        How far the files say that it has come.
    """

    step: str
    attempts: int
    outcome: str
    core_seconds: float
    progress: str


def of_campaign(name: str) -> list[Running]:
    """Evaluations of a campaign that run, the oldest first."""
    found = giving_back.running(name)
    moment = leases.server_time() if found else None
    rows = [_running(candidate.id, candidate.formula, one, moment) for candidate, one in found]
    return sorted(rows, key=lambda row: (-(row.seconds or 0.0), row.calculation))


def of_ids(ids: Iterable[str]) -> list[Running]:
    """Those of these calculations that run, the oldest first."""
    found = [one for one in calculations.of_ids(ids) if one.state is CalculationState.RUNNING]
    moment = leases.server_time() if found else None
    rows = [_running("", _formula(one), one, moment) for one in found]
    return sorted(rows, key=lambda row: (-(row.seconds or 0.0), row.calculation))


def of_calculation(calculation_id: str) -> Running | None:
    """The run of one calculation, None where it does not run."""
    found = calculations.get(calculation_id)
    if found.state is not CalculationState.RUNNING:
        return None
    owners = candidates.of_calculation(found.id)
    name, formula = (owners[0].id, owners[0].formula) if owners else ("", _formula(found))
    return _running(name, formula, found, leases.server_time())


def _formula(one: Calculation) -> str:
    return str(Structure.from_dict(one.structure).composition.reduced_formula)


def progress_of(calculation_id: str) -> Progress:
    """How far the newest step of a calculation has come, by its files."""
    newest = _newest(calculation_id)
    return _in(newest) if newest is not None else Progress()


def steps_of(calculation_id: str) -> list[StepOnDisk]:
    """Each step of a calculation that has begun here, in that order."""
    folder = isolation.step_folder(calculation_id, "")
    begun = sorted((path for path in folder.glob("*") if path.is_dir()), key=_begun)
    rows = []
    for step in begun:
        ended = isolation.ledger(step)
        outcome, cost = ended[-1][1] if ended else "", round(sum(cost for cost, _ in ended), 3)
        rows.append(StepOnDisk(step.name, len(ended), outcome, cost, _in(step).sentence))
    return rows


def log_of(calculation_id: str, lines: int = 12) -> str:
    """Last lines of what the newest step has written; nothing where it is not here."""
    newest = _newest(calculation_id)
    if newest is None:
        return ""
    tries = sorted(newest.glob(f"{ATTEMPT}*/"), key=lambda path: path.stat().st_mtime)
    found = (tries[-1] / "OSZICAR",) if tries else (newest / GPAW_LOG, newest / LOG)
    text = next((text for text in map(_tail, found) if text.strip()), "")
    return "\n".join(text.rstrip().splitlines()[-lines:])


def short(worker: str | None) -> str:
    """Host and process id of a worker."""
    found = parse(worker or "")
    return f"{found.host}~{found.pid}" if found else (worker or "a worker")


def _running(candidate: str, formula: str, one: Calculation, moment: datetime | None) -> Running:
    seconds = None
    if moment is not None and one.started_at is not None:
        seconds = round(max(0.0, (moment - one.started_at).total_seconds()), 1)
    told = bool(one.stop_requested)
    return Running(one.id, candidate, formula, short(one.worker), one.started_at, seconds, progress_of(one.id), told)


def _newest(calculation_id: str) -> Path | None:
    try:
        steps = [path for path in isolation.step_folder(calculation_id, "").iterdir() if path.is_dir()]
        return max(steps, key=_begun)
    except (OSError, ValueError):
        return None


def _in(step: Path) -> Progress:
    try:
        tries = sorted(step.glob(f"{ATTEMPT}*/"), key=lambda path: path.stat().st_mtime)
        return _of_vasp(step.name, tries[-1]) if tries else _of_child(step)
    except OSError:
        return Progress(step.name)


def _begun(step: Path) -> float:
    """When a step was begun: its input is written then."""
    given = step / isolation.INPUT
    return (given if given.exists() else step).stat().st_mtime


def _of_child(step: Path) -> Progress:
    """Of a step that a child process does: GPAW's log, and the geometries that its optimiser has left."""
    counts = GPAW_SCF.findall(_since_last(_tail(step / GPAW_LOG), "iter:   1 "))
    ionic = None
    try:
        ionic = int(json.loads((step / GEOMETRY).read_text(encoding="utf-8"))["written"])
    except (OSError, ValueError, KeyError, TypeError):
        ionic = 1 if step.name.startswith("relax") and counts else None
    if not counts:
        return Progress(step.name, ionic=ionic)
    scf, energy = counts[-1]
    return Progress(step.name, int(scf), ionic, float(energy) if energy else None)


def _of_vasp(step: str, attempt: Path) -> Progress:
    """Of an attempt of VASP: OSZICAR, which has a line for each SCF step and one for each geometry."""
    text = _tail(attempt / "OSZICAR")
    done = VASP_IONIC.findall(text)
    counts = VASP_SCF.findall(text[text.rfind(" F=") + 1 :] if done else text)
    if not done and not counts:
        return Progress(step)
    ionic = int(done[-1]) + bool(counts) if done else 1
    scf, energy = counts[-1] if counts else (None, None)
    return Progress(step, int(scf) if scf else None, ionic, _number(energy))


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _since_last(text: str, mark: str) -> str:
    place = text.rfind(mark)
    return text[place:] if place >= 0 else text


def _tail(path: Path) -> str:
    """End of a file; nothing where it cannot be read."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL))
            return log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
