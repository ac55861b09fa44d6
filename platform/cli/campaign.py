"""``fermiloop campaign``: launch, watch, pause, resume, cancel, clone and report."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fermiloop.platform.campaign.cost import HOLDS
from fermiloop.platform.cli import campaign_archive, campaign_draft, campaign_view
from fermiloop.platform.cli.output import AsJson, Listing, fields_of, plain, print_json, print_line, print_rich
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.cli.worker import check_count
from fermiloop.platform.errors import FailureError, InputError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(help="Campaigns: launch, watch, pause, cancel, export, report.")
app.command("export")(campaign_archive.export)
app.command("init")(campaign_draft.init)
app.command("validate")(campaign_draft.validate)
app.command("plan")(campaign_draft.plan)

COLUMNS: Final = {
    "name": "name", "state": "state", "evaluated": "evaluated", "failed": "failed", "evaluations": "of", "hits": "hits",
    "core_seconds": f"core-seconds of {HOLDS}", "reason": "reason",
}  # fmt: skip
FIELDS: Final = (
    "name", "state", "reason", "evaluated", "failed", "waiting", "evaluations", "hits", "closed_rounds", "rounds",
    "core_seconds", "spent", "core_hours", "created_at", "closed_at", "last",
)  # fmt: skip
MOST_LISTED: Final = 1000
ENDED: Final = frozenset({"finished", "failed", "cancelled"})
Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("launch")
def launch(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The campaign's YAML file.")],
    inline: Annotated[
        bool, typer.Option("--inline", help="Run it in this process; so it is without --workers.")
    ] = False,
    workers: Annotated[int | None, typer.Option("--workers", help="Run it by this many worker processes.")] = None,
    queue: Annotated[
        bool, typer.Option("--queue", help="Leave it to workers that run already, here or there.")
    ] = False,
) -> None:
    """Launch a campaign and stay until it ends; launch it again to take it up where it stopped."""
    if inline + queue + (workers is not None) > 1:
        raise InputError("The options --inline, --workers and --queue exclude each other; give one of them.")
    if workers is not None:
        check_count(workers)
    from fermiloop.platform.campaign.spec import load_spec

    spec = load_spec(file)
    from fermiloop.platform.store import connection, spectra

    for remark in spec.target.told(spectra.alignment()):
        sys.stderr.write(f"{file}: {remark}\n")

    connection.connect()
    from fermiloop.flows.campaigns import stability
    from fermiloop.flows.campaigns.enqueue import check_engine, enqueue

    if not queue:
        check_engine(spec)  # the queue may be for another machine
    fresh = enqueue(spec, file.read_text(encoding="utf-8"))
    if told := stability.remark(spec):
        sys.stderr.write(f"{file}: {told}\n")
    if queue:
        from fermiloop.flows.queue import listening
        from fermiloop.platform.store import workers as noted

        state = "is queued" if fresh else "was launched before and is left as it is"
        heard = noted.sentence(len(listening.rows()))
        print_line(f"{spec.name} {state}. {heard} fermiloop campaign watch {spec.name} looks.")
        return
    from fermiloop.flows.driving import launching

    if not fresh:
        print_line(f"{spec.name} was launched before; it goes on where it stopped.")
    manner = "in this process" if workers is None else f"by {workers} workers"
    with long_work(f"Campaign {spec.name}, {manner}", quiet_for=1.0) as report:
        launching.launch(spec, file.read_text(encoding="utf-8"), workers=workers, progress=report)
    summary = _summary(spec.name, library=False)
    print_line(campaign_view.line(summary))
    _exit_code(summary)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every campaign with its state, and how much of its budget is spent."""
    from fermiloop.platform.store import connection, glance

    connection.connect()
    rows = [fields_of(found, FIELDS) for found in glance.campaigns(limit=MOST_LISTED)]
    Listing(f"{len(rows)} campaigns", COLUMNS, rows).show(as_json=as_json)


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show how far a campaign has come."""
    summary = _summary(name, library=as_json)
    if as_json:
        print_json(summary)
    else:
        print_rich(campaign_view.headline(summary), campaign_view.rounds(summary), *campaign_view.running(summary))


@app.command("watch")
def watch(
    name: Name, every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between looks.")] = 2.0
) -> None:
    """Watch a campaign until it ends."""
    if sys.stdout.isatty():
        _watch_live(name, every)
    else:
        _watch_lines(name, every)


@app.command("report")
def report(
    name: Name,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write pictures and a page into this folder.")] = None,
) -> None:
    """Report a campaign: rounds, funnel, hits beside the baseline, cost, the best candidate."""
    if as_json and html is not None:
        raise InputError("The options --json and --html exclude each other; ask for one of them.")
    summary = _summary(name)
    if html is not None:
        from fermiloop.platform.report.html import write_report

        print_line(str(write_report(summary, html)))
    elif as_json:
        print_json(summary)
    else:
        print_rich(*campaign_view.report(summary))


@app.command("pause")
def pause(name: Name) -> None:
    """Pause a campaign: evaluations that run go on to their end, nothing new begins."""
    _manage("pause", name, f"{name} is paused; evaluations that have begun go on to their end.")


@app.command("resume")
def resume(name: Name) -> None:
    """Let a paused campaign go on where it was, by any workers anywhere."""
    _manage("resume", name, f"{name} goes on; workers take it up, or fermiloop campaign launch with its file.")


@app.command("cancel")
def cancel(
    name: Name,
    wait: Annotated[
        bool, typer.Option("--wait", help="Let evaluations that run come to their end, and stay until they have.")
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0, help="Seconds that --wait stays at most; no limit otherwise."),
    ] = None,
) -> None:
    """Cancel a campaign: evaluations that run are told to stop, all results are kept."""
    if timeout is not None and not wait:
        raise InputError("The option --timeout says how long --wait stays; give both, or leave it out.")
    from fermiloop.flows.campaigns import managing
    from fermiloop.platform.store import connection

    connection.connect()
    running = managing.cancel(name, wait=wait)
    print_line(f"{name} is cancelled; all its results are kept.")
    if running:
        print_line("These run to their end:" if wait else "These still run and are told to stop, within some seconds:")
    for one in running:
        print_line(f"  {one.sentence}")
    if wait and running:
        _until_ended(name, timeout)


def _until_ended(name: str, timeout: float | None) -> None:
    """Stay until no evaluation of a cancelled campaign runs; Ctrl-C leaves, and changes nothing of it."""
    from fermiloop.flows.campaigns import managing

    sys.stdout.flush()
    try:
        with long_work(f"Waiting for {name}") as report:
            left = managing.await_end(name, report, timeout)
    except KeyboardInterrupt:
        raise StoppedError(f"{name} stays cancelled, and what runs goes on to its end; fermiloop campaign show {name} "
                           "tells how far it is.") from None  # fmt: skip
    if left:
        raise FailureError(f"After {timeout:g} s {left} of the evaluations of {name} still ran; they go on to their "
                           f"end, and fermiloop campaign show {name} tells how far they are.")  # fmt: skip
    print_line("All of them have ended.")


@app.command("clone")
def clone(
    name: Name,
    new_name: Annotated[str, typer.Argument(metavar="NEW_NAME")],
    to: Annotated[Path | None, typer.Option("--to", help="Write the file here in place of the terminal.")] = None,
) -> None:
    """Campaign file of a campaign under another name, to change and to launch."""
    from fermiloop.flows.campaigns import managing
    from fermiloop.platform.store import connection

    connection.connect()
    text = managing.clone(name, new_name)
    if to is None:
        print_line(text.rstrip())
    elif to.exists():
        raise InputError(f"{to} exists; name another file.")
    else:
        to.write_text(text, encoding="utf-8")
        print_line(str(to))


def _manage(verb: str, name: str, told: str) -> None:
    from fermiloop.flows.campaigns import managing
    from fermiloop.platform.store import connection

    connection.connect()
    {"pause": managing.pause, "resume": managing.resume}[verb](name)
    print_line(told)


def _summary(name: str, *, library: bool = True) -> dict[str, Any]:
    """The report as data; without what a random pick from the library finds, whose hull takes seconds, if so asked."""
    from fermiloop.flows.campaigns.records import read_record
    from fermiloop.flows.queue import running
    from fermiloop.platform.campaign.summary import summarise
    from fermiloop.platform.store import connection

    connection.connect()
    return {
        **summarise(read_record(name, library=library)),
        "running": [plain(one.row()) for one in running.of_campaign(name)],
    }


def _watch_live(name: str, every: float) -> None:
    from rich.console import Group
    from rich.live import Live

    def view(summary: Mapping[str, Any]) -> Group:
        parts = (campaign_view.headline(summary), campaign_view.rounds(summary), campaign_view.funnel(summary))
        return Group(*parts, *campaign_view.running(summary))

    summary = _summary(name, library=False)
    with Live(view(summary), refresh_per_second=4) as live:
        while summary["state"] not in ENDED:
            time.sleep(every)
            summary = _summary(name, library=False)
            live.update(view(summary))
    _exit_code(summary)


def _watch_lines(name: str, every: float) -> None:
    last: tuple[str, list[str]] = "", []
    while True:
        summary = _summary(name, library=False)
        line = campaign_view.line(summary)
        told = [row["progress"] for row in summary["running"]]
        if (line, told) != last:
            for text in (line, *(f"  {campaign_view.run(row)}" for row in summary["running"])):
                print_line(text)
            sys.stdout.flush()
            last = line, told
        if summary["state"] in ENDED:
            break
        time.sleep(every)
    _exit_code(summary)


def _exit_code(summary: Mapping[str, Any]) -> None:
    """A campaign that failed ends the command with the exit code of a failure."""
    if summary["state"] == "failed":
        raise typer.Exit(1)
