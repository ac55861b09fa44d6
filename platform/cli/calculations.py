"""``fermiloop calculations``: what was computed, what failed, and what to do about it, in bulk."""

from __future__ import annotations

from typing import Annotated, Any, Final

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
    "id", "campaign", "candidate", "engine", "method", "state", "attempts", "worker", "core_seconds", "error",
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
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most rows.")] = 50,
    everything: Annotated[bool, typer.Option("--ignored", help="Those set aside too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Calculations by state, campaign and error, newest first."""
    found = _find(error, state, campaign, limit, ignored=None if everything else False)
    rows = [fields_of(one, FIELDS) for one in found]
    Listing(f"{len(rows)} calculations", COLUMNS, rows).show(as_json=as_json)


@app.command("show")
def show(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Show one calculation: state, steps and cost, how far it is or why it failed, its folder, and its log's end."""
    from fermiloop.flows.engines.steps import isolation
    from fermiloop.flows.queue import running
    from fermiloop.platform.store import calculations, connection

    connection.connect()
    found = calculations.get(identifier)
    logs = isolation.failure_logs(found.id)
    now = running.of_calculation(found.id)
    known = {**fields_of(found, FIELDS), "folder": str(isolation.step_folder(found.id, ""))}
    known["running"] = now.sentence if now else None
    steps = running.steps_of(found.id)
    if as_json:
        row = plain(now.row()) if now else None
        print_json({**known, "running": row, "steps": steps, "result": found.result, "logs": logs})
        return
    print_fields(found.id, known)
    if steps:
        Listing("Steps", STEP_COLUMNS, steps).show()
    if now is not None:
        print_line(running.log_of(found.id))
    for step, text in logs.items():
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
    """Run failed calculations again: those named, or all whose error matches."""
    chosen = _chosen(ids, error, campaign)
    from fermiloop.flows.driving import triage

    _tell(triage.rerun(chosen, time_limit), "queued again; fermiloop worker run takes them up", as_json=as_json)


@app.command("ignore")
def ignore(ids: Ids = None, error: Error = None, campaign: CampaignName = None, as_json: AsJson = False) -> None:
    """Set failed calculations aside: those named, or all whose error matches."""
    chosen = _chosen(ids, error, campaign)
    from fermiloop.flows.driving import triage

    _tell(triage.ignore(chosen), "set aside", as_json=as_json)


def _find(error: str | None, state: str | None, campaign: str | None, limit: int, *, ignored: bool | None) -> list[Any]:
    from fermiloop.platform.store import calculations, campaigns, connection
    from fermiloop.schemas.vocabulary import CalculationState

    if state is not None and state not in set(CalculationState):
        raise InputError(f"The state {state!r} is unknown; known are {', '.join(CalculationState)}.")
    connection.connect()
    if campaign is not None:
        campaigns.get(campaign)
    kind = CalculationState(state) if state else None
    return calculations.find(error=error, state=kind, campaign=campaign, ignored=ignored, limit=limit)


def _chosen(ids: list[str] | None, error: str | None, campaign: str | None) -> list[str]:
    """Ids as given, or those of all failed ones that match."""
    if ids and (error or campaign):
        raise InputError("Ids exclude --error and --campaign; give the one or the other.")
    if ids:
        from fermiloop.platform.store import connection

        connection.connect()
        return ids
    if not (error or campaign):
        raise InputError("Say which calculations: ids, --error REGEX, or --campaign NAME.")
    return [one.id for one in _find(error, "failed", campaign, 10_000, ignored=False)]


def _tell(n: int, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"calculations": n})
    else:
        print_line(f"{n} calculations {what}.")
