"""Tables, JSON, CSV and CIF."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fermiloop.platform.cli.output import Listing, cell, csv_text, one_form, plain, write_cifs, write_whole
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.schemas.vocabulary import Stage

ROWS = [{"id": "c-1", "score": 0.123456, "tags": ["a", "b"], "none": None}, {"id": "c-[2]", "score": float("nan")}]
LISTING = Listing("Things", {"id": "id", "score": "score", "tags": "tags"}, ROWS)


def test_json_is_strict_and_holds_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    LISTING.show(as_json=True)
    assert json.loads(capsys.readouterr().out) == [ROWS[0], {"id": "c-[2]", "score": None}]


def test_csv_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    LISTING.show(as_csv=True)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["id"] for row in rows] == ["c-1", "c-[2]"]
    assert json.loads(rows[0]["tags"]) == ["a", "b"]


def test_table_shows_brackets_as_they_are_and_folds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    LISTING.show()
    out = capsys.readouterr().out
    assert "c-[2]" in out
    assert "0.1235" in out


def test_forms_exclude_each_other() -> None:
    one_form(as_json=False, as_csv=False, cif=Path("x"))
    with pytest.raises(InputError, match="exclude"):
        one_form(as_json=True, as_csv=True, cif=None)


def test_plain_values() -> None:
    value = {
        "a": np.arange(2),
        "b": np.float64(1.5),
        "c": Stage.PASSED,
        "d": datetime(2026, 1, 1, tzinfo=UTC),
        "e": {1},
    }
    assert plain(value) == {"a": [0, 1], "b": 1.5, "c": "passed", "d": "2026-01-01T00:00:00+00:00", "e": [1]}
    assert plain(Path("x")) == "x"
    assert plain(float("inf")) is None


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (True, "yes"), (1.0, "1"), ([], "-"), ({"a": 1}, "a 1")])
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_cifs_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pymatgen.core import Structure

    crystal = PROTOTYPES["B2"].build("Al", "Ni", volume_per_atom=12.1)
    write_cifs({"m-1": crystal}, tmp_path / "new")
    (path,) = (tmp_path / "new").iterdir()
    assert path.name == "m-1_AlNi.cif"
    assert Structure.from_file(path).matches(crystal)
    assert "1 CIF" in capsys.readouterr().out


def test_a_file_is_written_wholly_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    write_whole(path, "old")

    def full(self: Path, *args: object, **kwargs: object) -> int:
        self.touch()
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    assert path.read_text() == "old"


def test_no_cell_and_no_heading_of_a_csv_is_a_formula() -> None:
    rows = [{"@id": "=cmd", "e": -0.5, "tags": ["=a"], "by": {"=k": "-v"}, "none": None}]
    (heading, cells) = csv.reader(io.StringIO(csv_text(rows, list(rows[0]))))
    assert heading == ["'@id", "e", "tags", "by", "none"]
    assert cells == ["'=cmd", "-0.5", '["=a"]', '{"=k": "-v"}', ""]
