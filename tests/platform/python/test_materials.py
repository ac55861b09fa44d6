"""Materials, labels and similar curves from Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import Dos

import fermiloop
from fermiloop.platform.errors import InputError, NotFoundError


def test_what_is_found_is_a_table_crystals_and_curves(store: dict[str, Any]) -> None:
    found = fermiloop.materials.find(limit=5)
    assert len(found) == 5
    table = found.to_dataframe()
    assert list(table.index) == found.ids
    assert {"formula", "band_gap", "method", "space_group"} <= set(table.columns)
    assert all(isinstance(one, Structure) for one in found.structures())
    curves = found.dos()
    assert list(curves) == found.ids
    assert curves[found.ids[0]].energies[0] == pytest.approx(-7.5)
    assert len(found[1:3]) == 2
    assert [one["formula"] for one in found] == list(table["formula"])
    assert found[0].id in repr(found[0])
    assert "<table" in found._repr_html_()


def test_nothing_found_is_an_empty_collection(store: dict[str, Any]) -> None:
    found = fermiloop.materials.find(elements="Og")
    assert (len(found), found.structures(), found.dos()) == (0, [], {})
    assert found.to_dataframe().empty
    assert set(found.to_dataframe().columns) == set(fermiloop.materials.find().to_dataframe().columns)
    assert repr(found) == "<no materials>"


def test_filters_are_values(store: dict[str, Any]) -> None:
    every = fermiloop.materials.find(limit=100)
    assert len(every) == len(set(store["ids"]))
    gaps = sorted(float(str(one["band_gap"])) for one in every)
    some = fermiloop.materials.find(ranges={"band_gap": (gaps[0], gaps[3])}, limit=100)
    assert 0 < len(some) <= len(every)
    one = fermiloop.materials.find(formula=str(every[0]["formula"]), sites=(None, 8))
    assert every[0].id in one.ids
    down = fermiloop.materials.find(sort="formula", descending=True, limit=100)
    assert down[0]["formula"] == max(str(one["formula"]) for one in every)
    with pytest.raises(InputError, match="no element"):
        fermiloop.materials.find(elements=["Xx"])


def test_get_by_id(store: dict[str, Any]) -> None:
    found = fermiloop.materials.get(store["ids"][0])
    assert found["id"] == store["ids"][0]
    assert found.structure().composition.reduced_formula == found["formula"]
    with pytest.raises(NotFoundError):
        fermiloop.materials.get("m-none")


@pytest.mark.parametrize("kind", ["dos", "spins", "id", "columns", "file"])
def test_similar_curves_of_any_form(store: dict[str, Any], dos_library: Any, tmp_path: Any, kind: str) -> None:
    x, y = dos_library.grid.points, dos_library.curves[3] + 1.0
    path = tmp_path / "curve.csv"
    path.write_text("energy,dos\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)))
    given: dict[str, Any] = {
        "dos": Dos(2.0, x + 2.0, {Spin.up: y}),
        "spins": Dos(0.0, x, {Spin.up: y / 2, Spin.down: y / 2}),
        "id": store["ids"][3],
        "columns": (x, y),
        "file": path,
    }
    found = fermiloop.similar(given[kind], limit=3)
    values = [float(str(one["dos_similarity"])) for one in found]
    assert values == sorted(values, reverse=True)
    if kind == "id":  # it is not like itself
        assert store["ids"][3] not in found.ids
    else:
        assert found.ids[0] == store["ids"][3]
        assert values[0] == pytest.approx(1.0, abs=1e-4)


def test_what_is_no_curve_is_told(store: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no density of states"):
        fermiloop.similar(3.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="metric"):
        fermiloop.similar(store["ids"][0], metric="cosin")
    with pytest.raises(InputError):
        fermiloop.similar((np.array([0.0, 1.0]), np.array([1.0, np.nan])))


def test_labels_need_a_method_that_exists(store: dict[str, Any]) -> None:
    material = store["ids"][0]
    made = fermiloop.labels.add(material, "energy_above_hull", 0.02, method=store["method"])
    (label,) = [one for one in fermiloop.labels.of_material(material) if one["property"] == "energy_above_hull"]
    assert (label["id"], label["value"], label["version"], label["unit"]) == (made, 0.02, 1, "eV/atom")
    fermiloop.labels.add(material, "energy_above_hull", 0.03, method=store["method"])
    assert max(int(str(one["version"])) for one in fermiloop.labels.of_material(material)) == 2
    for wrong in ({"method": "method-none"}, {"material": "m-none"}, {"property": "colour"}, {"value": float("nan")}):
        given: dict[str, Any] = {"material": material, "property": "band_gap", "value": 1.0, "method": store["method"]}
        with pytest.raises((NotFoundError, InputError)):
            fermiloop.labels.add(**given | wrong)
