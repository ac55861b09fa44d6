"""Intake: all of a batch or nothing of it counts, and one bad entry stops nobody."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers.entries import Batch, Curve, Entry, Refusal, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, labels, materials, methods, quarantine, spectra
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
    whole = labels.save_many
    monkeypatch.setattr(labels, "save_many", lambda _: (_ for _ in ()).throw(ConnectionError))
    with pytest.raises(ConnectionError):
        take_in("x", batches(entry("a")))
    monkeypatch.setattr(labels, "save_many", whole)
    assert take_in("x", batches(entry("a"))) == LoadReport(0, 1, 0)
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


def energy(key: str, value: float, a: float = 2.9) -> Entry:
    structure = Structure(Lattice.cubic(a), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    numbers = ((Property.ENERGY_PER_ATOM, value, METHOD), (Property.BAND_GAP, 1.0 + (key == "c"), METHOD))
    return Entry(key, structure, {"name": "Them", "key": key, "licence": "CC0"}, numbers)


def chunks(rows: tuple[Entry, ...], size: int) -> Iterator[Batch]:
    for start in range(0, len(rows), size):
        made = rows[start : start + size]
        named = [(one.key, [float(value) for _, value, _ in one.numbers]) for one in made]
        yield Batch(f"from {start}", digest(named), 1.0, lambda made=made: iter(made))


def stored() -> tuple[Any, ...]:
    """All labels, materials and refusals, without what depends on when they were made."""
    found = materials.find(materials.MaterialQuery())
    known = [one for material in found for one in labels.of_material(material.id)]
    refused = sorted((one.excerpt, one.reason) for one in quarantine.find("x"))
    labelled = [(one.id, one.value, one.version, one.entry) for one in known]
    return labelled, [(m.id, m.source) for m in found], refused


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_same_documents_whatever_the_order_and_the_batches(
    database: str, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    rows = (energy("a", -2.1), energy("b", -2.1), energy("c", -1.0), energy("d", -3.0, a=3.1))
    seen = []
    for n, order in enumerate(itertools.islice(itertools.permutations(rows), 0, None, 5)):
        monkeypatch.setenv("FERMILOOP_DATABASE", f"{database}_{n}")
        settings.cache_clear()
        connection.disconnect()
        connection.connect()
        first = take_in("x", chunks(order, size))
        seen.append((first.quarantined, *stored()))
        again = take_in("x", chunks(order, size))
        assert (again.loaded, again.quarantined, stored()) == (0, first.quarantined, tuple(seen[-1][1:]))
    for one in seen:
        assert one == seen[0]
    count, known, found, refused = seen[0]
    assert (count, len(found), len(refused)) == (4, 2, 4)  # one energy, three gaps
    assert sorted((value, version, entry) for _, value, version, entry in known) == [
        (-3.0, 1, "d"), (-2.1, 1, "a"), (1.0, 1, "d"),
    ]  # fmt: skip


def cells() -> dict[str, Structure]:
    """One crystal as different people write it: as it is, doubled, turned, shifted, and with noise."""
    plain = Structure(Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    doubled, turned, shifted, noisy = (plain.copy() for _ in range(4))
    doubled.make_supercell([2, 1, 1])
    turned = Structure(Lattice([[0, 2.9, 0], [0, 0, 2.9], [2.9, 0, 0]]), ["Al", "Ni"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    shifted.translate_sites([0, 1], [0.1, 0.2, 0.3])
    noisy.perturb(1e-3)
    return {"plain": plain, "doubled": doubled, "turned": turned, "shifted": shifted, "noisy": noisy}


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_cells_of_one_crystal_are_settled_together(database: str, size: int) -> None:
    found = cells()
    for n, names in enumerate((list(found), list(reversed(found)), ["noisy", "doubled", "plain", "shifted", "turned"])):
        source = f"x{n}"
        method = external(source, "PBE", "CC0")
        rows = tuple(
            Entry(
                name, found[name], {"name": source, "key": name, "licence": "CC0"},
                (
                    (Property.ENERGY_PER_ATOM, -1.0 - (name == "doubled"), method),
                    (Property.MAGNETIC_MOMENT, 0.5 * len(found[name]), method),
                ),
                Curve(X, 0.5 * len(found[name]) * np.ones(len(X)), method),
            )
            for name in names
        )  # fmt: skip
        report = take_in(source, (replace(batch, digest=f"{batch.digest}{n}") for batch in chunks(rows, size)))
        assert (report.loaded, report.already, report.quarantined) == (int(not n), 5 - int(not n), 4)
        (material,) = materials.find(materials.MaterialQuery())
        mine = {str(x.property): (x.value, x.version) for x in labels.of_material(material.id) if x.method == method.id}
        assert mine == {"energy_per_atom": (-2.0, 1), "magnetic_moment": (0.5 * material.n_sites, 1)}
        curve = spectra.of_material(material.id, method=method.id)
        assert curve is not None
        assert np.allclose(curve.array(), 0.5 * material.n_sites)


def test_an_older_load_keeps_its_label_and_another_entry_does_not_displace_it(database: str) -> None:
    take_in("x", batches(entry("a", gap=1.0)))
    assert take_in("x", batches(entry("b", gap=2.0), name="two")) == LoadReport(0, 1, 1)
    assert take_in("x", batches(entry("a", gap=3.0), entry("b", gap=3.01), name="three")) == LoadReport(0, 2, 0)
    (found,) = materials.find(materials.MaterialQuery())
    assert [(one.version, one.value) for one in labels.of_material(found.id)] == [(1, 1.0), (2, 3.0)]
    (told,) = quarantine.find("x")
    assert "the entry a of an earlier load says 1 eV" in told.reason


def test_an_entry_that_is_changed_is_the_next_version_also_where_the_rest_of_the_file_is_known(database: str) -> None:
    take_in("x", chunks((energy("a", -2.1), energy("b", -1.0)), 1))
    assert take_in("x", chunks((energy("a", -0.5), energy("b", -1.0)), 1)).loaded == 0
    (found,) = materials.find(materials.MaterialQuery())
    known = [
        (one.version, one.value, one.entry) for one in labels.of_material(found.id) if one.property == "energy_per_atom"
    ]
    assert known == [(1, -2.1, "a"), (2, -1.0, "b")]


@pytest.mark.parametrize("size", [1, 3])
def test_of_two_curves_that_of_the_lower_energy_is_kept(database: str, size: int) -> None:
    rows = tuple(
        replace(energy(key, value), curve=Curve(X, np.exp(-((X - shift) ** 2)), METHOD))
        for key, value, shift in (("a", -1.0, 3.0), ("b", -2.0, 0.0), ("c", -2.0, 0.0))
    )
    kept = set()
    for n, order in enumerate(itertools.permutations(rows)):
        source = f"x{n}"
        method = external(source, "PBE", "CC0")
        given = tuple(
            replace(
                one,
                numbers=tuple((name, value, method) for name, value, _ in one.numbers),
                curve=replace(one.curve, method=method),
            )
            for one in order
        )
        take_in(source, (replace(batch, digest=f"{batch.digest}{n}") for batch in chunks(given, size)))
        (material,) = materials.find(materials.MaterialQuery())
        curve = spectra.of_material(material.id, method=method.id)
        assert curve is not None
        kept.add(float(curve.points()[np.argmax(curve.array())]))
        (told,) = [one for one in quarantine.find(source) if "density" in one.reason]
        assert told.excerpt.startswith("a: density of states")
    assert np.allclose(list(kept), 0.0)


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
