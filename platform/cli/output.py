"""What a command prints: tables for people, JSON and CSV for programs, CIF files for crystals."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from fermiloop.platform import jsonable
from fermiloop.platform.app.rows import fields_of as fields_of
from fermiloop.platform.errors import InputError
from fermiloop.platform.jsonable import plain as plain
from fermiloop.platform.spreadsheets import guarded

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure
    from rich.console import RenderableType

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else.")]
CifFolder = Annotated[Path | None, typer.Option("--cif", help="Write one CIF file each into this folder.")]

WIDTH_OF_A_FILE: Final = 200  # columns of a table that goes to no terminal, so that no row is folded


@dataclass(frozen=True)
class Listing:
    """Rows of one kind.

    Parameters
    ----------
    title
        What the rows are.
    columns
        Key of a row to its heading; JSON holds all keys, the table these.
    rows
        JSON-ready values.
    more
        Keys that CSV holds beside those of the table.
    units
        Of the keys that have one: CSV's header holds it.
    """

    title: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, object]]
    more: Sequence[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    def table(self) -> Table:
        """As a rich table."""
        table = Table(title=self.title, title_justify="left", header_style="bold")
        for heading in self.columns.values():
            table.add_column(heading)
        for row in self.rows:
            table.add_row(*(cell(row.get(key)) for key in self.columns))
        return table

    def show(self, *, as_json: bool = False, as_csv: bool = False) -> None:
        """Print in the form asked for.

        The two exclude each other: see `one_form`.
        """
        if as_json:
            print_json(self.rows)
        elif as_csv:
            sys.stdout.write(csv_text(self.rows, list(dict.fromkeys([*self.columns, *self.more])), self.units))
        else:
            print_rich(self.table())


def one_form(*, as_json: bool, as_csv: bool, cif: Path | None) -> None:
    """Refuse to print in more than one form, before anything is asked of the store.

    Raises
    ------
    InputError
        If more than one is asked for.
    """
    if as_json + as_csv + (cif is not None) > 1:
        raise InputError("The options --json, --csv and --cif exclude each other; ask for one of them.")


def console() -> Console:
    """Console on the standard output as it is now."""
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)


def print_rich(*what: RenderableType) -> None:
    """Print for people."""
    screen = console()
    for part in what:
        screen.print(part)


def print_line(text: str) -> None:
    """Print one line as it is: no markup, no folding."""
    sys.stdout.write(f"{text}\n")


def print_json(data: object) -> None:
    """Print strict JSON: no NaN, no infinity."""
    sys.stdout.write(json_text(data))


def json_text(data: object) -> str:
    """Strict JSON, indented."""
    return jsonable.text(data, indent=2) + "\n"


def csv_text(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], units: Mapping[str, str] | None = None
) -> str:
    """A header and one line a row; lists and mappings as JSON, and no text that a spreadsheet takes for a formula."""
    known = units or {}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([guarded(f"{name} ({known[name]})" if name in known else name) for name in columns])
    for row in rows:
        values = [plain(row.get(key)) for key in columns]
        cells = [jsonable.text(v) if isinstance(v, dict | list) else v for v in values]
        writer.writerow([guarded(one) for one in cells])
    return text.getvalue()


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a table of a document; a column that holds nothing is left out."""
    columns = [name for name in (rows[0] if rows else {}) if any(plain(row.get(name)) is not None for row in rows)]
    lines = ["| " + " | ".join(name.replace("_", " ") for name in columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = ("–" if plain(row.get(name)) is None else cell(row[name]).replace("|", "\\|") for name in columns)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def print_fields(title: str, fields: Mapping[str, object]) -> None:
    """Print one document as name and value."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("field", style="bold")
    table.add_column("value", overflow="fold")
    for name, value in fields.items():
        table.add_row(name.replace("_", " "), cell(value))
    print_rich(table)


def cell(value: object) -> str:
    """A value as the cell of a table."""
    value = plain(value)
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell(item)}" for name, item in value.items())
    return str(value).replace("[", "\\[")  # rich would read a bracket as markup


def write_cifs(structures: Mapping[str, Structure], folder: Path) -> None:
    """Write one CIF a structure, named by its id and formula, and say where."""
    from fermiloop.platform.representations import crystal_files  # heavy

    form = crystal_files.CrystalForm.CIF
    folder.mkdir(parents=True, exist_ok=True)
    for key, structure in structures.items():
        write_whole(folder / crystal_files.file_name(key, structure, form), crystal_files.text(structure, form, key))
    print_line(f"Wrote {len(structures)} CIF files to {folder}.")


def write_whole(path: Path, text: str) -> None:
    """Write a file wholly or not at all."""
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
