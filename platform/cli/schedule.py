"""``fermiloop schedule``: when generators are retrained, and what came of it."""

from __future__ import annotations

import inspect
import json
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.flows.schedules.triggers import TRIGGERS
from fermiloop.platform.cli.output import AsJson, Listing, fields_of, print_line
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fermiloop.schemas.schedule import ScheduleRun

app = typer.Typer(help="When generators are retrained: add, pause, run, history.")

Name = Annotated[str, typer.Argument(metavar="NAME")]
COLUMNS: Final = {
    "id": "name", "generator": "generator", "trigger": "trigger", "value": "value", "active": "active",
    "next_look_at": "next due",
}  # fmt: skip
FIELDS: Final = (
    "id", "generator", "preset", "options", "method", "trigger", "value", "zone", "active", "seed", "next_look_at",
    "created_at",
)  # fmt: skip
RUN_COLUMNS: Final = {
    "schedule": "schedule", "started_at": "when", "reason": "why", "state": "outcome", "told": "why so",
    "checkpoint": "checkpoint",
}  # fmt: skip
RUN_FIELDS: Final = (
    "id", "schedule", "key", "reason", "state", "told", "checkpoint", "champion", "gate", "attempts", "labels",
    "leader", "started_at", "finished_at",
)  # fmt: skip


def _with_triggers(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each trigger, in the place of its ``**given``."""
    own = inspect.signature(command, eval_str=True)
    rest = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [
        inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=None,
            annotation=Annotated[one.value | None, typer.Option(one.option, help=one.help)],
        )
        for one in TRIGGERS.values()
    ]  # fmt: skip
    command.__dict__["__signature__"] = own.replace(parameters=[*rest, *options])
    return command


@app.command("add")
@_with_triggers
def add(
    name: Name,
    generator: Annotated[str, typer.Option("--generator", help="A generator that learns.")],
    preset: Annotated[str | None, typer.Option("--preset")] = None,
    options: Annotated[str, typer.Option("--options", help="The generator's options, as JSON.")] = "{}",
    zone: Annotated[str, typer.Option("--zone", help="Time zone of the calendar.")] = "UTC",
    source: Annotated[str | None, typer.Option("--source", help="Source of the labels; else the largest.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    **given: object,
) -> None:
    """Add a schedule with one trigger."""
    from fermiloop.platform.app import generators, schedules
    from fermiloop.platform.store import connection

    generators.checked(generator, preset)
    chosen = {kind: str(value) for kind, value in given.items() if value is not None}
    if len(chosen) != 1:
        *most, last = (one.option for one in TRIGGERS.values())
        raise InputError(f"Give one trigger: {', '.join(most)} or {last}.")
    ((kind, value),) = chosen.items()
    connection.connect()
    schedules.add(
        name, generator, kind, value, preset=preset, options=_mapping(options), zone=zone, source=source, seed=seed
    )
    print_line(f"{name} is kept; fermiloop schedule run keeps it going.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every schedule."""
    from fermiloop.platform.app import schedules
    from fermiloop.platform.store import connection

    connection.connect()
    rows = [fields_of(one, FIELDS) for one in schedules.find()]
    Listing(f"{len(rows)} schedules", COLUMNS, rows).show(as_json=as_json)


@app.command("pause")
def pause(name: Name) -> None:
    """Leave a schedule out until it is resumed."""
    from fermiloop.platform.app import schedules
    from fermiloop.platform.store import connection

    connection.connect()
    schedules.pause(name)
    print_line(f"{name} is paused.")


@app.command("resume")
def resume(name: Name) -> None:
    """Take a paused schedule up again."""
    from fermiloop.platform.app import schedules
    from fermiloop.platform.store import connection

    connection.connect()
    schedules.resume(name)
    print_line(f"{name} goes on.")


@app.command("remove")
def remove(name: Name) -> None:
    """Delete a schedule; its history stays."""
    from fermiloop.platform.app import schedules
    from fermiloop.platform.store import connection

    connection.connect()
    schedules.remove(name)
    print_line(f"{name} is removed; its history stays.")


@app.command("run")
def run(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Fire this one now, whatever its trigger.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look at all once, and end.")] = False,
    lease: Annotated[float, typer.Option("--lease", min=1, help="Seconds of silence until another leads.")] = 30.0,
    look: Annotated[float, typer.Option("--look", min=1, help="Seconds between looks at labels and rounds.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Keep the schedules going until stopped; of several such processes one leads."""
    from fermiloop.platform.app import schedules
    from fermiloop.platform.store import connection

    connection.connect()
    if name is not None:
        _show([schedules.fire(name)], as_json=as_json)
    elif once:
        _show(schedules.run_once(), as_json=as_json)
    else:
        _log()
        schedules.run(_tell, lease, look)


@app.command("history")
def history(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Every firing: when, why, what the gate said."""
    from fermiloop.platform.app import schedules
    from fermiloop.platform.store import connection

    connection.connect()
    _show(schedules.history(name, limit), as_json=as_json)


def _show(runs: list[ScheduleRun], *, as_json: bool) -> None:
    rows = [fields_of(one, RUN_FIELDS) for one in runs]
    Listing(f"{len(rows)} firings", RUN_COLUMNS, rows).show(as_json=as_json)


def _mapping(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f'The options {text!r} are no JSON mapping such as {{"epochs": 50}}.')
    return found


def _tell(sentence: str) -> None:
    print_line(sentence)
    sys.stdout.flush()


def _log() -> None:
    """A log file beside those of the workers."""
    import logging

    from fermiloop.flows.processes.identity import worker_name
    from fermiloop.platform.settings import settings

    folder = settings().data_dir.expanduser() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(folder / f"scheduler-{worker_name()}.log")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    log = logging.getLogger("fermiloop.flows")
    log.addHandler(to_file)
    log.setLevel(logging.INFO)
