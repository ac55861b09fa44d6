"""Space groups that a file lacks: computed, kept, and the same as those that it gives."""

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench import space_groups
from fermiloop.platform.bench.crystal_data import crystal_of, read_crystals
from fermiloop.platform.bench.space_groups import SpaceGroups, cache_file, space_group
from fermiloop.platform.representations.prototypes import PROTOTYPES

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "mp_structures.jsonl.gz"


def test_known_crystals():
    assert space_group(PROTOTYPES["B1"].build("Na", "Cl", 22.0)) == 225
    assert space_group(PROTOTYPES["L1_2"].build("Ni", "Al", 12.0)) == 221
    skew = Structure(Lattice.from_parameters(4, 5, 6, 80, 95, 105), ["Na", "Cl", "K"],
                     [[0, 0, 0], [0.2, 0.4, 0.7], [0.61, 0.1, 0.33]])  # fmt: skip
    assert space_group(skew) == 1
    assert space_group(Structure(Lattice.cubic(3), ["Na", "Na"], [[0, 0, 0], [0, 0, 0]])) == 1  # one on the other


def test_what_was_found_is_looked_up(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(space_groups, "KEPT_FROM", 2)
    salts = [PROTOTYPES[name].build("Na", "Cl", 22.0) for name in ("B1", "B2")]
    groups = SpaceGroups(cache_file())
    assert groups.of(salts[0]) == 225
    groups.keep()
    assert not cache_file().exists()  # one is not worth a file
    assert groups.of(salts[1]) == 221
    groups.keep()
    monkeypatch.setattr(space_groups, "space_group", lambda structure: pytest.fail("computed again"))
    again = SpaceGroups(cache_file())
    assert [again.of(salt) for salt in salts] == [225, 221]


@pytest.mark.parametrize("text", ["no JSON", "[1, 2]", '{"a": "x"}'])
def test_a_broken_or_unwritable_cache_costs_nothing_but_time(text, tmp_path, monkeypatch):
    monkeypatch.setattr(space_groups, "KEPT_FROM", 1)
    (tmp_path / "groups").write_text(text)
    groups = SpaceGroups(tmp_path / "groups")
    assert groups.of(PROTOTYPES["B2"].build("Cs", "Cl", 33.0)) == 221
    (tmp_path / "file").write_text("")
    blocked = SpaceGroups(tmp_path / "file" / "groups")
    assert blocked.of(PROTOTYPES["B2"].build("Cs", "Cl", 33.0)) == 221
    blocked.keep()


@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared/data")
def test_computed_space_groups_are_those_of_the_materials_project(tmp_path):
    with gzip.open(REAL, "rt", encoding="utf-8") as file:
        records = [record for record in map(json.loads, islice(file, 120)) if record.get("spacegroup")]
    assert len(records) > 50
    assert [space_group(crystal_of(record)) for record in records] == [record["spacegroup"] for record in records]
    without = [record | {"spacegroup": None} for record in records[:20]]
    (tmp_path / "x.jsonl").write_text("\n".join(json.dumps(record) for record in without))
    data, _ = read_crystals(tmp_path / "x.jsonl")
    assert [int(name.split("/")[1]) for name in data.prototypes] == [record["spacegroup"] for record in records[:20]]
