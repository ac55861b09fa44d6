"""The map of the element vectors."""

import pytest

from fermiloop.platform.bench.dos import learnable, write_map
from fermiloop.platform.bench.element_map import draw, map_rows
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.samples import samples_of


@pytest.fixture(scope="module")
def samples(make_library):
    return samples_of(learnable(make_library(elements=("Al", "Ni", "Pd", "Pt"), names=("A1", "B2"), every=1)))


def test_the_map_is_a_picture(samples, tmp_path) -> None:
    for name, magic in (("map.png", b"\x89PNG"), ("map.svg", b"<?xml")):
        draw(samples, tmp_path / name, 0)
        assert (tmp_path / name).read_bytes().startswith(magic)
    with pytest.raises(InputError, match=r"end its name in \.svg"):
        write_map([tmp_path / "library.jsonl"], tmp_path / "map.txt")


def test_the_share_is_of_elements_that_have_another_of_their_group(samples) -> None:
    found, chance = map_rows(samples, 0)
    assert found["n"] == 3  # Ni, Pd and Pt
    assert 0 <= found["top1_low"] <= found["top1"] <= found["top1_high"] <= 1
    assert chance["top1"] == 0.5  # three of the six pairs
