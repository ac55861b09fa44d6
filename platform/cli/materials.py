"""``fermiloop materials``: what is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fermiloop.platform.cli import exporting, filters
from fermiloop.platform.cli.curves import Likeness
from fermiloop.platform.cli.output import (
    AsCsv,
    AsJson,
    CifFolder,
    Listing,
    fields_of,
    one_form,
    print_fields,
    print_json,
    print_line,
    write_cifs,
)

if TYPE_CHECKING:
    from fermiloop.platform.store.materials import MaterialQuery

app = typer.Typer(help="Materials: what is known.")

COLUMNS: Final = {
    "id": "id", "formula": "formula", "crystal_system": "crystal system", "space_group": "space group",
    "n_sites": "sites", "prototype": "prototype", "volume_per_atom": "Å³/atom", "origin": "origin",
}  # fmt: skip
LABEL_COLUMNS: Final = {"property": "property", "value": "value", "unit": "unit", "method": "method",
                        "version": "version", "calculation": "calculation"}  # fmt: skip
SETTING_COLUMNS: Final = {"id": "id", "n_sites": "sites", "origin": "origin", "source": "source",
                          "candidate": "candidate"}  # fmt: skip
FIELDS: Final = (*COLUMNS, "elements", "chemical_system", "source", "candidate")


@app.command("find")
def find(
    elements: filters.ElementsOption = None,
    formula: filters.FormulaOption = None,
    chemical_system: filters.SystemOption = None,
    sites: filters.SitesOption = None,
    ranges: filters.RangeOption = None,
    crystal_system: filters.CrystalOption = None,
    dos_like: filters.DosLikeOption = None,
    metric: filters.MetricOption = "cosine",
    window: filters.WindowOption = None,
    fermi: filters.FermiOption = None,
    one_spin: filters.OneSpinOption = False,
    limit: filters.LimitOption = 20,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    cif: CifFolder = None,
) -> None:
    """Find materials by what they are made of, by their properties, or by a DOS that they resemble."""
    one_form(as_json=as_json, as_csv=as_csv, cif=cif)
    query = _query(elements, formula, chemical_system, sites, ranges, crystal_system, limit)
    listing = _listing(query, Likeness.of(dos_like, metric, window, fermi, one_spin))
    if cif is not None:
        _write_cifs(listing, cif)
        return
    listing.show(as_json=as_json, as_csv=as_csv)


@app.command("show")
def show(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Show one material: its crystal, where it came from and what is known of it."""
    from fermiloop.platform.store import connection, labels, materials

    connection.connect()
    material = materials.get(identifier)
    known, structure = fields_of(material, FIELDS), material.to_structure()
    rows = [fields_of(label, tuple(LABEL_COLUMNS)) for label in labels.of_material(material.id)]
    cells = materials.settings(material.id)
    settings = [fields_of(cell, tuple(SETTING_COLUMNS)) for cell in cells]
    if as_json:
        came = [{**row, "structure": cell.structure} for row, cell in zip(settings, cells, strict=True)]
        print_json({**known, "labels": rows, "settings": came, "structure": structure.as_dict()})
        return
    print_fields(str(known["formula"]), known)
    Listing(f"{len(rows)} labels", LABEL_COLUMNS, rows).show()
    Listing(f"{len(settings)} settings, as they came", SETTING_COLUMNS, settings).show()
    print_line(str(structure))


@app.command("export")
def export(
    to: exporting.ToArgument,
    elements: filters.ElementsOption = None,
    formula: filters.FormulaOption = None,
    chemical_system: filters.SystemOption = None,
    sites: filters.SitesOption = None,
    ranges: filters.RangeOption = None,
    crystal_system: filters.CrystalOption = None,
    limit: filters.LimitOption = filters.MOST_ROWS,
    form: exporting.FormOption = None,
) -> None:
    """Write what `find` finds, all of it by default: labels, curves, Methods and sources; `db load` reads it back."""
    target = exporting.Target.of(to, form)
    query = _query(elements, formula, chemical_system, sites, ranges, crystal_system, limit)
    from fermiloop.platform.store import connection, exchange_records, materials

    connection.connect()
    target.write(exchange_records.of_materials(materials.find_ids(query)))


def _query(
    elements: str | None,
    formula: str | None,
    chemical_system: str | None,
    sites: str | None,
    ranges: list[str] | None,
    crystal_system: str | None,
    limit: int,
) -> MaterialQuery:
    """Check everything, then connect."""
    checked: dict[str, Any] = {
        "properties": filters.windows(ranges),
        "n_sites": filters.sites(sites),
        "crystal_system": filters.crystal_system(crystal_system),
        "limit": filters.limit(limit),
        "elements": filters.elements(elements),
        "chemical_system": filters.chemical_system(chemical_system),
        "formula": filters.formula(formula),
    }
    from fermiloop.platform.store.materials import MaterialQuery

    return MaterialQuery(**checked)


def _listing(query: MaterialQuery, like: Likeness | None) -> Listing:
    from fermiloop.platform.store import connection, materials

    connection.connect()
    if like is None:
        rows = [fields_of(material, FIELDS) for material in materials.find(query)]
        return Listing(f"{len(rows)} materials", COLUMNS, rows)
    rows = _most_similar(query, like)
    return Listing(f"{len(rows)} materials, most similar first", {**COLUMNS, **like.column}, rows)


def _most_similar(query: MaterialQuery, like: Likeness) -> list[dict[str, Any]]:
    """What the query finds, in the order of the similarity of its DOS to the one asked for."""
    from fermiloop.platform.store import materials

    everything = materials.MaterialQuery(limit=query.limit)
    among = None if query == everything else materials.find_ids(replace(query, limit=filters.MOST_ROWS))
    near = like.ranking(query.limit, among)
    (key,) = like.column
    return [{**fields_of(item, FIELDS), key: near[item.id]} for item in materials.get_many(near).values()]


def _write_cifs(listing: Listing, folder: Path) -> None:
    from fermiloop.platform.store import materials

    write_cifs(materials.structures([row["id"] for row in listing.rows]), folder)
