"""The cases of the papers: every campaign file holds, and names what a new store can come to have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from pymatgen.core import Composition, Structure

from fermiloop.db_init.importers import seed
from fermiloop.platform.campaign.spec import CampaignSpec, load_spec

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "examples" / "papers").glob("*.yaml"))
CRYSTALS = ROOT / "examples" / "papers" / "crystals"
pytestmark = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
OF_PROPERTIES = {"ftcp-gap": {"band_gap", "formation_energy_per_atom"}, "v-o": {"energy_above_hull"}}
"""Files whose target is no curve of a material, and what it is."""
MOST = {"chgnet": 40}
"""Evaluations of an engine that takes seconds for one; 12 by DFT."""


def material_of(spec: CampaignSpec) -> str:
    assert spec.target.dos is not None
    assert spec.target.dos.material is not None
    return spec.target.dos.material


def test_it_holds_and_is_small(path: Path) -> None:
    spec = load_spec(path)
    assert spec.name == path.stem
    assert CampaignSpec.model_validate(spec.as_dict()) == spec
    assert spec.budget.evaluations <= MOST.get(spec.engine.name, 12)
    assert spec.budget.core_hours is not None


def test_its_target_can_be_computed_by_its_engine(path: Path) -> None:
    """From a crystal beside it, named with the command in the file's comment, or from the seed library."""
    spec = load_spec(path)
    if path.stem in OF_PROPERTIES:
        assert {one.name for one in spec.target.properties} == OF_PROPERTIES[path.stem]
        return
    material = material_of(spec)
    crystal = CRYSTALS / f"{material}.cif"
    if not crystal.is_file():
        with gzip.open(seed.SHIPPED, "rt", encoding="utf-8") as library:
            assert material in {json.loads(line)["formula"] for line in library}
        return
    asked = f"fermiloop compute examples/papers/crystals/{material}.cif --engine {spec.engine.name}"
    assert asked in path.read_text(encoding="utf-8")
    assert Structure.from_file(crystal).composition.reduced_composition == Composition(material).reduced_composition


def test_it_does_not_answer_with_its_own_target(path: Path) -> None:
    """All targets are cubic: where cubic crystals of as many elements are looked for, the target is excluded."""
    spec = load_spec(path)
    if path.stem in OF_PROPERTIES:
        assert spec.target.dos is None
        return
    material, space = Composition(material_of(spec)), spec.space
    if "cubic" in space.crystal_systems and {element.symbol for element in material.elements} <= set(space.elements):
        assert any(Composition(one) == material for one in spec.target.exclude)


def test_it_is_a_row_of_the_table(path: Path) -> None:
    text = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    assert f"examples/papers/{path.name}" in text
