"""``fermiloop materials``: what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from fermiloop.platform.app import filters as wishes
from fermiloop.platform.app import texts
from fermiloop.platform.app.rows import Row
from fermiloop.platform.cli import arranging, exporting, filters
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
    space_group: filters.SpaceGroupOption = None,
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
    order = arranging.order(
        sort,
        [name for name in KNOWN if name not in ("elements", "source")],
        descending=descending,
        likeness=like is not None,
    )
    shown = arranging.columns(columns, {**KNOWN, **(like.column if like else {})})
    wanted = wishes.of_materials(
        elements=elements, formula=formula, chemical_system=chemical_system, sites=sites, ranges=ranges,
        crystal_system=crystal_system, space_group=space_group, limit=limit,
    )  # fmt: skip
    from fermiloop.platform.app import materials
    from fermiloop.platform.store import connection

    connection.connect()
    rows = materials.find(wanted, near=like.read() if like else None, order=order)
    if cif is not None:
        write_cifs(materials.crystals(str(row["id"]) for row in rows), cif)
        return
    _listing(rows, shown, like, as_csv=as_csv).show(as_json=as_json, as_csv=as_csv)


@app.command("show")
def show(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Show one material: its crystal, where it came from and what is known of it."""
    from fermiloop.platform.app import materials
    from fermiloop.platform.store import connection

    connection.connect()
    found = materials.known(identifier)
    known, structure = fields_of(found.material, FIELDS), found.material.to_structure()
    rows = [fields_of(label, tuple(LABEL_COLUMNS)) for label in found.labels]
    settings = [fields_of(cell, tuple(SETTING_COLUMNS)) for cell in found.settings]
    if as_json:
        came = [{**row, "structure": cell.structure} for row, cell in zip(settings, found.settings, strict=True)]
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
    space_group: filters.SpaceGroupOption = None,
    limit: filters.LimitOption = texts.MOST_ROWS,
    form: exporting.FormOption = None,
) -> None:
    """Write what `find` finds, all of it by default: labels, curves, Methods and sources; `db load` reads it back."""
    target = exporting.Target.of(to, form)
    wanted = wishes.of_materials(
        elements=elements, formula=formula, chemical_system=chemical_system, sites=sites, ranges=ranges,
        crystal_system=crystal_system, space_group=space_group, limit=limit,
    )  # fmt: skip
    from fermiloop.platform.app import materials
    from fermiloop.platform.store import connection

    connection.connect()
    target.write(materials.export(wanted))


def _listing(rows: Sequence[Row], shown: dict[str, str] | None, like: Likeness | None, *, as_csv: bool) -> Listing:
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


def _heading(one: PropertyDeclaration) -> str:
    name = one.name.removesuffix("_per_atom").replace("_", " ")
    return name if one.unit == NO_UNIT else f"{name} ({one.unit})"
