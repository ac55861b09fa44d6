"""Words that belong to one option."""

from __future__ import annotations

import pytest

from fermiloop.platform.cli.word_lists import spread


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("find --elements Pd Ni", "find --elements Pd --elements Ni"),
        ("find --elements Pd, Ni --json", "find --elements Pd, --elements Ni --json"),
        ("find --elements Pd , Ni", "find --elements Pd --elements , --elements Ni"),
        ("find --elements Pd,Ni Al", "find --elements Pd,Ni --elements Al"),
        ("find --elements Pd --elements Ni", "find --elements Pd --elements Ni"),
        ("export --elements Pd Ni all.json", "export --elements Pd --elements Ni all.json"),
        ("load --elements Pd mp", "load --elements Pd mp"),
        ("export --elements Pd out Ni", "export --elements Pd out Ni"),
        ("find --columns id band_gap --sort id", "find --columns id --columns band_gap --sort id"),
        ("find --formula Pd Ni", "find --formula Pd Ni"),
        ("find --elements", "find --elements"),
    ],
)
def test_lists_are_spread(given: str, read: str) -> None:
    assert spread(given.split()) == read.split()
    assert spread(spread(given.split())) == read.split()
