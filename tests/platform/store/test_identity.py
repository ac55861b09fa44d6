"""Cells of one crystal become one material, in every order, by several writers, and after a kill anywhere."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import (
    aliases,
    candidates,
    connection,
    identity,
    imports,
    labels,
    materials,
    merging,
    quarantine,
    snapshots,
    spectra,
    training,
)  # fmt: skip
from fermiloop.schemas.alias import Alias
from fermiloop.schemas.base import now
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material, structure_id
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.vocabulary import Origin, Property

ABOUT = {"origin": Origin.IMPORT, "source": {"name": "test", "key": "1", "licence": "MIT"}}
SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
ENERGY, MOMENT = Property.ENERGY_PER_ATOM, Property.MAGNETIC_MOMENT


def strained(crystal: Structure, volume: float) -> Structure:
    other = crystal.copy()
    other.scale_lattice(crystal.volume * volume)
    return other


def save(crystal: Structure, key: str = "1") -> str:
    return materials.save(crystal, origin=Origin.IMPORT, source={"name": "test", "key": key, "licence": "MIT"})


def made(crystal: Structure, key: str = "1") -> Material:
    return Material.from_structure(crystal, origin=Origin.IMPORT, source={"name": "test", "key": key, "licence": "MIT"})


def parts() -> set[frozenset[str]]:
    """The keys of the settings of each material."""
    found: dict[str, set[str]] = {}
    for setting in Setting.objects():
        found.setdefault(setting.material, set()).add(setting.source["key"])
    assert set(found) == {m.id for m in Material.objects()}
    return {frozenset(keys) for keys in found.values()}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nine_settings_of_ten_crystals_are_ten_materials(seed, ten_crystals, nine_settings):
    rng = np.random.default_rng(19)
    cells = {
        f"{name} {kind}": cell
        for name, crystal in ten_crystals.items()
        for kind, cell in nine_settings(crystal, rng).items()
    }
    order = np.random.default_rng(seed).permutation(sorted(cells)).tolist()
    chunks = [order[:20], order[20:35], *([key] for key in order[35:40]), order[40:]]
    for chunk in chunks:
        materials.save_many([made(cells[key], key) for key in chunk])
    assert materials.count() == 10
    assert parts() == {frozenset(key for key in cells if key.startswith(f"{name} ")) for name in ten_crystals}
    for key, cell in cells.items():
        assert materials.get(structure_id(cell)).formula == cell.composition.reduced_formula, key
    assert Setting.objects(settled=False).count() == 0


@pytest.mark.usefixtures("database")
def test_a_repeat_changes_nothing(ten_crystals, nine_settings):
    cells = nine_settings(ten_crystals["rhombohedral"], np.random.default_rng(2))
    first = [save(cell, kind) for kind, cell in cells.items()]
    before = [connection.database()[name].count_documents({}) for name in ("materials", "settings", "aliases")]
    assert [save(cell, kind) for kind, cell in cells.items()] == first
    assert [connection.database()[name].count_documents({}) for name in ("materials", "settings", "aliases")] == before
    assert before[:2] == [1, 9]


@pytest.mark.usefixtures("database")
def test_moments_charges_and_sources_are_kept():
    dressed = SALT.copy(site_properties={"magmom": [0.5] * 8})
    dressed.add_oxidation_state_by_element({"Na": 1, "Cl": -1})
    ids = {
        materials.save(SALT, **ABOUT),
        materials.save(dressed, origin=Origin.CAMPAIGN, source={"name": "other", "key": "x", "licence": "none"}),
    }
    (key,) = ids
    plain, kept = materials.settings(key)
    assert (plain.source["name"], kept.source) == ("test", {"name": "other", "key": "x", "licence": "none"})
    assert (plain.cell, kept.cell) == (structure_id(SALT), structure_id(SALT))
    assert kept.to_structure() == dressed
    assert kept.to_structure().site_properties["magmom"] == [0.5] * 8
    assert {str(site.specie) for site in kept.to_structure()} == {"Na+", "Cl-"}
    assert materials.get(key).origin is Origin.IMPORT


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_newcomer_joins_two_materials_and_what_they_have(order):
    """Of 0.95, 0.98, 1.01 and 1.04 neighbours match: whatever comes between merges what was apart."""
    volumes = (0.95, 0.98, 1.01, 1.04)
    for place in order:
        key = save(strained(SALT, volumes[place]), str(place))
        labels.save(key, ENERGY, -1.0 - place, method="a")
        labels.save(key, MOMENT, float(place), method="b")
    (material,) = Material.objects()
    assert parts() == {frozenset("0123")}
    held = labels.of_material(material.id)
    assert {label.value for label in held if label.property == ENERGY} == {-1.0, -2.0, -3.0, -4.0}
    assert {label.value for label in held if label.property == MOMENT} == {0.0, 1.0, 2.0, 3.0}
    assert Label.objects(material__ne=material.id).count() == 0
    for place in range(4):
        assert materials.get(structure_id(strained(SALT, volumes[place]))).id == material.id


@pytest.fixture
def apart(database: str) -> Callable[[], tuple[str, str, Structure]]:
    """Two materials of one crystal with all that refers to them, and the cell that joins them."""

    def build() -> tuple[str, str, Structure]:
        older, younger = save(strained(SALT, 0.97), "older"), save(strained(SALT, 1.03), "younger")
        Material.objects(id=younger).update(set__created_at=now() + timedelta(seconds=1))
        for key, energy, curve in ((older, -3.0, 1.0), (younger, -3.5, 2.0)):
            spectra.save(key, DOS_GRID.points, np.full(DOS_GRID.n, curve), method="a", n_electrons=8.0)
            labels.save(key, ENERGY, energy, method="a")
            labels.save(key, Property.BAND_GAP, -energy, method="a")
        labels.save(younger, MOMENT, 1.5, method="b")
        about: dict[str, Any] = {
            "campaign": "c", "round": 1, "generator": "g", "structure": SALT.as_dict(), "formula": "NaCl",
            "formula_lower": "nacl", "elements": ["Cl", "Na"], "chemical_system": "Cl-Na", "n_sites": 8, "seed": 0,
            "score": 0.0,
        }  # fmt: skip
        candidates.save_many([Candidate(id="c-1", index=0, material=younger, **about)])
        candidates.save_many([Candidate(id="c-2", index=1, parent=younger, **about)])
        connection.database()["calculations"].insert_one({"_id": "calc-1", "result": {"material": younger}})
        imports.note("b-1", source="x", materials=[older, younger], n=2, refused=0)
        return older, younger, strained(SALT, 1.0)

    return build


def test_everything_follows_a_merge(apart):
    older, younger, between = apart()
    frozen = snapshots.freeze([older, younger], query={}, split_seed=0, method="a")
    assert save(between, "between") == older
    assert [m.id for m in Material.objects()] == [older]
    assert materials.get(younger).id == older
    assert aliases.current([younger, older]) == {younger: older, older: older}
    assert candidates.get("c-1").material == candidates.get("c-2").parent == older
    assert connection.database()["calculations"].find_one({"_id": "calc-1"})["result"]["material"] == older
    assert imports.seen("b-1") is not None
    assert snapshots.ids(frozen) == [older]
    assert {label.id for label in labels.of_material(older)} >= snapshots.label_ids(frozen)
    assert len(snapshots.label_ids(frozen)) == 4
    found = training.training_set(snapshots.ids(frozen), DOS_GRID, "a", label_ids=snapshots.label_ids(frozen))
    assert found.ids == (older,)
    assert found.labels[str(ENERGY)].tolist() == [-3.5]


def test_the_lower_energy_brings_its_gap_and_its_curve(apart):
    older, younger, between = apart()
    save(between, "between")
    versions = {(str(one.property), one.method): [] for one in labels.of_material(older)}
    for one in labels.of_material(older):
        versions[str(one.property), one.method].append(one.value)
    assert versions == {
        ("energy_per_atom", "a"): [-3.0, -3.5], ("band_gap", "a"): [3.0, 3.5], ("magnetic_moment", "b"): [1.5],
    }  # fmt: skip
    assert spectra.of_material(older).array().max() == 2.0
    assert len(spectra.all_of_material(older)) == len(spectra.all_of_material(younger)) == 1
    assert connection.database()["displaced_spectra"].count_documents({}) == 1
    told = [row.reason for row in quarantine.find(merging.SOURCE)]
    assert len(told) == 3
    assert any("-3.5 counts" in reason for reason in told)


def test_a_higher_energy_never_becomes_the_latest(apart):
    older, _, between = apart()
    labels.save(older, ENERGY, -4.0, method="a")
    save(between, "between")
    values = [one.value for one in labels.of_material(older) if one.property == ENERGY]
    assert values == [-3.0, -4.0, -3.5, -4.0]
    assert labels.values([older], Property.BAND_GAP, "a") == {older: 3.0}
    assert spectra.of_material(older).array().max() == 1.0


class KilledError(BaseException):
    """In place of a kill between two writes."""


@pytest.mark.parametrize("left", range(0, 40, 3))
def test_a_merge_goes_on_wherever_it_was_cut_off(left, apart, monkeypatch):
    older, younger, between = apart()
    frozen = snapshots.freeze([older, younger], query={}, split_seed=0, method="a")
    with monkeypatch.context() as patch:
        _die_after(patch, left)
        with contextlib.suppress(KilledError):
            save(between, "between")
    assert save(between, "between") == older
    assert [m.id for m in Material.objects()] == [older]
    assert {setting.material for setting in Setting.objects()} == {older}
    assert Label.objects(material=younger).count() == 0
    assert candidates.get("c-1").material == candidates.get("c-2").parent == older
    assert labels.values([older], ENERGY, "a") == {older: -3.5}
    assert labels.values([older], Property.BAND_GAP, "a") == {older: 3.5}
    assert spectra.of_material(older).array().max() == 2.0
    assert snapshots.ids(frozen) == [older]
    assert len(snapshots.label_ids(frozen)) == 4
    assert Setting.objects(settled=False).count() == 0


def _die_after(patch: pytest.MonkeyPatch, left: int) -> None:
    """Let so many writes through, and then none."""
    from pymongo.collection import Collection

    count = itertools.count()
    for name in ("insert_one", "insert_many", "update_one", "update_many", "delete_many", "replace_one"):
        original = getattr(Collection, name)

        def write(self: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            if next(count) >= left:
                raise KilledError
            return _original(self, *args, **kwargs)

        patch.setattr(Collection, name, write)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("left", range(4))
def test_a_first_save_that_was_cut_off_is_settled_by_the_next_one(left, ten_crystals, nine_settings, monkeypatch):
    cells = nine_settings(ten_crystals["free"], np.random.default_rng(5))
    with monkeypatch.context() as patch:
        _die_after(patch, left)
        with contextlib.suppress(KilledError):
            save(cells["supercell"], "supercell")
    key = save(cells["noise"], "noise")
    assert materials.count() == 1
    assert materials.get(key).n_sites == 20
    assert save(cells["supercell"], "supercell") == key
    assert parts() == {frozenset({"supercell", "noise"})}


@pytest.mark.usefixtures("database")
def test_what_is_left_unsettled_is_settled_on_demand(monkeypatch):
    ids = [save(strained(SALT, 0.97), "a"), save(strained(SALT, 1.03), "b")]
    with monkeypatch.context() as patch:
        _die_after(patch, 1)
        with pytest.raises(KilledError):
            save(SALT, "c")
    identity.settle()
    assert [m.id for m in Material.objects()] in ([ids[0]], [ids[1]])
    assert parts() == {frozenset("abc")}


WRITER = """
import json, sys, time
from pathlib import Path
from pymatgen.core import Structure
from fermiloop.platform.store import connection, labels, materials
from fermiloop.schemas.vocabulary import Origin

folder, number = Path(sys.argv[1]), sys.argv[2]
cells = json.loads((folder / number).read_text())
connection.connect()
(folder / f"{number}.ready").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for key, cell in cells.items():
    source = {"name": "test", "key": key, "licence": "MIT"}
    material = materials.save(Structure.from_dict(cell), origin=Origin.IMPORT, source=source)
    labels.save(material, "energy_per_atom", -float(len(key)), method="a")
"""


def test_writers_at_the_same_time_end_with_one_material(database, server_uri, ten_crystals, nine_settings, tmp_path):
    rng = np.random.default_rng(23)
    cells = {
        f"{name} {kind}": cell.as_dict()
        for name in ("free", "perovskite")
        for kind, cell in nine_settings(ten_crystals[name], rng).items()
    }
    cells |= {f"salt {v}": strained(SALT, v).as_dict() for v in (0.95, 0.98, 1.01, 1.04)}
    environment = os.environ | {"FERMILOOP_MONGODB_URI": server_uri, "FERMILOOP_DATABASE": database}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    writers = []
    for number in range(4):
        (tmp_path / str(number)).write_text(json.dumps(dict(list(cells.items())[number::4])))
        command = [sys.executable, "-W", "ignore", "-c", WRITER, str(tmp_path), str(number)]
        writers.append(subprocess.Popen(command, env=environment))
    while len(list(tmp_path.glob("*.ready"))) < len(writers):
        assert all(writer.poll() is None for writer in writers)
        time.sleep(0.01)
    (tmp_path / "go").touch()
    assert [writer.wait(120) for writer in writers] == [0] * 4
    assert materials.count() == 3
    assert sorted(len(found) for found in parts()) == [4, 9, 9]
    ids = {m.id for m in Material.objects()}
    assert {label.material for label in Label.objects()} == ids
    assert {aliases.current([alias.id])[alias.id] for alias in Alias.objects()} <= ids
    assert Setting.objects(settled=False).count() == 0


@pytest.mark.usefixtures("database")
def test_labels_that_were_saved_before_the_crystal_follow_it():
    """Importers write labels first, under the id that the crystal would have alone."""
    first = save(SALT)
    other = made(strained(SALT, 1.02), "2")
    assert other.id != first
    labels.save_many([Label.make(other.id, ENERGY, -2.0, method="a", calculation=None, version=1)])
    assert materials.save_many([other]) == 0
    assert labels.values([first], ENERGY, "a") == {first: -2.0}
    labels.save_many([Label.make(other.id, ENERGY, -2.0, method="a", calculation=None, version=1)])
    assert [one.material for one in Label.objects()] == [first]
    assert labels.of_material(other.id)[0].value == -2.0


@pytest.mark.usefixtures("database")
def test_quantities_of_a_cell_are_brought_to_that_of_the_material():
    key = save(SALT)
    assert (materials.get(key).n_sites, materials.per_cell(key, SALT)) == (2, 0.25)
    assert materials.per_cell(key, SALT * (1, 1, 2)) == 0.125


@pytest.mark.usefixtures("database")
def test_a_deleted_material_comes_back_with_its_cell():
    key = save(SALT)
    Material.objects(id=key).delete()
    assert save(strained(SALT, 1.01), "2") in {key, structure_id(made(strained(SALT, 1.01)).to_structure())}
    assert save(SALT) in {m.id for m in Material.objects()}
    assert materials.count() == 1
