"""``fermiloop potentials``: what relaxes candidates, what of it is installed, and the energies its hull stands on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from fermiloop.platform.cli.output import AsJson, Listing, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.potentials import POTENTIALS, usable

app = typer.Typer(help="Potentials: what relaxes candidates, and what of it is installed.")

COLUMNS: Final = {
    "name": "name", "model": "model", "trained_on": "trained on", "licence": "licence", "found": "installed",
    "remedy": "what to do",
}  # fmt: skip


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every potential with its model, and how what is missing is installed."""
    rows = []
    for name, declared in POTENTIALS.items():
        source = POTENTIALS.source(name)
        there = declared.installed()
        versions = " ".join(f"{package} {number}" for package, number in declared.versions().items())
        rows.append(
            {
                "name": name,
                "title": declared.title,
                "model": declared.model,
                "trained_on": declared.trained_on,
                "method": declared.method,
                "licence": declared.licence,
                "package": f"{source.distribution} {source.version}".strip() if source else "",
                "installed": there,
                "found": (versions or "built in") if there else "no",
                "remedy": "" if there else declared.remedy(),
            }
        )
    Listing("Potentials", COLUMNS, rows).show(as_json=as_json)


@app.command("label")
def label(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A potential.")],
    elements: Annotated[list[str], typer.Option("--elements", help="Materials of these elements alone.")],
    as_json: AsJson = False,
) -> None:
    """Relax the stored materials of some elements by a potential and keep their energies: its hull stands on them."""
    usable(name)
    from pymatgen.core import Element

    symbols = [symbol for one in elements for symbol in one.split(",") if symbol]
    if wrong := [symbol for symbol in symbols if not Element.is_valid_symbol(symbol)]:
        raise InputError(f"{wrong[0]} is no element; write symbols, such as Al Ni.")
    from fermiloop.flows.campaigns import references
    from fermiloop.platform.store import connection

    connection.connect()
    with long_work("Energies") as report:
        found = references.label(name, symbols, report)
    if as_json:
        print_json(asdict(found))
    else:
        print_line(
            f"{found.computed} of {found.materials} materials got an energy by {name}; {found.known} had one, "
            f"{found.failed} gave none."
        )
