"""Intake: all of a batch or nothing of it counts, and one bad entry stops nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers.entries import Batch, Curve, Entry, Refusal, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra
from fermiloop.schemas.vocabulary import Property

METHOD = external("Them", "PBE", "CC0")
X = np.linspace(-10, 10, 401)


def entry(key: str, a: float = 2.9, gap: float = 1.0, curve: Any = None, remarks: tuple[str, ...] = ()) -> Entry:
    structure = Structure(Lattice.cubic(a), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    source = {"name": "Them", "key": key, "licence": "CC0"}
    return Entry(key, structure, source, ((Property.BAND_GAP, gap, METHOD),), curve, remarks)


def batches(*rows: Entry | Refusal, name: str = "one") -> Iterator[Batch]:
    yield Batch(name, digest(name), 1.0, lambda: iter(rows))


def test_a_bad_entry_leaves_nothing_of_itself_behind(database: str) -> None:
    bad = entry("bad", 3.0, curve=Curve(X, np.full(401, np.nan), METHOD))
    rows = [entry("good", curve=Curve(X, np.ones(401), METHOD)), bad, Refusal("lost", "It is gone.", line=4)]
    assert take_in("them.json", batches(*rows)) == LoadReport(1, 0, 2)
    assert spectra.materials_with(METHOD.id) == [m.id for m in materials.find(materials.MaterialQuery())]
    assert methods.get(METHOD.id).settings["licence"] == "CC0"
    assert {(one.line, one.excerpt) for one in quarantine.find("them.json")} == {(None, "bad: AlNi"), (4, "lost: ")}


def test_a_part_that_is_left_out_is_told_and_the_rest_comes_in(database: str) -> None:
    assert take_in("x", batches(entry("a", remarks=("no curve",)))) == LoadReport(1, 0, 1)
    assert [one.reason for one in quarantine.find("x")] == ["no curve"]


def test_a_batch_that_was_cut_off_is_taken_in_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = materials.save_many
    monkeypatch.setattr(materials, "save_many", lambda _: (_ for _ in ()).throw(ConnectionError))
    with pytest.raises(ConnectionError):
        take_in("x", batches(entry("a")))
    monkeypatch.setattr(materials, "save_many", whole)
    assert take_in("x", batches(entry("a"))) == LoadReport(1, 0, 0)
    (found,) = materials.find(materials.MaterialQuery())
    assert [label.value for label in labels.of_material(found.id)] == [1.0]


def test_a_batch_that_is_in_is_not_read(database: str) -> None:
    take_in("x", batches(entry("a")))

    def never() -> Iterator[Entry]:
        raise AssertionError

    assert take_in("x", iter([Batch("one", digest("one"), 1.0, never)])) == LoadReport(0, 1, 0)


def test_another_value_of_the_same_crystal_is_its_next_version(database: str) -> None:
    take_in("x", batches(entry("a", gap=1.0)))
    take_in("x", batches(entry("a", gap=1.5), name="two"))
    (found,) = materials.find(materials.MaterialQuery())
    assert [(one.version, one.value) for one in labels.of_material(found.id)] == [(1, 1.0), (2, 1.5)]


def test_the_digest_knows_its_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(b"ab", "c") == digest(b"ab", "c")
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_numbers_per_cell_are_those_of_the_primitive_cell(database: str) -> None:
    """One crystal twice: conventional with its curve, then a supercell with its moment."""
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
    source = {"name": "Them", "key": "1", "licence": "CC0"}
    large = salt.get_primitive_structure() * (1, 1, 3)
    rows = [
        Entry("1", salt, source, ((Property.BAND_GAP, 5.0, METHOD),), Curve(X, np.full(401, 8.0), METHOD)),
        Entry("2", large, source | {"key": "2"}, ((Property.MAGNETIC_MOMENT, 6.0, METHOD),)),
    ]
    assert take_in("x", batches(*rows)) == LoadReport(1, 1, 0)
    (material,) = materials.find(materials.MaterialQuery())
    assert material.n_sites == 2
    assert spectra.of_material(material.id).array() == pytest.approx(np.full(401, 2.0))
    assert labels.values([material.id], Property.MAGNETIC_MOMENT, METHOD.id) == {material.id: 2.0}
    assert labels.values([material.id], Property.BAND_GAP, METHOD.id) == {material.id: 5.0}
    assert {one.source["key"] for one in materials.settings(material.id)} == {"1", "2"}
