"""A store in which every cell was a material of its own becomes one in which crystals are."""

from __future__ import annotations

import contextlib
import itertools
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init import setup
from fermiloop.db_init.migrations import m0002_identity, runner
from fermiloop.platform.representations.fingerprint import fingerprint
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import (
    aliases,
    candidates,
    connection,
    labels,
    materials,
    quarantine,
    snapshots,
    spectra,
)
from fermiloop.schemas.base import now
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.material import Material, structure_id
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.vocabulary import Origin, Property

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
PRIMITIVE = SALT.get_primitive_structure()
COPPER = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.61), ["Cu"], [[0] * 3])
CELLS = {"conventional": SALT, "primitive": PRIMITIVE, "large": PRIMITIVE * (1, 1, 3), "copper": COPPER}
SITES = {"conventional": 8, "primitive": 2, "large": 6, "copper": 4}


def old_material(crystal: Structure, key: str) -> str:
    """A document as it was kept before: the cell as written, its hash for an id."""
    symbols = sorted({site.specie.symbol for site in crystal})
    formula = crystal.composition.reduced_formula
    row: dict[str, Any] = {
        "_id": structure_id(crystal), "structure": crystal.as_dict(), "formula": formula,
        "formula_lower": formula.lower(), "elements": symbols, "n_elements": len(symbols), "n_sites": len(crystal),
        "chemical_system": "-".join(symbols), "crystal_system": "cubic", "space_group": 225, "prototype": "B1",
        "volume_per_atom": crystal.volume / len(crystal), "fingerprint": fingerprint(crystal).tolist(),
        "origin": "import", "source": {"name": "test", "key": key, "licence": "MIT"},
        "created_at": now() + timedelta(seconds=list(CELLS).index(key)),
    }  # fmt: skip
    connection.database()["materials"].insert_one(row)
    return row["_id"]


@pytest.fixture
def old(database: str) -> dict[str, str]:
    """A store of version 1: three cells of one crystal and one of another, with numbers per cell and references."""
    runner.MIGRATIONS[1][1](connection.database(), False)
    connection.database()["schema_version"].insert_one({"_id": "schema", "version": 1, "applied": []})
    ids = {key: old_material(crystal, key) for key, crystal in CELLS.items()}
    for place, (key, material) in enumerate(ids.items()):
        n = SITES[key]
        spectra.save(material, DOS_GRID.points, np.full(DOS_GRID.n, float(n)), method="a", n_electrons=4.0 * n)
        labels.save(material, Property.MAGNETIC_MOMENT, 0.5 * n, method="a")
        labels.save(material, Property.ENERGY_PER_ATOM, -3.0 - place, method="b")
        candidates.save_many([_candidate(place, material)])
    ids["snapshot"] = snapshots.freeze([ids[key] for key in CELLS], query={}, split_seed=0, method="a")
    return ids


def _candidate(index: int, material: str) -> Candidate:
    return Candidate(
        id=f"c-{index}", index=index, material=material, campaign="c", round=1, generator="g", formula="NaCl",
        structure=SALT.as_dict(), formula_lower="nacl", elements=["Cl", "Na"], chemical_system="Cl-Na", n_sites=8,
        seed=0, score=0.0,
    )  # fmt: skip


def state() -> dict[str, list[dict[str, Any]]]:
    database = connection.database()
    return {name: list(database[name].find().sort("_id", 1)) for name in sorted(database.list_collection_names())}


def of_two(told: list[str]) -> list[str]:
    """What this migration tells; later ones follow it."""
    return [line for line in told if line.startswith("2 ")]


def test_a_dry_run_names_what_would_be_merged_and_changes_nothing(old):
    before = state()
    told = setup.migrate(dry_run=True)
    assert state() == before
    names = ", ".join(sorted(old[key] for key in ("conventional", "primitive", "large")))
    assert of_two(told) == [
        "2 one crystal is one material: 4 cells kept as settings of their materials",
        "2 one crystal is one material: 3 materials brought to their primitive cell, with what they hold per cell",
        f"2 one crystal is one material: 1 crystals that were several materials are one each: NaCl ({names})",
    ]
    assert of_two(setup.migrate()) == of_two(told)
    assert setup.migrate() == setup.migrate(dry_run=True) == []


def check(old: dict[str, str]) -> None:
    salt, copper = old["conventional"], old["copper"]
    assert {m.id for m in Material.objects()} == {salt, copper}
    assert [(materials.get(key).n_sites, materials.get(key).prototype) for key in (salt, copper)] == [
        (2, "B1"),
        (1, "B1"),
    ]
    for key in ("primitive", "large", "conventional"):
        assert materials.get(old[key]).id == salt
        assert materials.get(structure_id(CELLS[key])).id == salt
    assert aliases.current([old["large"]]) == {old["large"]: salt}
    assert {s.source["key"]: s.to_structure() for s in materials.settings(salt)} == {
        key: crystal for key, crystal in CELLS.items() if key != "copper"
    }
    for key, n in ((salt, 2), (copper, 1)):
        (curve,) = spectra.all_of_material(key)
        assert (curve.array().max(), curve.n_electrons) == (n, 4.0 * n)
        assert labels.values([key], Property.MAGNETIC_MOMENT, "a") == {key: 0.5 * n}
    energies = [one.value for one in labels.of_material(salt) if one.property == Property.ENERGY_PER_ATOM]
    assert set(energies) == {-3.0, -4.0, -5.0}
    assert energies[-1] == -5.0
    assert [candidates.get(f"c-{i}").material for i in range(4)] == [salt, salt, salt, copper]
    assert snapshots.ids(old["snapshot"]) == sorted([salt, copper])
    assert "migration_2" not in connection.database().list_collection_names()
    assert Setting.objects(settled=False).count() == 0


def test_twins_are_merged_with_all_that_they_have(old):
    setup.init()
    check(old)
    assert any("energy per atom" in row.reason for row in quarantine.find("merged materials"))
    assert runner.version(connection.database()) == connection.SCHEMA_VERSION


class KilledError(BaseException):
    """In place of a kill between two writes."""


@pytest.mark.parametrize("left", [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 36, 44, 50, 60, 70])
def test_one_that_was_cut_off_is_run_again(left, old, monkeypatch):
    from pymongo.collection import Collection

    count = itertools.count()
    with monkeypatch.context() as patch:
        for name in ("insert_one", "insert_many", "update_one", "update_many", "delete_many", "replace_one"):
            original = getattr(Collection, name)

            def write(self: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
                if next(count) >= left:
                    raise KilledError
                return _original(self, *args, **kwargs)

            patch.setattr(Collection, name, write)
        with contextlib.suppress(KilledError):
            setup.migrate()
    setup.migrate()
    check(old)


def test_two_at_once_scale_nothing_twice(old, monkeypatch):
    original, others = m0002_identity._convert, iter([runner.run])

    def convert(*given: Any) -> None:
        for run in others:  # another process does all of it while this one has read what there is to do
            run()
        original(*given)

    monkeypatch.setattr(m0002_identity, "_convert", convert)
    setup.migrate()
    check(old)
    assert runner.version(connection.database()) == connection.SCHEMA_VERSION


def test_what_was_saved_since_takes_part(old):
    """Newer code wrote to the store before it was migrated."""
    newer = materials.save(PRIMITIVE * (2, 1, 1), origin=Origin.IMPORT, source={"name": "test", "key": "newer"})
    setup.migrate()
    assert materials.get(newer).id == old["conventional"]
    assert len(materials.settings(newer)) == 4


def test_a_cell_without_symmetry_is_left_and_named(old, monkeypatch):
    from fermiloop.platform.errors import InputError

    original = m0002_identity.Setting.from_structure

    def refuse(structure: Structure, **about: Any) -> Any:
        if "Cu" in structure.symbol_set:
            raise InputError("no symmetry")
        return original(structure, **about)

    monkeypatch.setattr(m0002_identity.Setting, "from_structure", refuse)
    told = of_two(setup.migrate())
    assert told[-1].endswith(f"1 materials without a symmetry left as they are: {old['copper']}")
    assert materials.get(old["copper"]).n_sites == 4
