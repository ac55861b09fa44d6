"""``fermiloop materials``: what is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fermiloop.platform.cli import arranging, exporting, filters
from fermiloop.platform.cli.arranging import Order
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
from fermiloop.platform.plugins.properties import NO_UNIT, Derived, PropertyDeclaration

if TYPE_CHECKING:
    from fermiloop.platform.store.materials import MaterialQuery

app = typer.Typer(help="Materials: what is known.")

COLUMNS: Final = {
    "id": "id", "formula": "formula", "space_group": "space group", "n_sites": "sites", "prototype": "prototype",
    "volume_per_atom": "Å³/atom",
}  # fmt: skip
FIELDS: Final = (
    "id", "formula", "crystal_system", "space_group", "n_sites", "prototype", "volume_per_atom", "origin", "elements",
    "chemical_system", "source", "candidate",
)  # fmt: skip
CSV: Final = tuple(name for name in FIELDS if name not in ("elements", "source", "candidate"))
UNITS: Final = Derived(lambda declared: {one.name: one.unit for one in declared if one.unit != NO_UNIT})
VALUE_COLUMNS: Final = Derived(lambda declared: {one.name: _heading(one) for one in declared if one.of_material})
KNOWN: Final = Derived(
    lambda _: {
        **{name: COLUMNS.get(name, name.replace("_", " ")) for name in FIELDS}, **VALUE_COLUMNS, "method": "method",
    }
)  # fmt: skip
LABEL_COLUMNS: Final = {"property": "property", "value": "value", "unit": "unit", "method": "method",
                        "version": "version", "calculation": "calculation"}  # fmt: skip
SETTING_COLUMNS: Final = {"id": "id", "n_sites": "sites", "origin": "origin", "source": "source",
                          "candidate": "candidate"}  # fmt: skip


@app.command("find")
def find(
    elements: filters.ElementsOption = None,
    formula: filters.FormulaOption = None,
    chemical_system: filters.SystemOption = None,
    sites: filters.SitesOption = None,
    ranges: filters.RangeOption = None,
    crystal_system: filters.CrystalOption = None,
    space_group: arranging.SpaceGroupOption = None,
    dos_like: filters.DosLikeOption = None,
    metric: filters.MetricOption = "cosine",
    window: filters.WindowOption = None,
    fermi: filters.FermiOption = None,
    one_spin: filters.OneSpinOption = False,
    sort: arranging.SortOption = None,
    descending: arranging.DescendingOption = False,
    columns: arranging.ColumnsOption = None,
    limit: filters.LimitOption = 20,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    cif: CifFolder = None,
) -> None:
    """Find materials by what they are made of, by their properties, or by a DOS that they resemble."""
    one_form(as_json=as_json, as_csv=as_csv, cif=cif)
    like = Likeness.of(dos_like, metric, window, fermi, one_spin)
    order = Order.of(
        sort,
        [name for name in KNOWN if name not in ("elements", "source")],
        descending=descending,
        likeness=like is not None,
    )
    shown = arranging.columns(columns, {**KNOWN, **(like.column if like else {})})
    query = _query(elements, formula, chemical_system, sites, ranges, crystal_system, space_group, limit)
    rows = _rows(query, like, order)
    if cif is not None:
        _write_cifs([row["id"] for row in rows], cif)
        return
    _listing(rows, shown, like, as_csv=as_csv).show(as_json=as_json, as_csv=as_csv)


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
    space_group: arranging.SpaceGroupOption = None,
    limit: filters.LimitOption = filters.MOST_ROWS,
    form: exporting.FormOption = None,
) -> None:
    """Write what `find` finds, all of it by default: labels, curves, Methods and sources; `db load` reads it back."""
    target = exporting.Target.of(to, form)
    query = _query(elements, formula, chemical_system, sites, ranges, crystal_system, space_group, limit)
    from fermiloop.platform.store import connection, exchange_records, materials

    connection.connect()
    target.write(exchange_records.of_materials(materials.find_ids(query)))


def _query(
    elements: list[str] | None,
    formula: str | None,
    chemical_system: str | None,
    sites: str | None,
    ranges: list[str] | None,
    crystal_system: str | None,
    space_group: str | None,
    limit: int,
) -> MaterialQuery:
    """Check everything, then connect."""
    checked: dict[str, Any] = {
        "properties": filters.windows(ranges),
        "n_sites": filters.sites(sites),
        "crystal_system": filters.crystal_system(crystal_system),
        "space_group": arranging.space_group(space_group),
        "limit": filters.limit(limit),
        "elements": filters.elements(elements),
        "chemical_system": filters.chemical_system(chemical_system),
        "formula": filters.formula(formula),
    }
    from fermiloop.platform.store.materials import MaterialQuery

    return MaterialQuery(**checked)


def _rows(query: MaterialQuery, like: Likeness | None, order: Order | None) -> list[dict[str, Any]]:
    """What the query finds, with property values, in the order asked for."""
    from fermiloop.platform.store import connection, material_rows, materials

    connection.connect()
    if like is not None:
        return _most_similar(query, like)
    if order is None:
        return material_rows.rows(query, FIELDS)
    if order.name not in (*VALUE_COLUMNS, "method"):
        return material_rows.rows(replace(query, sort=order.name, descending=order.descending), FIELDS)
    known = material_rows.values(materials.find_ids(replace(query, limit=filters.MOST_ROWS)))
    first = [row["id"] for row in order.sorted({"id": key, **row} for key, row in known.items())[: query.limit]]
    return material_rows.of_materials(materials.get_many(first).values(), FIELDS)


def _listing(
    rows: list[dict[str, Any]], shown: dict[str, str] | None, like: Likeness | None, *, as_csv: bool
) -> Listing:
    """The columns asked for, or the usual ones: in the table with the properties that some row has."""
    title = f"{len(rows)} materials" + (", most similar first" if like else "")
    if shown is not None:
        return Listing(title, shown, arranging.only(rows, shown), units=UNITS)
    extra = like.column if like else {}
    if as_csv:
        usual = {name: KNOWN[name] for name in (*CSV, *VALUE_COLUMNS, "method")}
        return Listing(title, usual | extra, rows, units=UNITS)
    known = {name: heading for name, heading in VALUE_COLUMNS.items() if any(row[name] is not None for row in rows)}
    units = [{name: unit for name, unit in UNITS.items() if row.get(name) is not None} for row in rows]
    told = [{**row, "units": named} for row, named in zip(rows, units, strict=True)]
    return Listing(title, {**COLUMNS, **known, **extra}, told)


def _most_similar(query: MaterialQuery, like: Likeness) -> list[dict[str, Any]]:
    """What the query finds, in the order of the similarity of its DOS to the one asked for."""
    from fermiloop.platform.store import material_rows, materials

    everything = materials.MaterialQuery(limit=query.limit)
    among = None if query == everything else materials.find_ids(replace(query, limit=filters.MOST_ROWS))
    near = like.ranking(query.limit, among)
    (key,) = like.column
    found = material_rows.of_materials(materials.get_many(near).values(), FIELDS)
    return [{**row, key: near[row["id"]]} for row in found]


def _heading(one: PropertyDeclaration) -> str:
    name = one.name.removesuffix("_per_atom").replace("_", " ")
    return name if one.unit == NO_UNIT else f"{name} ({one.unit})"


def _write_cifs(ids: list[str], folder: Path) -> None:
    from fermiloop.platform.store import materials

    write_cifs(materials.structures(ids), folder)
