"""The maker of the shipped ground states: it goes on where it stopped, and packs one record an element."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fermiloop.flows.library import element_references as maker
from fermiloop.flows.library.element_structures import start_of


def test_a_run_goes_on_where_the_records_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def compute(symbol: str) -> dict[str, object]:
        asked.append(symbol)
        return {"element": symbol, "molecule": False}

    monkeypatch.setattr(maker, "compute", compute)
    path = tmp_path / "records.jsonl"
    maker.extend(path, ["Cu", "Al"])
    maker.extend(path, ["Cu", "Al", "Li"])
    assert asked == ["Cu", "Al", "Li"]
    assert maker.pack(maker.records(path), tmp_path / "packed.gz") == 3
    with gzip.open(tmp_path / "packed.gz", "rt", encoding="utf-8") as lines:
        assert [json.loads(line)["element"] for line in lines] == ["Li", "Al", "Cu"]


def test_a_potential_that_takes_a_crystal_apart_is_not_followed() -> None:
    start = start_of("As", 21.0)
    apart = start.structure.copy()
    apart.scale_lattice(1.5 * apart.volume)
    kept, how = maker._geometry(start, apart, converged=True)
    assert kept.volume == pytest.approx(start.structure.volume)
    assert how == "as measured; the volume by CHGNet 0.3.0 is 1.50 times that"
    near = start.structure.copy()
    near.scale_lattice(1.1 * near.volume)
    kept, how = maker._geometry(start, near, converged=True)
    assert kept.volume == pytest.approx(near.volume)
    assert how.startswith("CHGNet")


def test_a_bond_near_the_measured_one_is_taken_and_the_box_kept() -> None:
    start = start_of("N", 20.0)
    longer = start.structure.copy()
    longer.translate_sites([1], [0, 0, 0.02 / longer.lattice.c])
    kept, _ = maker._geometry(start, longer, converged=True)
    assert kept.get_distance(0, 1) == pytest.approx(1.118)
    assert kept.lattice == start.structure.lattice
    longer.translate_sites([1], [0, 0, 0.5 / longer.lattice.c])
    kept, how = maker._geometry(start, longer, converged=True)
    assert kept.get_distance(0, 1) == pytest.approx(1.098)
    assert "the bond by CHGNet" in how


@pytest.mark.slow
def test_copper_comes_out_as_shipped() -> None:
    from fermiloop.db_init.element_references import shipped

    made = maker.compute("Cu")
    volume = made["structure"]["lattice"]["volume"]
    assert volume == pytest.approx(shipped()["Cu"].structure.volume, rel=1e-3)
