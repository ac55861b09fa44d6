"""``fermiloop campaign init|validate|plan``: a file to start from, what is wrong with one, and what it would cost."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fermiloop.platform.app import texts
from fermiloop.platform.cli.output import AsJson, Listing, print_json, print_line
from fermiloop.platform.errors import InputError, SpecError

if TYPE_CHECKING:
    from fermiloop.platform.campaign.estimate import Estimate, Plan
    from fermiloop.platform.campaign.spec import CampaignSpec

File = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign's YAML file.")]
MINUTE, HOUR = 60.0, 3600.0


def init(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The campaign's name.")] = None,
    target: Annotated[
        str | None, typer.Option("--target-dos", help="Formula or id of the material whose DOS is looked for.")
    ] = None,
    elements: Annotated[
        list[str] | None, typer.Option("--elements", help="Elements that candidates may hold: Cu Rh Pt, or Cu,Rh,Pt.")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="What computes the candidates.")] = "gpaw",
    to: Annotated[Path | None, typer.Option("--to", help="Write the file here in place of the terminal.")] = None,
) -> None:
    """Write a commented campaign file that runs as it is: fermiloop campaign init --target-dos Pt > file.yaml."""
    from fermiloop.platform.campaign import draft

    wanted = target or draft.TARGET
    symbols = tuple(texts.elements(elements) or draft.ELEMENTS)
    text = draft.draft(name or f"{wanted.lower()}-like", wanted, symbols, engine)
    if to is None:
        print_line(text.rstrip())
    elif to.exists():
        raise InputError(f"{to} exists; name another file.")
    else:
        to.write_text(text, encoding="utf-8")
        print_line(f"Wrote {to}; fermiloop campaign validate {to} checks it.")


def validate(file: File, as_json: AsJson = False) -> None:
    """Check a campaign file on its own, against the store and against the engine; nothing is stored."""
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    try:
        spec = campaigns.load(file).spec
    except SpecError as error:
        if not as_json:
            raise
        print_json({"valid": False, "problems": [{"key": None, "text": str(error)}], "notes": []})
        raise typer.Exit(2) from None
    connection.connect()
    found = campaigns.check(spec)
    if as_json:
        problems = [asdict(one) for one in found.problems]
        print_json({"valid": not problems, "problems": problems, "notes": found.notes})
    else:
        for problem in found.problems:
            print_line(f"{problem.key}: {problem.text}")
        for note in found.notes:
            print_line(f"note: {note}")
        if not found.problems:
            print_line(f"{file} can be launched: fermiloop campaign launch {file}")
    if found.problems:
        raise typer.Exit(2)


def plan(
    file: File,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Evaluations at a time.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Say what the rounds of a campaign would do, and what they would cost by what was measured; nothing is stored."""
    from fermiloop.platform.app import campaigns
    from fermiloop.platform.store import connection

    spec = campaigns.load(file).spec
    connection.connect()
    found = campaigns.check(spec)
    if found.problems:
        raise InputError(f"{found.problems[0].text} (fermiloop campaign validate {file} shows every problem)")
    made = campaigns.plan(spec, workers)
    if as_json:
        print_json({"name": spec.name, **made.as_dict(), "notes": found.notes})
        return
    _show(spec, made)
    for note in found.notes:
        print_line(f"note: {note}")


def _show(spec: CampaignSpec, made: Plan) -> None:
    columns = {"number": "round", "proposals": "proposed", "evaluations": "evaluated, at most"}
    rows = [
        {"number": number, "evaluations": n, "proposals": made.proposals} for number, n in enumerate(made.rounds, 1)
    ]
    told = f"{spec.name}: {len(rows)} rounds, learning from {made.training} crystals at first"
    Listing(told, columns, rows).show()
    if made.total.median is None:
        print_line(f"Cost: {made.source}.")
        return
    print_line(f"Cost by {made.measured} {made.source} (median, and the middle 80 %):")
    print_line(f"  one evaluation   {_range(made.per_evaluation, 1.0, 'core-seconds')}")
    print_line(f"  all evaluations  {_range(made.total, HOUR, 'core-hours')}")
    if made.overhead.median is not None:
        print_line(f"  all other steps  {_range(made.overhead, HOUR, 'core-hours')}")
    print_line(f"  by the clock     {_range(made.wall, MINUTE, 'minutes')} with {made.workers} at a time")


def _range(estimate: Estimate, unit: float, name: str) -> str:
    found = estimate.times(1 / unit)
    return f"{found.median:.3g} {name} ({found.low:.3g} to {found.high:.3g})"
