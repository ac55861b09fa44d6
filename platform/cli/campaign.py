"""``fermiloop campaign``: launch, watch, pause, resume, cancel, clone and report."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.campaign.cost import HOLDS
from fermiloop.platform.cli import campaign_archive, campaign_draft, campaign_view
from fermiloop.platform.cli.output import AsJson, Listing, fields_of, print_json, print_line, print_rich
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.cli.worker import check_count
from fermiloop.platform.errors import FailureError, InputError, StoppedError
from fermiloop.schemas.vocabulary import ENDED_CAMPAIGNS

if TYPE_CHECKING:
    from fermiloop.platform.app.campaigns import CampaignFile, Launched
    from fermiloop.platform.campaign.reported import Status

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
Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("launch")
def launch(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The campaign's YAML file.")],
    inline: Annotated[
        bool, typer.Option("--inline", help="Run it in this process, as without --workers and --queue.")
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
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    given = campaigns.load(file)
    for remark in campaigns.remarks(given.spec):
        sys.stderr.write(f"{file}: {remark}\n")
    connection.connect()
    if not queue:
        campaigns.check_engine(given.spec)  # the queue may be for another machine
    launched = campaigns.enqueue(given)
    if launched.remark:
        sys.stderr.write(f"{file}: {launched.remark}\n")
    if queue:
        _tell_queued(launched)
    else:
        _run(given, launched, workers)


def _tell_queued(launched: Launched) -> None:
    from fermiloop.platform.app import queue

    state = "is queued" if launched.fresh else "was launched before and is left as it is"
    heard = queue.sentence(len(queue.listeners()))
    print_line(f"{launched.name} {state}. {heard} fermiloop campaign watch {launched.name} looks.")


def _run(given: CampaignFile, launched: Launched, workers: int | None) -> None:
    from fermiloop.platform.app import campaigns, queue

    name = launched.name
    if not launched.fresh:
        print_line(f"{name} was launched before; it goes on where it stopped.")
    manner = "in this process" if workers is None else f"by {queue.number_of(workers)}"
    with long_work(f"Campaign {name}, {manner}", quiet_for=1.0) as report:
        campaigns.launch(given, workers=workers, progress=report)
    summary = _status(name, library=False)
    print_line(campaign_view.line(summary))
    _exit_code(summary)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every campaign with its state, and how much of its budget is spent."""
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    connection.connect()
    rows = [fields_of(found, FIELDS) for found in campaigns.glances()]
    Listing(f"{len(rows)} campaigns", COLUMNS, rows).show(as_json=as_json)


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show how far a campaign has come."""
    summary = _status(name, library=as_json)
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
    summary = _status(name)
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
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    connection.connect()
    campaigns.pause(name)
    print_line(f"{name} is paused; evaluations that have begun go on to their end.")


@app.command("resume")
def resume(name: Name) -> None:
    """Let a paused campaign go on where it was, or one that failed in a round at that round, by any workers."""
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    connection.connect()
    campaigns.resume(name)
    print_line(f"{name} goes on; workers take it up, or fermiloop campaign launch with its file.")


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
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    connection.connect()
    running = campaigns.cancel(name, wait=wait)
    print_line(f"{name} is cancelled; all its results are kept.")
    if running:
        print_line("These run to their end:" if wait else "These still run and are told to stop, within some seconds:")
    for one in running:
        print_line(f"  {one.sentence}")
    if wait and running:
        _until_ended(name, timeout)


def _until_ended(name: str, timeout: float | None) -> None:
    """Stay until no evaluation of a cancelled campaign runs; Ctrl-C leaves, and changes nothing of it."""
    from fermiloop.platform.app import campaigns

    sys.stdout.flush()
    try:
        with long_work(f"Waiting for {name}") as report:
            left = campaigns.await_idle(name, report, timeout)
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
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    connection.connect()
    text = campaigns.clone(name, new_name)
    if to is None:
        print_line(text.rstrip())
    elif to.exists():
        raise InputError(f"{to} exists; name another file.")
    else:
        to.write_text(text, encoding="utf-8")
        print_line(str(to))


def _status(name: str, *, library: bool = True) -> Status:
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    connection.connect()
    return campaigns.status(name, library=library)


def _watch_live(name: str, every: float) -> None:
    from rich.console import Group
    from rich.live import Live

    def view(summary: Status) -> Group:
        parts = (campaign_view.headline(summary), campaign_view.rounds(summary), campaign_view.funnel(summary))
        return Group(*parts, *campaign_view.running(summary))

    summary = _status(name, library=False)
    with Live(view(summary), refresh_per_second=4) as live:
        while summary["state"] not in ENDED_CAMPAIGNS:
            time.sleep(every)
            summary = _status(name, library=False)
            live.update(view(summary))
    _exit_code(summary)


def _watch_lines(name: str, every: float) -> None:
    last: tuple[str, list[str]] = "", []
    while True:
        summary = _status(name, library=False)
        line = campaign_view.line(summary)
        told = [row["progress"] for row in summary["running"]]
        if (line, told) != last:
            for text in (line, *(f"  {campaign_view.run(row)}" for row in summary["running"])):
                print_line(text)
            sys.stdout.flush()
            last = line, told
        if summary["state"] in ENDED_CAMPAIGNS:
            break
        time.sleep(every)
    _exit_code(summary)


def _exit_code(summary: Status) -> None:
    """A campaign that failed ends the command with the exit code of a failure, told how it may go on."""
    if summary["state"] != "failed":
        return
    broken = [row["number"] for row in summary["rounds"][-1:] if row["state"] != "closed"]
    if broken:
        again = f"fermiloop campaign resume {summary['name']}"
        sys.stderr.write(f"Once the reason is gone, {again} does round {broken[0]} again; nothing is paid twice.\n")
    raise typer.Exit(1)
