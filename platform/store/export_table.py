"""An export as a table: a row for each material or candidate and Method, a column for each property with its unit."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from fermiloop.platform.jsonable import plain
from fermiloop.platform.plugins.properties import Derived
from fermiloop.platform.spreadsheets import guarded
from fermiloop.platform.store import candidate_rows, exchange_records
from fermiloop.platform.store.candidate_columns import LISTED
from fermiloop.platform.store.exchange_records import Kind, Row, Selection
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES
from fermiloop.schemas.vocabulary import Unit

HEADINGS: Final = Derived(lambda declared: {one.name: _heading(one.name, one.unit) for one in declared})
# key of a row to its heading
MATERIAL: Final[dict[str, str]] = {
    "id": "id", "formula": "formula", "chemical_system": "chemical_system", "crystal_system": "crystal_system",
    "space_group": "space_group", "prototype": "prototype", "n_sites": "n_sites",
    "volume_per_atom": "volume_per_atom (Å³)", "origin": "origin", "source": "source", "key": "source_key",
    "licence": "licence",
}  # fmt: skip
COMPUTED: Final = Derived(
    lambda _: {"method": "method", "engine": "engine", "functional": "functional", **HEADINGS, "curves": "curves"}
)
MADE: Final = "material_"
CANDIDATE: Final = Derived(lambda _: _of_candidates())
BECAME: Final = Derived(
    lambda _: {
        f"{MADE}{name}" if name in HEADINGS else name: f"{MADE}{heading}" if name in HEADINGS else heading
        for name, heading in COMPUTED.items()
    }
)
"""Of the material that a candidate became, by each Method: apart from the scores, which are by the campaign's own."""


def lines(selection: Selection) -> Iterator[str]:
    """The table as CSV, line by line."""
    shown = columns(selection)
    yield csv_line(shown.values())
    for row in rows(selection):
        yield csv_line(row.get(name) for name in shown)


def columns(selection: Selection) -> dict[str, str]:
    """Key of a row to the heading of its column."""
    return {**MATERIAL, **COMPUTED} if selection.kind is Kind.MATERIALS else {**CANDIDATE, **BECAME}


def rows(selection: Selection) -> Iterator[Row]:
    """Rows of the table, latest version of each value."""
    methods = {one["id"]: one for one in exchange_records.methods(selection)}
    if selection.kind is Kind.MATERIALS:
        for material in exchange_records.materials(selection):
            for computed in _computed(material, methods):
                yield {**_about(material), **computed}
        return
    for candidate, became in _with_material(selection):
        known = candidate_rows.flat(candidate)
        for computed in _computed(became or {}, methods):
            yield {**known, **{f"{MADE}{name}" if name in HEADINGS else name: x for name, x in computed.items()}}


def csv_line(cells: Iterable[Any]) -> str:
    """One line of CSV of which a spreadsheet runs nothing: numbers stay numbers, texts are made harmless."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([guarded(plain(value)) for value in cells])
    return out.getvalue()


def _heading(name: str, unit: str) -> str:
    return name if unit == Unit.DIMENSIONLESS else f"{name} ({unit})"


def _of_candidates() -> dict[str, str]:
    """Columns of candidates, all that are numbers where the scores are; verdicts are no cells of a table."""
    numbers = {"score": GENERATOR, "probability": "probability"}
    rest = [name for name in LISTED if name not in numbers and name != "verdicts"]
    at = rest.index("scores")
    names = [*rest[:at], *numbers.values(), HIT, *SCORES, *rest[at + 1 :]]
    return {name: _heading(name, SCORES[name].unit) if name in SCORES else name for name in names}


def _about(material: Row) -> Row:
    source = material.get("source") or {}
    return {**material, "source": source.get("name"), "key": source.get("key"), "licence": source.get("licence")}


def _computed(material: Row, methods: Mapping[str, Row]) -> list[Row]:
    """Numbers by Method; one row without any where there are none."""
    labels, spectra = material.get("labels", ()), material.get("spectra", ())
    found: dict[str, Row] = {}
    for name in sorted({one["method"] for one in (*labels, *spectra)}):
        about = methods[name]
        kinds = " ".join(str(one["kind"]) for one in spectra if one["method"] == name)
        found[name] = {"method": name, "engine": about["engine"], "functional": about["functional"], "curves": kinds}
    for label in labels:  # by version: the latest is written last
        found[label["method"]][label["property"]] = label["value"]
    return list(found.values()) or [{}]


def _with_material(selection: Selection) -> Iterator[tuple[Row, Row | None]]:
    """Each candidate with the record of its material, one batch of materials at a time."""
    batch: list[Row] = []
    for candidate in exchange_records.candidates(selection):
        batch.append(candidate)
        if len(batch) == exchange_records.BATCH:
            yield from _joined(batch)
            batch = []
    yield from _joined(batch)


def _joined(batch: Sequence[Row]) -> Iterator[tuple[Row, Row | None]]:
    wanted = exchange_records.of_materials(one["material"] for one in batch if one.get("material"))
    known = {one["id"]: one for one in exchange_records.materials(wanted)}
    for candidate in batch:
        yield candidate, known.get(candidate.get("material") or "")
