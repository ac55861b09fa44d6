"""The contract of importers on small sources of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.testing import check_importer


def as_lines(folder: Path) -> str:
    (folder / "a.json").write_text(json.dumps([PROTOTYPES["A1"].build("Cu", None, 12.0).as_dict()]))
    return str(folder / "a.json")


def as_cif(folder: Path) -> str:
    PROTOTYPES["A1"].build("Cu", None, 12.0).to(str(folder / "a.cif"))
    return str(folder / "a.cif")


@pytest.mark.parametrize(("name", "write", "missing"), [("structures", as_cif, "b.cif"), ("jsonl", as_lines, "b.json")])
def test_ours_keep_the_contract(
    name: str, write: Callable[[Path], str], missing: str, database: str, tmp_path: Path
) -> None:
    check_importer(name, write(tmp_path), missing=[str(tmp_path / missing)])


def test_what_breaks_it_is_told(database: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="must be a source of table, and is taken by structures"):
        check_importer("table", as_cif(tmp_path))
    (tmp_path / "c.cif").write_text("no crystal")
    with pytest.raises(AssertionError, match="must add a material to an empty database; 1 were refused"):
        check_importer("structures", str(tmp_path / "c.cif"))
    with pytest.raises(AssertionError, match="must be refused by an InputError, and was accepted"):
        check_importer("structures", as_cif(tmp_path), missing=[as_cif(tmp_path)])
