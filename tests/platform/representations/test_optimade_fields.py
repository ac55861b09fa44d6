"""A crystal as OPTIMADE's fields holds by the standard's own model."""

from __future__ import annotations

import pytest
from optimade.models import ReferenceResource, StructureResource
from pymatgen.core import Composition, Lattice, Structure

from fermiloop.platform.representations import optimade_fields
from fermiloop.platform.representations.optimade_fields import anonymous_formula, relationships, structure_fields
from fermiloop.platform.representations.prototypes import PROTOTYPES

CELL = Lattice.from_parameters(4.0, 5.0, 6.0, 80, 95, 110)


@pytest.mark.parametrize(
    "structure",
    [
        PROTOTYPES["A1"].build("Pd", None, 15.0),
        PROTOTYPES["L1_2"].build("Ni", "Al", 12.0),
        Structure(CELL, ["C", "H", "H", "O"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0.3], [0.2, 0.7, 0.6]]),
    ],
)
def test_the_model_of_the_standard_takes_it_and_it_is_the_same_crystal(structure: Structure) -> None:
    fields = structure_fields(structure.as_dict())
    StructureResource(id="m-1", type="structures", attributes={**fields, "last_modified": "2026-01-01T00:00:00Z"})
    back = Structure(
        fields["lattice_vectors"],
        fields["species_at_sites"],
        fields["cartesian_site_positions"],
        coords_are_cartesian=True,
    )
    assert back.matches(structure, scale=False)


@pytest.mark.parametrize(
    ("counts", "anonymous"),
    [({"Ni": 1}, "A"), ({"Al": 1, "Ni": 3}, "A3B"), ({"Al": 6, "Ni": 2}, "A3B"), ({"O": 6, "Sr": 2, "Ti": 2}, "A3BC")],
)
def test_anonymous_formula(counts: dict[str, int], anonymous: str) -> None:
    assert anonymous_formula(counts) == anonymous


def test_formulas_are_reduced_sorted_and_in_hill_order() -> None:
    sites = [[i / 8, 0.5, (i % 3) / 3] for i in range(8)]
    structure = Structure(Lattice.cubic(9), ["Zn", "O", "O", "O", "Zn", "O", "C", "C"], sites)
    fields = structure_fields(structure.as_dict())
    assert fields["chemical_formula_descriptive"] == "C2O4Zn2"
    assert fields["chemical_formula_reduced"] == "CO2Zn"
    assert fields["chemical_formula_hill"] == "C2O4Zn2"
    assert Composition(fields["chemical_formula_reduced"]) == structure.composition.reduced_composition
    assert sum(fields["elements_ratios"]) == pytest.approx(1)


def test_positions_are_found_where_only_fractions_are_stored() -> None:
    stored = PROTOTYPES["L1_2"].build("Ni", "Al", 12.0).as_dict()
    right = structure_fields(stored)["cartesian_site_positions"]
    for site in stored["sites"]:
        del site["xyz"]
    assert structure_fields(stored)["cartesian_site_positions"] == [pytest.approx(row) for row in right]


def test_references_hold_and_generators_of_any_preset_have_theirs() -> None:
    for key, fields in optimade_fields.references().items():
        ReferenceResource(id=key, type="references", attributes={**fields, "last_modified": "2026-01-01T00:00:00Z"})
    assert relationships("ftcp/paper") == {"references": {"data": [{"type": "references", "id": "ren-2022"}]}}
    assert relationships("random_pick", None) == {}
    assert relationships("fermiloop seed library") == {
        "references": {"data": [{"type": "references", "id": "fermiloop-seed"}]}
    }
    assert {"bang-2024", "noh-2019", "long-2021", "kuban-2022", "fermiloop-seed"} < optimade_fields.references().keys()
