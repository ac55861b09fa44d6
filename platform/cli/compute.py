"""``fermiloop compute``: crystals in, energies and densities of states out, without a campaign."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.cli.output import AsJson, Listing, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.cli.worker import check_count
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.flows.evaluations.outcomes import Outcome

COLUMNS: Final = {
    "formula": "formula", "handed_over": "handed over", "state": "state", "energy_per_atom": "eV/atom",
    "formation_energy_per_atom": "E_f eV/atom", "gap": "gap eV", "has_curve": "DOS", "core_seconds": "core s",
    "material": "material", "calculation": "calculation",
}  # fmt: skip

What = Annotated[
    list[str],
    typer.Argument(
        metavar="WHAT...",
        help="Structure files (CIF, POSCAR, extended XYZ, JSON), folders of them, ids of materials or candidates, or a "
        "formula that names one stored material.",
    ),
]
Engine = Annotated[str, typer.Option("--engine", help="What computes: gpaw, vasp, cp2k, chgnet, or a package's.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--settings", metavar="KEY=VALUE", help="A setting of the engine: cutoff=600. Several may follow."),
]
Relax = Annotated[
    bool, typer.Option("--relax/--no-relax", help="Relax cell and positions first, or take the crystal as it is.")
]
Workers = Annotated[int | None, typer.Option("--workers", help="Compute by this many worker processes; 1 by default.")]
Queue = Annotated[bool, typer.Option("--queue", help="Leave it to workers that run already, here or there.")]
Limit = Annotated[float, typer.Option("--time-limit", min=1, help="Seconds that each step may take.")]


def compute(
    what: What,
    engine: Engine,
    settings: Settings = None,
    relax: Relax = True,
    workers: Workers = None,
    queue: Queue = False,
    time_limit: Limit = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Compute crystals: energy, gap and density of states, into the store; a repeat goes on, and pays nothing twice."""
    if queue and workers is not None:
        raise InputError("The options --workers and --queue exclude each other; give one of them.")
    check_count(1 if workers is None else workers)
    from fermiloop.platform.app import computing
    from fermiloop.platform.app import queue as queues
    from fermiloop.platform.store import connection

    asked = computing.settings_of(settings or ())
    connection.connect()
    if not queue:
        computing.check_engine(engine)  # the queue may be for another machine
    given = computing.crystals(what)
    ids = computing.launch(given, engine, asked, relax=relax, time_limit=time_limit)
    if queue:
        found = computing.outcomes(ids)
        sys.stderr.write(f"{computing.sentence(found, len(queues.listeners()))}\n")
    else:
        with long_work(f"{engine} by {queues.number_of(workers or 1)}", quiet_for=1.0) as report:
            found = computing.run(ids, workers or 1, report)
    _show(found, as_json=as_json)
    if any(one.reason for one in found):
        raise typer.Exit(1)


def _show(found: Sequence[Outcome], *, as_json: bool) -> None:
    rows = [asdict(one) for one in found]
    if as_json:
        print_json(rows)
        return
    Listing(f"{len(rows)} crystals", COLUMNS, rows).show()
    for one in found:
        if one.reason:
            print_line(
                f"{one.formula} failed: {one.reason.rstrip('.')}; fermiloop calculations rerun {one.calculation} tries "
                "it again."
            )
        for name, why in one.missing.items():
            print_line(f"{one.formula} was computed, but for {name}: {why.rstrip('.')}.")
