"""Which U the elements of a crystal get, and how GPAW is told."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.flows.engines.gpaw import hubbard
from fermiloop.flows.engines.gpaw.settings import GpawSettings, of_engine
from fermiloop.platform.errors import InputError

MP = "materials_project"


def test_the_table_is_that_of_the_materials_project() -> None:
    from pymatgen.io.vasp.sets import MPRelaxSet

    table = MPRelaxSet.CONFIG["INCAR"]["LDAUU"]
    assert table["O"] == table["F"] == hubbard.U_OF_MATERIALS_PROJECT


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (["V", "O"], {"V": 3.25}),
        (["Fe", "Li", "F"], {"Fe": 5.3}),
        (["V"], {}),
        (["V", "N"], {}),  # neither an oxide nor a fluoride
        (["Ti", "O"], {}),
    ],
)
def test_the_rule_of_the_materials_project_holds_for_oxides_and_fluorides(
    symbols: list[str], expected: dict[str, float]
) -> None:
    assert hubbard.of_crystal(symbols, MP) == expected
    assert GpawSettings(hubbard=MP).of_crystal(symbols).hubbard == (expected or None)


def test_what_is_explicit_holds_for_every_crystal_with_the_element() -> None:
    chosen = of_engine({"hubbard": {"V": 3.25, "Ce": 5}}, "gpaw-hard")
    assert hubbard.setups(chosen.of_crystal(["V", "Al"]).hubbard) == {"V": ":d,3.25"}
    assert hubbard.setups(chosen.of_crystal(["Ce"]).hubbard) == {"Ce": ":f,5"}
    assert hubbard.setups(chosen.of_crystal(["Al"]).hubbard) == {}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("everything", "materials_project"),
        (3.25, "by element"),
        ({"Al": 3.0}, "no open d or f shell"),
        ({"Xx": 3.0}, "no element"),
        ({"V": -1.0}, "from 0 to 20"),
        ({"V": float("nan")}, "from 0 to 20"),
        ({"V": True}, "from 0 to 20"),
        ({"V": "much"}, "from 0 to 20"),
    ],
)
def test_what_is_no_u_is_refused_with_what_to_write(given: Any, word: str) -> None:
    with pytest.raises(InputError, match=word):
        of_engine({"hubbard": given}, "gpaw")
