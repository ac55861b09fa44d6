"""``fermiloop db load`` and ``db quarantine``: what comes in, and what was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer

from fermiloop.platform.app import texts
from fermiloop.platform.cli.output import AsJson, Listing, fields_of, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError

FIELDS: Final = ("source", "line", "reason", "excerpt", "created_at")
COLUMNS: Final = {"source": "source", "line": "line", "reason": "reason", "created_at": "when"}

SourceArgument = Annotated[
    str,
    typer.Argument(
        help="seed, mp, optimade:URL, jarvis:FILE, jobstore:FILE, a .json, .jsonl or .csv file, the .tar.gz of a "
        "campaign, a CIF, POSCAR, extended XYZ or vasprun.xml file, a folder of them, or what a package adds."
    ),
]
Elements = Annotated[
    list[str] | None, typer.Option("--elements", help="mp: all of these are in it, such as Al Ni, or Al,Ni.")
]
System = Annotated[str | None, typer.Option("--chemsys", help="mp: exactly these elements, such as Al-Ni.")]
Limit = Annotated[int | None, typer.Option("--limit", help="mp, optimade, jobstore: most entries.")]
Filter = Annotated[str | None, typer.Option("--filter", help="optimade: a filter, such as 'elements HAS \"Ni\"'.")]
Dos = Annotated[bool, typer.Option("--dos", help="mp: fetch densities of states as well, one request each.")]
Licence = Annotated[str | None, typer.Option("--licence", help="Terms of the source, where it states none itself.")]
Name = Annotated[str | None, typer.Option("--source", help="Name of the source; the file's name otherwise.")]
Functional = Annotated[str | None, typer.Option("--functional", help="Files: functional of their numbers.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="csv, json, xyz: NAME=PROPERTY, what a column or key holds; repeatable."),
]


def load(
    source: SourceArgument,
    elements: Elements = None,
    chemsys: System = None,
    limit: Limit = None,
    filter_: Filter = None,
    dos: Dos = False,
    licence: Licence = None,
    name: Name = None,
    functional: Functional = None,
    columns: Columns = None,
    as_json: AsJson = False,
) -> None:
    """Load materials; what is bad goes to quarantine with its reason, the rest goes in; a repeat adds nothing."""
    from fermiloop.db_init.importers.options import LoadOptions
    from fermiloop.platform.app import database
    from fermiloop.platform.store import connection

    options = LoadOptions(
        elements=texts.elements(elements),
        chemsys=chemsys,
        limit=limit,
        filter=filter_,
        dos=dos,
        licence=licence,
        source=name,
        functional=functional,
        columns=dict(_column(text) for text in columns or ()),
    )
    database.check_source(source)  # a slip is told before a server is started
    connection.connect()
    with long_work("Loading", quiet_for=5.0) as report:
        done = database.load(source, options, report)
    if done.loaded + done.already == 0:
        raise InputError(f"Nothing of {source} could be loaded{_why(() if done.quarantined else done.notes)}")
    if as_json:
        told = asdict(done)
        print_json(told if done.notes else {name: n for name, n in told.items() if name != "notes"})
    else:
        print_line(f"{done.loaded} loaded, {done.already} there already, {done.quarantined} in quarantine.")
        for note in done.notes:
            print_line(note)


def quarantine(
    source: Annotated[str | None, typer.Argument(help="Of this file or source only.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Maximum number of rows, newest first.")
    ] = 100,
    reasons: Annotated[bool, typer.Option("--reasons", help="Count them by reason.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what was refused, and why."""
    from fermiloop.platform.app import database
    from fermiloop.platform.store import connection

    connection.connect()
    found = database.refused(source, limit)
    if reasons:
        counted = Counter(entry.reason for entry in found).most_common()
        rows = [{"reason": reason, "count": count} for reason, count in counted]
        Listing(f"{len(found)} refused", {"count": "count", "reason": "reason"}, rows).show(as_json=as_json)
    else:
        rows = [fields_of(entry, FIELDS) for entry in found]
        Listing(f"{len(rows)} refused", COLUMNS, rows).show(as_json=as_json)


def _why(notes: Sequence[str]) -> str:
    if notes:
        return f": {notes[0]}"
    from fermiloop.platform.app import database

    kept = database.refused(limit=1)
    return f"; the reason of {kept[0].source}: {kept[0].reason}" if kept else ", because it holds nothing"


def _column(text: str) -> tuple[str, str]:
    name, mark, kind = text.partition("=")
    if not (name and mark and kind):
        raise InputError(f"The column {text!r} is not understood; write it as heat_ref=formation_energy_per_atom.")
    return name, kind
