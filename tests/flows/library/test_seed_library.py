"""Resumption and merging of the seed library; the DFT itself is tested with the engine."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw.dft import StaticDos
from fermiloop.flows.engines.gpaw.settings import GpawSettings
from fermiloop.flows.library import geometry, seed_library
from fermiloop.flows.library.entries import Entry, intermetallics
from fermiloop.flows.library.seed_library import FAMILIES, Family, compute, entry_task, extend, merge, pending
from fermiloop.platform.representations.structure_types import structure_types


def fake_dos(structure: object, settings: GpawSettings) -> StaticDos:
    grid = settings.dos_energies
    return StaticDos(-1.0, 2.0, 0.0, grid, np.ones_like(grid), 3.0, 10.0, 0.0, 5, 12)


@pytest.fixture
def no_dft(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes long: the geometry by CHGNet and the DFT."""
    monkeypatch.setattr(seed_library, "static_dos", fake_dos)
    monkeypatch.setattr(
        seed_library,
        "cheap_geometry",
        lambda entry: (
            entry.prototypes[0],
            structure_types()[entry.prototypes[0]].decorate(entry.elements, 15.0),
            -3.0,
        ),
    )
    monkeypatch.setattr(geometry, "elemental_energy", lambda element: -3.1 if element == "Al" else -3.0)


def family(*entries: Entry, limit: float = 60.0) -> Family:
    return Family(lambda: list(entries), GpawSettings(), limit=limit)


def test_shares_divide_the_work(tmp_path: Path) -> None:
    tasks = list(map(entry_task, intermetallics()[:50]))
    keys = [task.key for share in range(3) for task in pending(tasks, tmp_path, share, 3)]
    assert sorted(keys) == sorted(task.key for task in tasks)


def test_a_repeat_takes_up_where_it_ended(tmp_path: Path, no_dft: None) -> None:
    entries = [Entry(("Al",), ("A1",)), Entry(("Ni",), ("A1",)), Entry(("Al", "Ni"), ("B2",))]
    assert extend(tmp_path, 0, 1, 60, family(*entries)) == 3
    assert extend(tmp_path, 0, 1, 60, family(*entries)) == 0
    lines = [json.loads(line) for line in (tmp_path / "share_0_of_1.jsonl").read_text().splitlines()]
    assert [line["key"] for line in lines] == [entry.key for entry in entries]
    assert lines[2]["chgnet_formation"] == pytest.approx(0.05)
    assert len(lines[2]["dos"]) == 361


def test_failures_are_kept_with_their_reason(tmp_path: Path, no_dft: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(structure: object, settings: GpawSettings) -> StaticDos:
        raise RuntimeError("did not converge")

    monkeypatch.setattr(seed_library, "static_dos", broken)
    extend(tmp_path, 0, 1, 60, family(Entry(("Al",), ("A1",))))
    record = json.loads((tmp_path / "share_0_of_1.jsonl").read_text())
    assert record == {"key": "Al-None-A1", "ok": False, "error": "RuntimeError: did not converge"}
    assert merge(tmp_path, tmp_path / "all.jsonl.gz") == 0


def test_the_limit_is_of_processor_time(tmp_path: Path, no_dft: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that waits is let be; one that computes for too long is given up with its reason."""
    slow = Entry(("Al",), ("A1",))

    def waits(structure: object, settings: GpawSettings) -> StaticDos:
        time.sleep(0.3)
        return fake_dos(structure, settings)

    def computes(structure: object, settings: GpawSettings) -> StaticDos:
        while True:
            pass

    monkeypatch.setattr(seed_library, "static_dos", waits)
    extend(tmp_path, 0, 2, 60, family(slow, limit=0.2))
    monkeypatch.setattr(seed_library, "static_dos", computes)
    extend(tmp_path, 1, 2, 60, family(Entry(("Ni",), ("A1",)), Entry(("Pt",), ("A1",)), limit=0.2))
    waited, computed = (json.loads((tmp_path / f"share_{n}_of_2.jsonl").read_text()) for n in (0, 1))
    assert waited["ok"]
    assert computed == {"key": "Pt-None-A1", "ok": False, "error": "TimeoutError: ran out of its processor time"}


def test_a_molecule_is_a_record_of_energy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def energy(structure: Structure, settings: GpawSettings, density: float) -> float:
        asked.append(density)
        return -10.0

    monkeypatch.setattr(seed_library, "static_energy", energy)
    monkeypatch.setattr(seed_library, "elemental_energy", lambda element: -4.9)
    record = seed_library.reference("O", FAMILIES["gpaw-hard"].settings)
    assert (record["kind"], record["energy"], record["formula"]) == ("reference", -10.0, "O2")
    assert "dos" not in record
    box = Structure.from_dict(record["structure"])
    assert box.get_distance(0, 1) == pytest.approx(1.21)
    assert 2 * np.pi / box.lattice.a * asked[0] < 1  # Gamma alone


def test_a_ground_state_that_is_no_type_of_the_library_is_a_record_of_energy_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(seed_library, "static_energy", lambda crystal, _, density: asked.append(density) or -9.2)
    record = seed_library.reference("As", FAMILIES["gpaw"].settings)
    assert (record["kind"], record["prototype"], record["formula"]) == ("reference", "A7", "As")
    assert asked == [FAMILIES["gpaw"].settings.kpoint_density]
    assert record["chgnet_energy_per_atom"] < -4
    assert {task.key for task in seed_library.work(FAMILIES["gpaw"])} >= {"As-reference", "S-reference"}


def test_what_lies_high_above_the_elements_is_not_computed(no_dft: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "elemental_energy", lambda element: -3.5)
    record = compute(Entry(("Al", "Ni"), ("B2",)), GpawSettings())
    assert record["ok"] is False
    assert "0.50 eV/atom" in record["error"]


def test_merge_keeps_one_record_of_a_formula_and_prototype(tmp_path: Path) -> None:
    rows = [
        {"key": "b", "ok": True, "formula": "Al", "prototype": "A1", "energy": 1.0},
        {"key": "a", "ok": True, "formula": "Ni", "prototype": "A1", "energy": 2.0},
        {"key": "c", "ok": True, "formula": "Al", "prototype": "A1", "energy": 3.0},
        {"key": "d", "ok": False, "error": "x"},
    ]
    (tmp_path / "one.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    target = tmp_path / "library.jsonl.gz"
    assert merge(tmp_path, target) == 2
    with gzip.open(target) as stored:
        lines = [json.loads(line) for line in stored]
    assert [line["energy"] for line in lines] == [2.0, 1.0]
    first = target.read_bytes()
    merge(tmp_path, target)
    assert target.read_bytes() == first
