"""The shipped ground states: what they hold, and how they stand beside the list that named the phases."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from pymatgen.core import Element

from fermiloop.db_init.element_references import SHIPPED, of_elements, shipped
from fermiloop.flows.library.element_references import above_lowest
from fermiloop.flows.library.element_structures import BONDS, KINDS
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.canonical import canonical
from fermiloop.platform.representations.molecules import is_molecule
from fermiloop.schemas.fields import structure_fault

LIST = Path(__file__).parents[2] / ".." / "shared" / "data" / "mp_element_references.json.gz"


def test_every_one_is_a_small_crystal_or_molecule_of_its_element() -> None:
    assert list(shipped()) == sorted(KINDS, key=lambda symbol: Element(symbol).Z)
    for symbol, one in shipped().items():
        assert one.structure.symbol_set == (symbol,)
        assert structure_fault(one.structure) is None
        assert is_molecule(one.structure) is one.is_molecule
        assert len(one.structure) <= 12
        assert one.kind == KINDS[symbol]


def test_molecules_have_their_bonds_and_oxygen_its_moments() -> None:
    for symbol, bond in BONDS.items():
        assert shipped()[symbol].structure.get_distance(0, 1) == pytest.approx(bond, rel=0.05)
    moments = {symbol: one.structure.site_properties.get("magmom") for symbol, one in shipped().items()}
    assert {symbol: found for symbol, found in moments.items() if found} == {"O": [1.0, 1.0]}
    sulfur = shipped()["S"].structure
    assert all(len(sulfur.get_neighbors(site, 2.3)) == 2 for site in sulfur)


@pytest.mark.parametrize(("symbol", "group"), [("B", 166), ("C", 194), ("Ga", 64), ("Te", 152), ("U", 63), ("La", 194)])
def test_phases_have_the_symmetry_of_their_type(symbol: str, group: int) -> None:
    assert canonical(shipped()[symbol].structure).space_group == group


def test_an_element_without_one_is_named() -> None:
    assert [one.element for one in of_elements(["Ti", "O", "Ti"])] == ["Ti", "O"]
    with pytest.raises(InputError, match="No ground state of Pu is shipped"):
        of_elements(["Al", "Pu"])


def test_what_the_file_says_of_the_list_is_so() -> None:
    if not LIST.exists():
        pytest.skip("the list of the Materials Project is not beside the repository")
    listed = json.loads(gzip.decompress(LIST.read_bytes()))
    with gzip.open(SHIPPED, "rt", encoding="utf-8") as lines:
        rows = {row["element"]: row for row in map(json.loads, lines)}
    for symbol in ("Al", "Mn", "Ti", "Ga"):
        assert above_lowest(rows[symbol], listed[symbol]) == rows[symbol]["above_lowest"]
    known = [row["above_lowest"] for row in rows.values() if row.get("above_lowest") is not None]
    assert len(known) > 70
    assert max(known) < 0.06
