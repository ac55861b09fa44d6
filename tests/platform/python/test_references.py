"""References and hulls in Python: the same functions as the command line."""

from __future__ import annotations

import pytest

import fermiloop
from fermiloop.platform.errors import InputError


def test_build_find_and_hull(database):
    built = fermiloop.references.build("analytic", ["Al"])
    assert [one.state for one in built.outcomes] == ["completed"]
    aluminium, nickel = fermiloop.references.find("analytic", ["Al", "Ni"])
    assert aluminium.energy_per_atom == pytest.approx(built.outcomes[0].energy_per_atom)
    assert nickel.energy_per_atom is None
    with pytest.raises(InputError, match="references build --engine analytic --elements Ni"):
        fermiloop.references.hull("analytic", ["Al", "Ni"])
    fermiloop.references.build_hull("analytic", ["Al", "Ni"], limit=3)
    assert {one.formula for one in fermiloop.references.hull("analytic", ["Al", "Ni"])} == {"Al", "Ni"}
    with pytest.raises(InputError, match="0 oxides"):
        fermiloop.references.fit_oxygen("analytic")
