"""Materials are saved once and found by every filter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import labels, materials
from fermiloop.platform.store.materials import MaterialQuery
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Origin

SOURCE = {"name": "test", "key": "1", "licence": "MIT"}


@pytest.fixture
def library(stored) -> dict[str, str]:
    """Seven materials, of four chemical systems with Al: name to id."""
    return {
        "Al": stored("Al"),
        "Ni": stored("Ni", origin=Origin.SEED),
        "AlNi": stored("Ni", "Al"),
        "AlNi3": stored("Ni", "Al", prototype="L1_2"),
        "AlTi": stored("Ti", "Al"),
        "TiNi": stored("Ti", "Ni"),
        "Ti3Al": stored("Ti", "Al", prototype="D0_19"),
    }


def names(library: dict[str, str], query: MaterialQuery) -> set[str]:
    back = {key: name for name, key in library.items()}
    return {back[material.id] for material in materials.find(query)}


def test_a_repeat_is_the_same_document(stored, crystal):
    first = stored("Ni", "Al")
    assert stored("Ni", "Al", origin=Origin.CAMPAIGN, candidate="c-1") == first
    assert materials.count() == 1
    kept = materials.get(first)
    assert (kept.origin, kept.candidate) == (Origin.IMPORT, None)
    assert materials.structure(first) == crystal("Ni", "Al")
    assert kept.created_at.utcoffset() is not None


def test_writers_at_the_same_time_write_one(stored, crystal):
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: stored("Pd"), range(16)))
    assert len(ids) == 1
    made = [Material.from_structure(crystal(e), origin=Origin.SEED, source=SOURCE) for e in ("Pd", "Pt", "Cu", "Ag")]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(materials.save_many, [made] * 8)) == 3
    assert materials.count() == 4


def test_save_many_counts_what_is_new(stored, crystal):
    assert materials.save_many([]) == 0
    made = [Material.from_structure(crystal(e), origin=Origin.SEED, source=SOURCE) for e in ("Pd", "Pt", "Pt")]
    assert materials.save_many(made) == 2
    assert materials.save_many(made) == 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (MaterialQuery(), {"Al", "Ni", "AlNi", "AlNi3", "AlTi", "TiNi", "Ti3Al"}),
        (MaterialQuery(elements=("Al",)), {"Al", "AlNi", "AlNi3", "AlTi", "Ti3Al"}),
        (MaterialQuery(elements=("Al", "Ni")), {"AlNi", "AlNi3"}),
        (MaterialQuery(elements=("Al", "Ni", "Ti")), set()),
        (MaterialQuery(formula="Ni3Al"), {"AlNi3"}),
        (MaterialQuery(formula="Al2Ni6"), {"AlNi3"}),
        (MaterialQuery(chemical_system="Ni-Al"), {"AlNi", "AlNi3"}),
        (MaterialQuery(chemical_system="Al"), {"Al"}),
        (MaterialQuery(n_sites=(2, 4)), {"AlNi", "AlNi3", "AlTi", "TiNi"}),
        (MaterialQuery(n_sites=(5, 3)), set()),
        (MaterialQuery(crystal_system="hexagonal"), {"Ti3Al"}),
        (MaterialQuery(origin="seed"), {"Ni"}),
        (MaterialQuery(elements=("Ti",), n_sites=(1, 2), crystal_system="cubic"), {"AlTi", "TiNi"}),
        (MaterialQuery(ids=()), set()),
    ],
)
def test_find(library, query, expected):
    assert names(library, query) == expected


def test_ids_and_other_filters_both_hold(library):
    query = MaterialQuery(ids=(library["Al"], library["AlNi"], "m-none"), elements=("Ni",))
    assert names(library, query) == {"AlNi"}


def test_the_order_is_stable_and_the_limit_kept(library):
    everything = [m.id for m in materials.find(MaterialQuery())]
    assert [m.formula for m in materials.find(MaterialQuery())] == sorted(m.formula for m in Material.objects)
    for limit in (1, 3, 7):
        assert [m.id for m in materials.find(MaterialQuery(limit=limit))] == everything[:limit]


def test_property_ranges_see_the_latest_version_of_each_method(library, method, other_method):
    for name, gap in (("Al", 0.0), ("AlNi", 1.0), ("AlTi", 2.0)):
        labels.save(library[name], "band_gap", gap, method=method)
    labels.save(library["AlNi"], "band_gap", 3.0, method=method)
    labels.save(library["AlTi"], "band_gap", 0.5, method=other_method)
    labels.save(library["Al"], "energy_per_atom", -4.0, method=method)

    def within(low: float, high: float, **others: tuple[float, float]) -> set[str]:
        return names(library, MaterialQuery(properties={"band_gap": (low, high), **others}))

    assert within(0.9, 1.1) == set()
    assert within(2.5, 3.5) == {"AlNi"}
    assert within(0.4, 0.6) == {"AlTi"}
    assert within(0.0, 2.0) == {"Al", "AlTi"}
    assert within(0.0, 2.0, energy_per_atom=(-5.0, 0.0)) == {"Al"}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (MaterialQuery(limit=0), "limit"),
        (MaterialQuery(formula="Xx2"), "no chemical formula"),
        (MaterialQuery(formula="("), "no chemical formula"),
        (MaterialQuery(properties={"bandgap": (0, 1)}), "'bandgap' is unknown"),
    ],
)
def test_queries_that_make_no_sense(database, query, reason):
    with pytest.raises(InputError, match=reason):
        materials.find(query)


def test_what_is_not_there(library):
    with pytest.raises(NotFoundError, match="m-none"):
        materials.get("m-none")
    asked = [library["TiNi"], "m-none", library["Al"], library["TiNi"]]
    assert list(materials.get_many(asked)) == [library["TiNi"], library["Al"]]
    assert materials.structures(asked)[library["Al"]].formula == "Al1"


def test_a_refused_crystal_leaves_nothing(database, crystal):
    broken = crystal("Ni", "Al")
    broken.translate_sites([1], -0.45 * broken.lattice.abc[0] / broken.lattice.abc[0])
    with pytest.raises(InputError, match="overlap"):
        materials.save(broken, origin=Origin.IMPORT, source=SOURCE)
    assert materials.count() == 0


def test_those_of_a_formula(library):
    assert [m.id for m in materials.of_formulas(["AlNi", "Al", "none"])] == sorted([library["AlNi"], library["Al"]])
    volumes = [materials.get(key).volume_per_atom for key in (library["Al"], library["Al"])]
    assert materials.find_formula("Al4")[0].volume_per_atom == min(volumes)


def test_numpy_and_integer_keys_in_site_properties_are_stored_and_read(database: str) -> None:
    crystal = PROTOTYPES["B2"].build("Ni", "Al", 12.0)
    crystal.add_site_property("magmom", [np.float32(0.5), np.float64("nan")])
    crystal.add_site_property("forces", [np.zeros(3), np.ones(3, dtype=np.float32)])
    crystal.add_site_property("shells", [{0: np.int64(8), 1: 6}, {"0": np.bool_(True)}])
    crystal.properties["tags"] = {1: np.array([1, 2])}
    saved = Candidate(
        id="c-numpy", campaign="x", round=1, generator="substitution", index=0, structure=crystal.as_dict(),
        formula="AlNi", formula_lower="alni", elements=["Al", "Ni"], chemical_system="Al-Ni", n_sites=2, seed=1,
        score=0.5,
    )  # fmt: skip
    saved.save()
    read = Candidate.objects.get(id="c-numpy").to_structure()
    assert read.site_properties["magmom"] == [0.5, None]
    assert read.site_properties["forces"] == [[0, 0, 0], [1, 1, 1]]
    assert read.site_properties["shells"] == [{"0": 8, "1": 6}, {"0": True}]
    material = materials.save(crystal, origin=Origin.IMPORT, source={"name": "test"})
    assert len(materials.structure(material)) == 2
