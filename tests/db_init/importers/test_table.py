"""CSV tables with a CIF in each row."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import table
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
