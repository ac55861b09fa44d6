"""``fermiloop references``: energies of the elements by an engine, which formation energies and hulls stand on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.cli.engine_options import Engine, Queued, Settings, TimeLimit, Workers, how, parsed, split
from fermiloop.platform.cli.output import AsJson, Listing, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.schemas.vocabulary import FINISHED_CALCULATIONS

if TYPE_CHECKING:
    from fermiloop.flows.driving.referencing import Built

app = typer.Typer(help="Reference energies of the elements, by any engine.")

COLUMNS: Final = {
    "element": "element", "energy_per_atom": "eV/atom", "phase": "phase", "material": "material",
    "ground_state": "ground state computed", "stands_for": "stands for",
}  # fmt: skip
BUILT: Final = {
    "handed_over": "crystal", "formula": "formula", "state": "state", "energy_per_atom": "eV/atom",
    "formation_energy_per_atom": "formation", "core_seconds": "core s", "reason": "reason",
}  # fmt: skip
OXIDES: Final = {
    "formula": "formula", "formation": "formation (eV)", "measured": "measured (eV)", "per_oxygen": "off (eV per O)",
}  # fmt: skip
Elements = Annotated[
    list[str] | None, typer.Option("--elements", help="These elements alone; without it all that the engine computes.")
]


@app.command("build")
def build(
    engine: Engine,
    settings: Settings = None,
    elements: Elements = None,
    workers: Workers = 1,
    queue: Queued = False,
    time_limit: TimeLimit = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Compute the ground states of the elements; what was computed before is not paid again."""
    from fermiloop.platform.app import references
    from fermiloop.platform.store import connection

    asked = how(engine, settings, workers, queue, time_limit)
    connection.connect()
    with long_work("References") as report:
        found = references.build(asked, split(elements), report)
    show_built("References", found, queued=queue, as_json=as_json)


@app.command("list")
def list_(engine: Engine, settings: Settings = None, elements: Elements = None, as_json: AsJson = False) -> None:
    """Which elements have a reference by an engine, of which phase, and which lack one."""
    from fermiloop.platform.app import references
    from fermiloop.platform.store import connection

    connection.connect()
    found = references.known(engine, parsed(settings), split(elements))
    if as_json:
        print_json([asdict(one) for one in found])
        return
    there = [asdict(one) for one in found if one.energy_per_atom is not None]
    Listing(f"References by {engine}", COLUMNS, there).show()
    if lacking := [one.element for one in found if one.energy_per_atom is None]:
        print_line(f"{len(lacking)} have none: {', '.join(lacking)}")


@app.command("fit-oxygen")
def fit_oxygen(engine: Engine, settings: Settings = None, as_json: AsJson = False) -> None:
    """Find the correction of oxygen's reference from stored oxides and their measured enthalpies; nothing is stored."""
    from fermiloop.platform.app import references
    from fermiloop.platform.store import connection

    connection.connect()
    found = references.fit_oxygen(engine, parsed(settings))
    rows = [asdict(one) for one in found.oxides]
    if as_json:
        print_json({"correction": found.correction, "half_width": found.half_width, "oxides": rows})
        return
    Listing(f"Oxides by {engine}", OXIDES, rows).show()
    print_line(
        f"{found.correction:.3f} ± {found.half_width:.3f} eV per atom (95 %, {len(rows)} oxides); use it by "
        f"{found.setting}."
    )


def show_built(title: str, found: Built, *, queued: bool, as_json: bool) -> None:
    """Print what was computed; exit 1 where something failed."""
    rows = [asdict(one) for one in found.outcomes]
    failed = sum(row["state"] == "failed" for row in rows)
    if as_json:
        print_json({"method": found.method, "outcomes": rows, "refused": found.refused, "restated": found.restated})
    else:
        Listing(title, BUILT, rows).show()
        for symbol, reason in found.refused.items():
            print_line(f"{symbol} was left out: {reason}")
        if queued and any(row["state"] not in FINISHED_CALCULATIONS for row in rows):
            print_line("They are queued; once they have ended, the same command brings labels up to date.")
        else:
            print_line(
                f"{len(rows) - failed} have an energy, {failed} failed; {found.restated} labels of stability are new."
            )
    if failed:
        raise typer.Exit(1)
