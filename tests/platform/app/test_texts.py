"""What a person wrote, as values: ranges, symbols, names."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.app import filters, texts
from fermiloop.platform.errors import InputError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import embedded

finite = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 6))


def test_elements_come_apart_at_commas_and_spaces_and_once_each() -> None:
    assert texts.elements("Pd, Ni Pd") == ("Pd", "Ni")
    assert texts.elements(None) == ()


def test_chemical_system_is_sorted() -> None:
    assert texts.chemical_system("Ni-Al") == "Al-Ni"
    assert texts.chemical_system(None) is None


@pytest.mark.parametrize("text", ["Xx", "Pd,Zz", "pd", ",", ""])
def test_what_is_no_element_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"no element|is empty"):
        texts.elements(text)


@pytest.mark.parametrize(("text", "reduced"), [("NiAl", "AlNi"), ("Al2Ni2", "AlNi"), ("O3Fe2", "Fe2O3"), (None, None)])
def test_formula_is_reduced(text: str | None, reduced: str | None) -> None:
    assert texts.formula(text) == reduced


@pytest.mark.parametrize("text", ["", "Qq2", "Ni-Al", "2"])
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="formula"):
        texts.formula(text)


@pytest.mark.parametrize(
    ("text", "pair"), [("1:8", (1, 8)), (":4", (0, 4)), ("4", (4, 4)), ("2:", (2, texts.MOST_ROWS))]
)
def test_sites(text: str, pair: tuple[int, int]) -> None:
    assert texts.sites(text) == pair


@pytest.mark.parametrize("text", ["", ":", "8:1", "a:b", "1-8", "1.5:2", "-1:2"])
def test_sites_that_do_not_hold(text: str) -> None:
    with pytest.raises(InputError, match="range of sites"):
        texts.sites(text)


@given(finite, finite)
def test_every_range_is_read_back(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert texts.ranges([f"band_gap={low}:{high}"]) == {"band_gap": (low, high)}
    assert texts.ranges([f"band_gap={low}:{high} eV"]) == {"band_gap": (low, high)}


def test_a_range_may_be_open() -> None:
    assert texts.ranges(["band_gap=0.5:", "energy_above_hull=:0.1eV/atom"]) == {
        "band_gap": (0.5, math.inf),
        "energy_above_hull": (-math.inf, 0.1),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("band_gap", "LO:HI"), ("band_gap=1", "LO:HI"), ("band_gap=:", "LO:HI"), ("band_gap=a:b", "LO:HI"),
        ("band_gap=nan:1", "LO:HI"), ("=1:2", "property"), ("bandgap=1:2", "did you mean band_gap"),
        ("band_gap=2:1", "backwards"), ("band_gap=1:2meV", "kept in eV"), ("bulk_modulus=1:2 eV", "kept in GPa"),
    ],
)  # fmt: skip
def test_ranges_that_do_not_hold(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        texts.ranges([text])


def test_one_range_a_property() -> None:
    with pytest.raises(InputError, match="two ranges"):
        texts.ranges(["band_gap=0:1", "band_gap=2:3"])


def test_names_are_known_or_the_nearest_is_named() -> None:
    assert filters.of_candidates(stage="passed").stage == "passed"
    with pytest.raises(InputError, match="did you mean cubic"):
        filters.of_materials(crystal_system="Cubik")
    with pytest.raises(InputError, match="known are proposed"):
        filters.of_candidates(stage="zzz")
    assert texts.generator("dos_composer/paper") == ("dos_composer", "paper")
    with pytest.raises(InputError, match="did you mean dos_composer"):
        filters.of_candidates(generator="dos_composr")


def test_limit_is_positive() -> None:
    assert texts.limit(3) == 3
    with pytest.raises(InputError, match="-1"):
        texts.limit(-1)


def test_texts_and_values_make_the_same_filters() -> None:
    written = filters.of_materials(elements="Pd, Ni", sites="2:8", ranges=["band_gap=0.5:2 eV"], space_group="Fm-3m")
    given = filters.of_materials(elements=["Pd", "Ni"], sites=(2, 8), ranges={"band_gap": (0.5, 2)}, space_group=225)
    assert written == given
    assert filters.of_materials(sites=(None, 4)).sites == (0, 4)
    assert filters.of_materials(sites=(None, None)) == filters.of_materials()
    with pytest.raises(InputError, match="backwards"):
        filters.of_materials(ranges={"band_gap": (2.0, 1.0)})


@pytest.mark.parametrize("text", ["((((((", "H" * 5000, "H99999999999", ")(", "$ne", "H.", "\ud800"])
def test_a_hostile_formula_is_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match="no formula"):
        texts.formula(text)


def test_a_name_that_is_wrong_starts_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FERMILOOP_MONGODB_URI", raising=False)
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    with pytest.raises(InputError, match="did you mean substitution"):
        filters.of_candidates(generator="substitutio")
    assert not embedded.status(tmp_path)["running"]
    settings.cache_clear()
