"""Workers as jobs of a cluster's scheduler, by FireWorks' own queue adapter and queue launcher.

A job runs ``fermiloop worker run``, which recovers and advances campaigns as well as it runs what waits; FireWorks' own
launcher would only run. Files lie in ``queue/`` of the data folder: ``my_qadapter.yaml``, which may be edited and is
kept, ``my_fworker.yaml``, and ``environment``, which holds the database's address and is readable by its owner alone:
the script that the scheduler copies and shows only names that file.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from fireworks import FWorker, explicit_serialize
from fireworks.queue.queue_launcher import launch_rocket_to_queue
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.settings import PREFIX, settings

ADAPTER, FWORKER, ENVIRONMENT = "my_qadapter.yaml", "my_fworker.yaml", "environment"
TYPES: Final = {"slurm": "SLURM", "pbs": "PBS", "sge": "SGE"}  # ours, and FireWorks' name
# what a job needs of this shell, beside what `fermiloop` reads
CARRIED: Final = ("ATOMATE2_", "PMG_", "CP2K_", "DEFAULT_CP2K_", "PYTHONPATH")
SECRET: Final = f"{PREFIX}MONGODB_URI"
WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,@+/-]*")
WALLTIME: Final = re.compile(r"\d+(-\d+)?(:\d{2}){0,2}")
WARNING_SECONDS: Final = 120  # before its time is up a job is told, and its workers end in order
WORK_SECONDS: Final = 180  # that a job must have before it is told: Python and an engine start, and one step ends
STATUS_SECONDS: Final = 30
MOST_QUEUED: Final = 10


@explicit_serialize
class WorkerAdapter(CommonAdapter):
    """FireWorks' adapter under a name that says where it is.

    By its own name FireWorks looks for it in every module that it has, its tests included.
    """


@dataclass(frozen=True)
class QueueJob:
    """What one job of the scheduler is asked to be.

    Parameters
    ----------
    queue
        Name of the scheduler: a key of `TYPES`.
    processes
        Workers in one job.
    nodes, tasks_per_node
        For the programs that the workers start.
    walltime
        As the scheduler writes it, such as ``24:00:00``.
    account, partition
        Whom it is charged to, and where it waits.
    setup
        Lines of shell before the workers start, such as ``module load vasp``.
    """

    queue: str
    processes: int = 1
    nodes: int | None = None
    tasks_per_node: int | None = None
    walltime: str | None = None
    account: str | None = None
    partition: str | None = None
    setup: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.queue not in TYPES:
            raise InputError(f"The queue {self.queue!r} is unknown; known are {', '.join(TYPES)}.")
        for name, value in (("account", self.account), ("partition", self.partition)):
            if value is not None and not WORD.fullmatch(value):
                raise InputError(f"The {name} {value!r} is no name that a scheduler takes; use letters, digits and -_.")
        if self.walltime is not None:
            _check_walltime(self.queue, self.walltime)
        for line in self.setup:
            if "\n" in line or "$$" in line:
                raise InputError(
                    f"The setup line {line!r} holds a line break or $$, which FireWorks' templates take away."
                )
        if self.queue == "sge" and (self.nodes or self.tasks_per_node):
            raise InputError("SGE has no nodes to ask for; name your site's environment: --setup '#$ -pe mpi 16'.")


def walltime_seconds(queue: str, text: str) -> int:
    """Seconds of a walltime as a scheduler reads it: SLURM counts a bare number in minutes, the others in seconds.

    Raises
    ------
    InputError
        If it is no time.
    """
    if not WALLTIME.fullmatch(text):
        raise InputError(f"The walltime {text!r} is no time; write it as 24:00:00.")
    days, dash, rest = text.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if dash:  # days-hours[:minutes[:seconds]]
        hours, minutes, seconds = [*parts, 0, 0][:3]
        return ((24 * int(days) + hours) * 60 + minutes) * 60 + seconds
    if len(parts) == 1:
        return parts[0] * (60 if queue == "slurm" else 1)
    hours, minutes, seconds = [0, *parts][-3:]
    return (hours * 60 + minutes) * 60 + seconds


def _check_walltime(queue: str, text: str) -> None:
    """Refuse a time in which no evaluation can be done before the job is told to end."""
    seconds, notice = walltime_seconds(queue, text), WARNING_SECONDS * (queue == "slurm")
    if seconds == 0 and queue == "slurm":
        return  # SLURM's word for no limit
    if seconds < notice + WORK_SECONDS:
        told = f"the job is told to end {notice} s before, and " if notice else ""
        least = notice + WORK_SECONDS
        raise InputError(
            f"The walltime {text!r} is too short: {told}an evaluation needs minutes; "
            f"give 00:{least // 60:02d}:00 at least."
        )


def prepare(asked: QueueJob) -> WorkerAdapter:
    """Write the adapter, the worker and the environment; what was edited in the adapter is kept.

    Raises
    ------
    InputError
        If the database is the embedded one, which other machines cannot reach.
    """
    if settings().mongodb_uri is None:
        raise InputError(
            f"Jobs on other machines cannot reach the embedded database; set {SECRET} to a MongoDB server."
        )
    folder = queue_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = _write_environment(folder / ENVIRONMENT)
    adapter = _adapter(folder / ADAPTER, asked)
    adapter.update({key: value for key, value in _keys(asked).items() if value is not None})
    directives = [line for line in asked.setup if line.startswith("#")]
    if asked.queue == "sge" and asked.walltime:
        directives.append(f"#$ -l h_rt={asked.walltime}")
    setup = [line for line in asked.setup if not line.startswith("#")]
    adapter["pre_rocket"] = "\n".join([*directives, f". {shlex.quote(str(environment))}", *setup])
    python, many = shlex.quote(sys.executable), asked.processes
    # in place of the shell, so that the scheduler's warning reaches it
    adapter["rocket_launch"] = f"exec {python} -m fermiloop.platform.cli.main worker run -n {many} --until-idle"
    adapter.to_file(str(folder / ADAPTER))
    FWorker(name=asked.queue).to_file(str(folder / FWORKER))
    return adapter


def script(asked: QueueJob) -> str:
    """The script that would be submitted."""
    return str(prepare(asked).get_script_str(str(queue_folder())))


def submit(asked: QueueJob, jobs: int = 1, most: int = MOST_QUEUED) -> list[str]:
    """Submit jobs, as many as the bound leaves room for; their ids.

    Parameters
    ----------
    most
        Jobs of this user that may be in the queue.

    Raises
    ------
    InputError
        If the scheduler's command is not on this machine, or it could not count.
    FailureError
        If the scheduler does not answer or refuses a job; with its words.
    """
    adapter = prepare(asked)
    commands = adapter.q_commands[adapter.q_type]
    for command in (commands["submit_cmd"], commands["status_cmd"]):
        if shutil.which(command) is None:
            raise InputError(f"The command {command} is not on the PATH; submit from the cluster's login node.")
    if asked.queue == "pbs" and "queue" not in adapter:
        raise InputError("PBS counts its jobs by queue, and none is named; give --partition.")
    pad = launchpad()
    worker = FWorker.from_file(str(queue_folder() / FWORKER))
    submitted: list[str] = []
    try:
        with _heard(adapter) as said, _without_secrets():
            room = most - _in_queue(adapter, commands["status_cmd"], said)
            for _ in range(min(jobs, max(0, room))):
                found = launch_rocket_to_queue(
                    pad, worker, adapter, str(queue_folder()), strm_lvl="CRITICAL", create_launcher_dir=True,
                    fill_mode=True,  # campaigns make work as they go, so an empty queue of FireWorks says nothing
                )  # fmt: skip
                if not found:
                    raise FailureError(f"{commands['submit_cmd']} refused the job: {_last(said)}.")
                submitted.append(str(found))
    finally:
        pad.connection.close()
    return submitted


def queue_folder() -> Path:
    """Where the files of the queue lie, and the folders of its jobs."""
    return settings().data_dir.expanduser().absolute() / "queue"


def _adapter(path: Path, asked: QueueJob) -> WorkerAdapter:
    """The adapter as it was left, or a new one where the scheduler is another."""
    kind = TYPES[asked.queue]
    if path.exists():
        try:
            found = WorkerAdapter.from_dict(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, KeyError, TypeError, ValueError):
            raise InputError(f"{path} is no queue adapter of FireWorks; repair it or delete it.") from None
        if found.q_type == kind:
            return found
    return WorkerAdapter(kind, timeout=STATUS_SECONDS, job_name="fermiloop")


def _keys(asked: QueueJob) -> dict[str, Any]:
    """What was asked, by the keys of FireWorks' template for the scheduler."""
    shared = {"account": asked.account, "queue": asked.partition}
    if asked.queue == "slurm":
        own = {"nodes": asked.nodes, "ntasks_per_node": asked.tasks_per_node, "walltime": asked.walltime,
               "signal": f"B:TERM@{WARNING_SECONDS}"}  # fmt: skip
    elif asked.queue == "pbs":
        per_node = asked.tasks_per_node or (1 if asked.nodes else None)
        own = {"nnodes": asked.nodes, "ppnode": per_node, "walltime": asked.walltime}
    else:
        own = {}
    return shared | own


def _write_environment(path: Path) -> Path:
    """Write what the job's shell reads; nobody else may read it."""
    carried = {name: value for name, value in os.environ.items() if name.startswith((PREFIX, *CARRIED))}
    carried[f"{PREFIX}DATA_DIR"] = str(settings().data_dir.expanduser().absolute())
    if "PYTHONPATH" in carried:  # a job begins in another folder
        parts = [Path(part).absolute() for part in carried["PYTHONPATH"].split(os.pathsep) if part]
        carried["PYTHONPATH"] = os.pathsep.join(map(str, parts))
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(carried.items()))
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    partial.replace(path)
    return path


def _in_queue(adapter: WorkerAdapter, command: str, said: list[str]) -> int:
    found = adapter.get_njobs_in_queue()
    if found is None:
        raise FailureError(f"{command} did not say how many jobs are queued: {_last(said)}.")
    return int(found)


@contextlib.contextmanager
def _without_secrets() -> Iterator[None]:
    """Keep the database's address out of what the scheduler copies of this environment."""
    kept = os.environ.pop(SECRET, None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ[SECRET] = kept


class _Ear(logging.Handler):
    """Keeps what FireWorks logs of a failure, which it does not raise."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextlib.contextmanager
def _heard(adapter: WorkerAdapter) -> Iterator[list[str]]:
    ear = _Ear()
    loggers = [logging.getLogger(name) for name in (f"qadapter.{adapter.q_name}", "queue.launcher")]
    for logger in loggers:
        logger.addHandler(ear)
    try:
        yield ear.said
    finally:
        for logger in loggers:
            logger.removeHandler(ear)


def _last(said: list[str]) -> str:
    """What the scheduler answered, on one line."""
    answers = [line for line in said if "error response reads" in line]
    text = (answers or said or ["it gave no reason"])[-1]
    text = text.partition("error response reads:")[2] or text
    return " ".join(re.sub(r"^b(['\"])(.*)\1$", r"\2", text.strip()).replace("\\n", " ").split())[:300].rstrip(".")
