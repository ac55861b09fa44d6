"""``fermiloop calculations``: what was computed, what failed, and what to do about it, in bulk."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from fermiloop.platform.cli.output import AsJson, Listing, fields_of, plain, print_fields, print_json, print_line
from fermiloop.platform.errors import InputError

app = typer.Typer(help="Calculations: find, run again, set aside.")

COLUMNS: Final = {
    "id": "calculation", "campaign": "campaign", "engine": "engine", "state": "state", "attempts": "attempts",
    "core_seconds": "core s", "error": "error",
}  # fmt: skip
STEP_COLUMNS: Final = {
    "step": "step", "attempts": "attempts", "outcome": "last one", "core_seconds": "core s", "progress": "how far",
}  # fmt: skip
FIELDS: Final = (
    "id", "campaign", "candidate", "handed_over", "relaxed", "engine", "method", "state", "attempts", "worker",
    "core_seconds", "error",
    "stop_requested", "ignored", "ingested", "late", "created_at", "started_at", "finished_at",
)  # fmt: skip
Error = Annotated[str | None, typer.Option("--error", metavar="REGEX", help="Pattern in the error, in any case.")]
CampaignName = Annotated[str | None, typer.Option("--campaign", help="Of this campaign only.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...")]


@app.command("find")
def find(
    error: Error = None,
    state: Annotated[str | None, typer.Option("--state", help="waiting, running, completed or failed.")] = None,
    campaign: CampaignName = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Maximum number of rows.")] = 50,
    everything: Annotated[bool, typer.Option("--ignored", help="Those set aside too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Calculations by state, campaign and error, newest first."""
    from fermiloop.platform.app import calculations
    from fermiloop.platform.store import connection

    calculations.check_state(state)
    connection.connect()
    ignored = None if everything else False
    found = calculations.find(pattern=error, state=state, campaign=campaign, limit=limit, ignored=ignored)
    rows = [fields_of(one, FIELDS) for one in found]
    Listing(f"{len(rows)} calculations", COLUMNS, rows).show(as_json=as_json)


@app.command("show")
def show(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Show one calculation: state, steps and cost, how far it is or why it failed, its folder, and its log's end."""
    from fermiloop.platform.app import calculations
    from fermiloop.platform.store import connection

    connection.connect()
    found = calculations.details(identifier)
    known = {**fields_of(found.calculation, FIELDS), "folder": found.folder}
    known["running"] = found.running.sentence if found.running else None
    steps = [asdict(one) for one in found.steps]
    if as_json:
        row = plain(found.running.row()) if found.running else None
        result = found.calculation.result
        print_json({**known, "running": row, "steps": steps, "result": result, "logs": found.logs})
        return
    print_fields(found.calculation.id, known)
    if steps:
        Listing("Steps", STEP_COLUMNS, steps).show()
    if found.running is not None:
        print_line(calculations.log_of(identifier))
    for step, text in found.logs.items():
        print_line(f"\n{step}\n{text}")


@app.command("rerun")
def rerun(
    ids: Ids = None,
    error: Error = None,
    campaign: CampaignName = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", min=1, help="Seconds that each may take, in place of the file's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run failed calculations again: those named, which may lack a property only, or all whose error matches."""
    chosen = _chosen(ids, error, campaign)
    from fermiloop.platform.app import calculations

    _tell(calculations.rerun(chosen, time_limit), "queued again; fermiloop worker run takes them up", as_json=as_json)


@app.command("cancel")
def cancel(
    ids: Ids = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that compute and references handed over and that have no result yet.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Cancel calculations that have no result yet; those that run stop within some seconds."""
    if bool(ids) == everything:
        raise InputError("Say which calculations: ids, or --all.")
    from fermiloop.platform.app import calculations
    from fermiloop.platform.store import connection

    connection.connect()
    _tell(calculations.cancel(ids or calculations.handed_over()), "cancelled", as_json=as_json)


@app.command("ignore")
def ignore(ids: Ids = None, error: Error = None, campaign: CampaignName = None, as_json: AsJson = False) -> None:
    """Set failed calculations aside: those named, or all whose error matches."""
    chosen = _chosen(ids, error, campaign)
    from fermiloop.platform.app import calculations

    _tell(calculations.ignore(chosen), "set aside", as_json=as_json)


def _chosen(ids: list[str] | None, error: str | None, campaign: str | None) -> list[str]:
    """Ids as given, or those of all failed ones that match."""
    if ids and (error or campaign):
        raise InputError("Ids exclude --error and --campaign; give the one or the other.")
    if not (ids or error or campaign):
        raise InputError("Say which calculations: ids, --error REGEX, or --campaign NAME.")
    from fermiloop.platform.app import calculations
    from fermiloop.platform.store import connection

    connection.connect()
    return ids or calculations.failed(pattern=error, campaign=campaign)


def _tell(n: int, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"calculations": n})
    else:
        print_line(f"{n} calculations {what}.")
