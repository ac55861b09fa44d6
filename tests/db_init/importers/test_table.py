"""CSV tables with a CIF in each row."""

from __future__ import annotations

import csv
import gzip
import io
import re
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import table
from fermiloop.db_init.importers.entries import Entry, Refusal
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels, materials, methods, quarantine


def cif(a: float) -> str:
    return str(Structure(Lattice.cubic(a), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(fmt="cif"))


def text(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


HEADER = ["", "material_id", "cif", "heat_ref", "band_gap", "note"]


def test_rows_come_in_once_with_the_columns_that_are_named(database: str, tmp_path: Path) -> None:
    rows = [HEADER, ["0", "a-1", cif(2.8), "-0.5", "1.5", "x"], ["1", "a-2", cif(2.9), "", "nan", "x"]]
    path = tmp_path / "perov.csv.gz"
    path.write_bytes(gzip.compress(text(rows).encode()))
    options = LoadOptions(
        licence="MIT", functional="RPBE", source="Castelli", columns={"heat_ref": "formation_energy_per_atom"}
    )
    assert table.load(path, options=options) == LoadReport(2, 0, 0)
    found = {m.source["key"]: m for m in materials.find(materials.MaterialQuery())}
    assert found["a-1"].source == {"name": "Castelli", "key": "a-1", "licence": "MIT"}
    known = labels.of_material(found["a-1"].id)
    assert {str(one.property): one.value for one in known} == {"formation_energy_per_atom": -0.5, "band_gap": 1.5}
    assert {methods.get(one.method).functional for one in known} == {"RPBE"}
    assert labels.of_material(found["a-2"].id) == []
    assert table.load(path, options=options) == LoadReport(0, 2, 0)


def test_labels_of_two_tables_never_mix(database: str, tmp_path: Path) -> None:
    rows = text([["cif", "band_gap"], [cif(2.8), "1.0"]])
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(rows)
    assert table.load(tmp_path / "one.csv") == LoadReport(1, 0, 0)
    assert table.load(tmp_path / "two.csv") == LoadReport(0, 1, 0)
    (found,) = materials.find(materials.MaterialQuery())
    gaps = labels.of_material(found.id)
    assert {methods.get(one.method).settings["source"] for one in gaps} == {"one", "two"}
    assert {methods.get(one.method).settings["licence"] for one in gaps} == {"unknown"}


def test_bad_rows_are_told_with_their_line(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "CHUNK", 2)
    rows = [HEADER, ["0", "a", "no cif", "", "", ""], ["1", "b", cif(2.8), "", "-3", ""], ["2", "c", cif(2.8)],
            ["3", "d", cif(2.8), "", "0.1", "", "more"], ["4", "e", cif(2.8), "", "0.2", ""]]  # fmt: skip
    path = tmp_path / "mixed.csv"
    path.write_text(text(rows))
    told: list[float] = []
    assert table.load(path, lambda _, share: told.append(share)) == LoadReport(1, 0, 4)
    assert told == sorted(told)
    reasons = {entry.line: entry.reason for entry in quarantine.find("mixed.csv")}
    assert set(reasons) == {2, 3, 4, 5}
    assert "outside 0 to 50" in reasons[3]
    assert "as many cells" in reasons[4]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,2\n", "has no column cif"),
        (b"", "has no column cif"),
        (b"cif,x\n\x00\x01,2\n", "cannot be read: it is no text"),
        (b"cif\n" + b"y" * 60_000, "a line of more than"),
        (b'cif\n"' + b"y\n" * 30_000, "cannot be read"),
    ],
)
def test_what_is_no_such_table_is_told(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, told: str
) -> None:
    monkeypatch.setattr(table, "LARGEST", 50_000)
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError, match=told):
        table.load(tmp_path / "x.csv")


def test_a_column_that_is_not_there_is_told(database: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text([["cif"], [cif(2.8)]]))
    with pytest.raises(InputError, match="has no column heat"):
        table.load(tmp_path / "x.csv", options=LoadOptions(columns={"heat": "band_gap"}))
    with pytest.raises(InputError, match="There is no table"):
        table.load(tmp_path / "none.csv")


HEAD = ["id", "cif", "band_gap"]


def load_text(path: Path, content: bytes, **options: object) -> dict[str, dict[str, float]]:
    """Numbers of each row of a table, by key."""
    path.write_bytes(content)
    batches = table._batches(path, LoadOptions(**options))  # type: ignore[arg-type]
    entries = [one for batch in batches for one in batch.read()]
    assert all(isinstance(one, Entry) for one in entries), entries
    return {one.key: {str(kind): v for kind, v, _ in one.numbers} for one in entries if isinstance(one, Entry)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_end(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([[*HEAD, "author"], ["a-1", cif(2.9), "1.5", "Müller"]])
    assert load_text(tmp_path / "x.csv", out.getvalue().encode(encoding)) == {"a-1": {"band_gap": 1.5}}


def test_decimal_commas_where_commas_do_not_part_the_cells(tmp_path: Path) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([HEAD, ["a", cif(2.9), "1,5"], ["b", cif(3.0), "-0"]])
    assert load_text(tmp_path / "x.csv", b"sep=;\r\n" + out.getvalue().encode()) == {
        "a": {"band_gap": 1.5}, "b": {"band_gap": 0.0},
    }  # fmt: skip


NIAL = Structure(Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("cif", cif(2.9)), ("CIF", cif(2.9)), ("cif", cif(2.9).replace("\n", "\\n")), ("poscar", NIAL.to(fmt="poscar")),
        ("structure", NIAL.to(fmt="json")), ("structure", str(NIAL.as_dict())), ("structure", cif(2.9)),
        ("cif", cif(2.9).replace("\n", "\r\n")),
    ],
)  # fmt: skip
def test_crystals_in_any_form(tmp_path: Path, column: str, cell: str) -> None:
    rows = text([["id", column, "band_gap (meV)", "energy [Ha]"], ["=a", cell, "1500", "-2"]])
    found = load_text(tmp_path / "x.csv", rows.encode())
    assert found == {"=a": {"band_gap": 1.5, "energy_per_atom": pytest.approx(-27.211386245988)}}


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("", "it is empty"), ("nan", "it is empty"), (str(NIAL), "what Python prints"), ("{not json", "no JSON"),
        (cif(2.9) + cif(3.0), "holds 2 crystals"), ("x\n1\n1 0 0\n", "too few"),
        (cif(2.9).replace("Ni", "Va"), "a vacancy"),
        (re.sub("(?<=_formula_sum).*", " 'Ni1 Al1 H2'", cif(2.9)), "hydrogens"),
    ],
)  # fmt: skip
def test_cells_that_hold_no_crystal(tmp_path: Path, cell: str, told: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text([HEAD, ["a", cell, "1"]]))
    (refused,) = [one for batch in table._batches(path, LoadOptions()) for one in batch.read()]
    assert isinstance(refused, Refusal)
    assert told in refused.reason


@pytest.mark.parametrize(
    ("header", "options", "told"),
    [
        (["cif", "band_gap (furlong)"], {}, "in 'furlong', in which band_gap is not read"),
        (["cif", "band_gap", "band_gap"], {}, "has the column 'band_gap' twice"),
        (["structures_of_mine", "x"], {}, "no column cif, poscar or structure"),
    ],
)
def test_headers_that_leave_open_what_is_meant(
    database: str, tmp_path: Path, header: list[str], options: dict[str, str], told: str
) -> None:
    (tmp_path / "x.csv").write_text(text([header, [cif(2.9), *["1"] * (len(header) - 1)]]))
    with pytest.raises(InputError, match=told):
        table.load(tmp_path / "x.csv")


def test_two_columns_of_one_property_must_agree(tmp_path: Path) -> None:
    head = ["id", "cif", "energy (eV/atom)", "energy [eV]"]
    path = tmp_path / "x.csv"
    path.write_text(text([head, ["a", cif(2.9), "-2", "-4"], ["b", cif(2.9), "-2", "-2"], ["c", cif(2.9), "", "-4"]]))
    first, second, third = [one for batch in table._batches(path, LoadOptions()) for one in batch.read()]
    assert isinstance(second, Refusal)
    assert "contradict each other: -2 and -1 as energy_per_atom" in second.reason
    for one in (first, third):
        assert isinstance(one, Entry)
        assert [value for _, value, _ in one.numbers] == [-2.0]


def test_an_option_says_which_of_two_columns_is_meant(tmp_path: Path) -> None:
    rows = text([["id", "cif", "e_hull", "ehull"], ["a", cif(2.9), "0.1", "0.2"]])
    found = load_text(tmp_path / "x.csv", rows.encode(), columns={"ehull": "energy_above_hull"})
    assert found == {"a": {"energy_above_hull": 0.2}}
