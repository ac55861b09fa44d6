"""Properties by declaration: what one declared name is at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugins import installed

from fermiloop.db_init.importers.columns import column_of
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.cli import filters
from fermiloop.platform.cli.materials import KNOWN
from fermiloop.platform.errors import InputError, PluginError, SpecError
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.plugins.properties import (
    PROPERTIES,
    PropertyDeclaration,
    declared_property,
    grows,
    learned,
    targetable,
)
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.optimade_fields import PROVIDER_FIELDS
from fermiloop.platform.store import connection, labels, material_rows, materials, methods
from fermiloop.platform.store.materials import MaterialQuery
from fermiloop.platform.web.database import RANGES
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import Property

DECLARE = """
from fermiloop.platform.plugins.engines import EngineDeclaration
from fermiloop.platform.plugins.properties import PropertyDeclaration
MELTING = PropertyDeclaration(
    "melting_point", "melting point", unit="K", description="temperature at which it melts", low=0.0, high=6000.0,
    scale=50.0, aim=(0.0, 4000.0),
)
THEIRS = EngineDeclaration("theirs", "of a group", code="group_code:ENGINE", gives=("melting_point",))
"""
GROUPS = {
    "fermiloop.properties": {"melting_point": "group_melting:MELTING"},
    "fermiloop.engines": {"theirs": "group_melting:THEIRS"},
}
TEXT = """
name: one
target: {properties: [{name: melting_point, at_least: 2000.0}], stable_within: null}
space: {elements: [Ni, Pt]}
generators: [{name: substitution, proposals: 5}]
engine: {name: theirs}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""


def test_ours_are_those_that_code_asks_for() -> None:
    assert tuple(PROPERTIES) == tuple(map(str, Property))
    assert "fermi_level" not in learned()
    assert "dos_similarity" not in targetable()
    assert [name for name, one in PROPERTIES.items() if one.per_cell] == ["magnetic_moment"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"unit": ""}, "unit of mine is ''"),
        ({"unit": "x" * 41}, "1 to 40 characters"),
        ({"low": 2.0, "high": 1.0}, "let them rise"),
        ({"aim": (1.0, 1.0)}, "aims of mine"),
        ({"scale": 0.0}, "scale of mine is 0"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(PluginError, match=reason):
        PropertyDeclaration("mine", "mine", **given)


def test_a_unit_says_itself_whether_it_grows_with_the_cell() -> None:
    assert grows("e/cell")
    assert not grows("e/atom")


def test_a_declared_property_is_a_target_a_score_a_filter_a_column_and_a_provider_field(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no known"):
        parse_spec(TEXT)
    with installed(tmp_path, {"group_melting": DECLARE}, GROUPS, PROPERTIES, ENGINES):
        spec = parse_spec(TEXT)
        assert spec.target.windows() == (Condition("melting_point", low=2000.0),)
        assert spec.target.windows()[0].scale == 50.0
        assert SCORES["computed_melting_point"].heading == "computed melting point (K)"
        assert filters.windows(["melting_point=2000:K"]) == {"melting_point": (2000.0, float("inf"))}
        assert KNOWN["melting_point"] == "melting point (K)"
        assert PROVIDER_FIELDS["melting_point"][:2] == ("float", "K")
        assert "melting_point" in RANGES["materials"]
        column = column_of("melting point (K)")
        assert column is not None
        assert column.value("1728", 1) == 1728.0
        with pytest.raises(InputError, match="outside 0 to 6000"):
            column.value("1e5", 1)
    assert "computed_melting_point" not in SCORES
    assert CampaignSpec.stored(spec.as_dict()) == spec  # launched before, and still to be shown


def test_labels_are_stored_found_and_readable_once_the_package_is_gone(database: str, tmp_path: Path) -> None:
    from fermiloop.platform.representations.prototypes import PROTOTYPES

    crystal = PROTOTYPES["A1"].build("Ni", None, volume_per_atom=11.0)
    material = materials.save(crystal, origin="import", source={"name": "test", "key": "Ni", "licence": "MIT"})
    method = methods.save("external", "experiment", {}, {})
    with installed(tmp_path, {"group_melting": DECLARE}, GROUPS, PROPERTIES):
        labels.save(material, "melting_point", 1728.0, method=method)
        with pytest.raises(InputError, match=r"^The melting point of m-\w+ is 9000 K, which lies outside 0 to 6000\.$"):
            labels.save(material, "melting_point", 9000.0, method=method)
        query = MaterialQuery(properties={"melting_point": (1000.0, 2000.0)})
        assert [row["melting_point"] for row in material_rows.rows(query, ("id",))] == [1728.0]
    (label,) = labels.of_material(material)
    assert (label.property, label.value, label.unit) == ("melting_point", 1728.0, "K")
    assert connection.database()["labels"].count_documents({}) == 1
    with pytest.raises(InputError, match="'melting_point' is unknown"):
        declared_property("melting_point")
    with pytest.raises(InputError, match="'melting_point' is unknown"):
        materials.find(query)
