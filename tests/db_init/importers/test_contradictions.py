"""Tables that say two things of one crystal, in one load and in two, and tables of a later version."""

from __future__ import annotations

import csv
import io
import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import dispatch, table
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.store import labels, materials, methods, quarantine

HEADER = ("material_id", "cif", "formation_energy_per_atom", "band_gap")


def reversed_rows(path: Path, into: Path) -> Path:
    """The table with its rows in the other order."""
    with path.open(newline="") as lines:
        head, *rows = list(csv.reader(lines))
    with into.open("w", newline="") as out:
        csv.writer(out).writerows([head, *reversed(rows)])
    return into


def known(source: str) -> list[tuple[str, str, int, float, str]]:
    """Formula, property, version, value and entry of every label of a source."""
    return sorted(
        (material.formula, str(one.property), one.version, one.value, str(one.entry))
        for material in materials.find(materials.MaterialQuery())
        for one in labels.of_material(material.id)
        if methods.get(one.method).settings["source"] == source
    )


def test_two_rows_of_one_crystal_never_win_by_order(database: str, shared: Path, tmp_path: Path) -> None:
    path = shared / "cases" / "csv" / "twice.csv"
    for name, given in (("given", path), ("turned", reversed_rows(path, tmp_path / "turned.csv"))):
        assert dispatch.load(str(given), options=LoadOptions(source=name)).quarantined == 3
        assert known(name) == [("NaCl", "formation_energy_per_atom", 1, -2.1, "a")]
    told = sorted({one.reason for one in quarantine.find()})
    assert len(told) == 3
    assert told[0].startswith("band_gap of 4 eV left out: entries of the same crystal and Method say 4, 5 eV")
    assert told[2].startswith(
        "formation_energy_per_atom of -1 eV/atom left out: a of the same crystal and Method says -2.1"
    )


def test_one_key_for_two_crystals_is_two_crystals(database: str, shared: Path, tmp_path: Path) -> None:
    path = shared / "cases" / "csv" / "key_dup.csv"
    for name, given in (("given", path), ("turned", reversed_rows(path, tmp_path / "turned.csv"))):
        assert dispatch.load(str(given), options=LoadOptions(source=name)).quarantined == 0
        assert len(known(name)) == 4


def test_a_changed_table_is_a_new_version_and_an_older_one_again_is_none(database: str, shared: Path) -> None:
    first, second = (str(shared / "cases" / "csv" / name) for name in ("v1.csv", "v2.csv"))
    options = LoadOptions(source="T")
    assert dispatch.load(first, options=options) == LoadReport(2, 0, 0)
    assert dispatch.load(second, options=options) == LoadReport(0, 2, 0)
    energies = [one[2:] for one in known("T") if one[1] == "formation_energy_per_atom"]
    assert sorted(energies) == [(1, -2.2, "b"), (1, -2.1, "a"), (2, -1.9, "a")]
    assert dispatch.load(first, options=options) == LoadReport(0, 2, 0)
    assert dispatch.load(second, options=options) == LoadReport(0, 2, 0)
    assert sorted(energies) == [one[2:] for one in sorted(known("T"), key=lambda x: x[2:]) if one[1].startswith("form")]


def row(key: str, energy: Any, gap: Any, a: float = 2.9) -> list[str]:
    crystal = Structure(Lattice.cubic(a), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return [key, str(crystal.to(fmt="cif")), str(energy), str(gap)]


def write(path: Path, rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([HEADER, *rows])
    path.write_text(out.getvalue())
    return str(path)


@pytest.mark.parametrize("seed", range(3))
def test_rows_in_any_order_over_many_batches_are_the_same_labels(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(table, "CHUNK", 3)
    rows = [
        row(f"k{n}{m}", -0.1 * n - 0.01 * m, 0.5 + (m if n % 2 else 0), 2.9 + n / 10)
        for n in range(4)
        for m in range(3)
    ]
    ordered, shuffled = list(rows), random.Random(seed).sample(rows, len(rows))
    reports = [
        dispatch.load(write(tmp_path / f"{name}.csv", given), options=LoadOptions(source="T", licence=name))
        for name, given in (("ordered", ordered), ("shuffled", shuffled))
    ]
    assert reports[0].quarantined == reports[1].quarantined == 4 * 2 + 2 * 3
    found = known("T")
    assert found[::2] == found[1::2]
    assert len(found) == 2 * (4 + 2)


def test_two_tables_under_one_name_contradict_each_other_in_either_order(database: str, tmp_path: Path) -> None:
    one, two = row("a", -2.1, 5.0), row("c", -1.0, 4.0)
    for name, order in (("S", (one, two)), ("T", (two, one))):
        for n, given in enumerate(order):
            dispatch.load(write(tmp_path / f"{name}{n}.csv", [given]), options=LoadOptions(source=name))
    latest = {name: {kind: value for _, kind, _, value, _ in known(name)} for name in ("S", "T")}
    assert latest["S"]["formation_energy_per_atom"] == -2.1
    assert [one[2:] for one in known("T") if one[1].startswith("form")] == [(1, -1.0, "c"), (2, -2.1, "a")]
    reasons = [one.reason for one in quarantine.find()]
    assert sum("band_gap" in reason and "of an earlier load says" in reason for reason in reasons) == 2


def test_rows_that_agree_are_one_label_and_nothing_is_told(database: str, tmp_path: Path) -> None:
    rows = [row("a", -2.1, 5.0), row("b", -2.1004, 5.01), row("c", -2.0998, 5.0)]
    for n, order in enumerate(itertools.permutations(rows)):
        path = write(tmp_path / f"{n}.csv", list(order))
        assert dispatch.load(path, options=LoadOptions(source=f"S{n}")).quarantined == 0
        assert [one[1:] for one in known(f"S{n}")] == [
            ("band_gap", 1, 5.0, "a"), ("formation_energy_per_atom", 1, -2.1004, "b"),
        ]  # fmt: skip
