"""The command ``fermiloop``: the one composition root, imported by nothing.

Each noun has its own file. What is heavy (torch, pymatgen, mongoengine) is imported inside the
commands, so that ``fermiloop --help`` and a slip in an option answer at once.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from fermiloop.platform.cli import (
    bench,
    bug_report,
    calculations,
    campaign,
    candidates,
    compute,
    database,
    doctor,
    examples,
    generators,
    hull,
    materials,
    optimade,
    potentials,
    reconcile,
    references,
    replay,
    schedule,
    tokens,
    worker,
)
from fermiloop.platform.cli import serve as server
from fermiloop.platform.cli.failures import INTERRUPTED, explain, hidden
from fermiloop.platform.cli.word_lists import spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

app = typer.Typer(
    name="fermiloop",
    help="Closed-loop inverse design of inorganic materials from a density of states.",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(database.app, name="db")
app.add_typer(materials.app, name="materials")
app.add_typer(candidates.app, name="candidates")
app.add_typer(generators.app, name="generators")
app.add_typer(potentials.app, name="potentials")
app.add_typer(references.app, name="references")
app.add_typer(hull.app, name="hull")
campaign.app.command("replay")(replay.replay)
app.add_typer(campaign.app, name="campaign")
app.command("compute")(compute.compute)
app.add_typer(calculations.app, name="calculations")
app.add_typer(worker.app, name="worker")
app.add_typer(schedule.app, name="schedule")
app.add_typer(bench.app, name="bench")
app.command("reconcile")(reconcile.reconcile)
app.add_typer(optimade.app, name="optimade")
app.command("doctor")(doctor.doctor)
app.command("version")(doctor.version)
app.command("bug-report")(bug_report.bug_report)
app.add_typer(tokens.app, name="token")
app.command("serve")(server.serve)


@app.callback()
def root(
    debug: Annotated[  # noqa: ARG001  (main takes it)
        bool, typer.Option("--debug", help="Show tracebacks and the log; may stand anywhere.")
    ] = False,
    version: Annotated[  # noqa: ARG001  (its callback has answered)
        bool, typer.Option("--version", callback=doctor.own_version, is_eager=True, help="Print the version, and end.")
    ] = False,
) -> None:
    """Closed-loop inverse design of inorganic materials from a density of states."""
    from fermiloop.platform import privacy

    told = privacy.protect()
    if told is not None:
        typer.echo(told, err=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    exit_code
        See `fermiloop.platform.cli.failures`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"] or ["--help"]
    with _calm_libraries(debug=debug):
        return _run(arguments, debug=debug)


def _run(arguments: list[str], *, debug: bool) -> int:
    try:
        code = examples.put(typer.main.get_command(app)).main(
            spread(arguments), prog_name="fermiloop", standalone_mode=False
        )
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer has caught the interrupt and said nothing
            sys.stderr.write(f"{explain(KeyboardInterrupt())[0]}\n")
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as stop:  # typer's answer to a broken pipe
        return stop.code if isinstance(stop.code, int) else 1
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 the border: told in one sentence below
        if debug:
            sys.stderr.write(hidden("".join(traceback.format_exception(error))))
        sentence, code = explain(error)
        sys.stderr.write(f"{sentence}\n")
    return code if isinstance(code, int) else 0


def _reader_left() -> int:
    """Who read the output has gone, as ``head`` does: say nothing, not even at the interpreter's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


@contextmanager
def _calm_libraries(*, debug: bool) -> Iterator[None]:
    """Keep warnings and logs of libraries off the terminal unless they are asked for."""
    log, handler = logging.getLogger(), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s" if debug else "%(message)s"))
    if not debug:
        handler.setLevel(logging.WARNING)
        handler.addFilter(logging.Filter("fermiloop"))
    level = log.level
    with warnings.catch_warnings():
        if debug:
            log.setLevel(logging.DEBUG)
        else:
            warnings.simplefilter("ignore")
            os.environ.setdefault("SPGLIB_WARNING", "OFF")  # spglib writes past Python's own standard error
        log.addHandler(handler)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
