"""Enumeration, resumption and merging of the seed library; the DFT itself is tested with the engine."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fermiloop.flows.engines.gpaw.dft import StaticDos
from fermiloop.flows.engines.gpaw.settings import HARD_ELEMENTS, GpawSettings
from fermiloop.flows.library import seed_library
from fermiloop.flows.library.seed_library import ELEMENTS, Entry, enumerate_entries, extend, merge, pending
from fermiloop.platform.representations.prototypes import PROTOTYPES


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
            PROTOTYPES[entry.prototypes[0]].build(entry.element_a, entry.element_b, 15.0),
            -3.0,
        ),
    )
    monkeypatch.setattr(seed_library, "elemental_energy", lambda element: -3.1 if element == "Al" else -3.0)


def test_keys_are_unique_and_the_order_is_fixed() -> None:
    keys = [entry.key for entry in enumerate_entries()]
    assert len(keys) == len(set(keys))
    assert keys == [entry.key for entry in enumerate_entries()]


def test_no_element_needs_a_harder_cutoff() -> None:
    assert not HARD_ELEMENTS & set(ELEMENTS)


def test_every_unary_is_in_every_elemental_prototype() -> None:
    counts = Counter(entry.element_a for entry in enumerate_entries() if entry.element_b is None)
    assert counts == dict.fromkeys(ELEMENTS, 4)


def test_unaries_come_early() -> None:
    entries = enumerate_entries()
    places = [place for place, entry in enumerate(entries) if entry.element_b is None]
    assert sum(places) / len(places) < len(entries) / 4


def test_shares_divide_the_work(tmp_path: Path) -> None:
    entries = enumerate_entries()[:50]
    keys = [entry.key for share in range(3) for entry in pending(entries, tmp_path, share, 3)]
    assert sorted(keys) == sorted(e.key for e in entries)


def test_a_repeat_takes_up_where_it_ended(tmp_path: Path, no_dft: None, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry("Al", None, ("A1",)), Entry("Ni", None, ("A1",)), Entry("Al", "Ni", ("B2",))]
    monkeypatch.setattr(seed_library, "enumerate_entries", lambda: entries)
    assert extend(tmp_path, 0, 1, seconds=60) == 3
    assert extend(tmp_path, 0, 1, seconds=60) == 0
    lines = [json.loads(line) for line in (tmp_path / "share_0_of_1.jsonl").read_text().splitlines()]
    assert [line["key"] for line in lines] == [entry.key for entry in entries]
    assert lines[2]["chgnet_formation"] == pytest.approx(0.05)
    assert len(lines[2]["dos"]) == 361


def test_failures_are_kept_with_their_reason(tmp_path: Path, no_dft: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(structure: object, settings: GpawSettings) -> StaticDos:
        raise RuntimeError("did not converge")

    monkeypatch.setattr(seed_library, "static_dos", broken)
    monkeypatch.setattr(seed_library, "enumerate_entries", lambda: [Entry("Al", None, ("A1",))])
    extend(tmp_path, 0, 1, seconds=60)
    record = json.loads((tmp_path / "share_0_of_1.jsonl").read_text())
    assert record == {"key": "Al-None-A1", "ok": False, "error": "RuntimeError: did not converge"}
    assert merge(tmp_path, tmp_path / "all.jsonl.gz") == 0


def test_what_lies_high_above_the_elements_is_not_computed(no_dft: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed_library, "elemental_energy", lambda element: -3.5)
    record = seed_library.compute(Entry("Al", "Ni", ("B2",)), GpawSettings())
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
