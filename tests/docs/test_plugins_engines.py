"""The packages of docs/plugins-engines.md, installed as they stand there, in campaigns that run to their end."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from plugins import installed

from fermiloop.db_init import setup
from fermiloop.flows.campaigns.enqueue import engine_fault
from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.driving import launching
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import campaigns, candidates, labels, material_rows, materials, methods
from fermiloop.platform.store.candidates import CandidateQuery
from fermiloop.platform.store.materials import MaterialQuery
from fermiloop.platform.testing.engines import check_engine
from fermiloop.schemas.vocabulary import CampaignState, Stage

PAGE = (Path(__file__).parents[2] / "docs" / "plugins-engines.md").read_text(encoding="utf-8")
BLOCKS = {
    name: text for _, name, text in re.findall(r"^```(\w+)\n# ([^\n]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}
PROJECTS = [tomllib.loads(text) for name, text in BLOCKS.items() if name.startswith("pyproject.toml")]
GROUPS: dict[str, dict[str, str]] = {
    group: entries for project in PROJECTS for group, entries in project["project"]["entry-points"].items()
}
CODE = {name: text for name, text in BLOCKS.items() if name.startswith("my_")}


@contextmanager
def packages(folder: Path) -> Iterator[None]:
    """All that the page shows, as installed."""
    for name in {path.partition("/")[0] for path in CODE if "/" in path}:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("", encoding="utf-8")
    for name, text in CODE.items():
        (folder / name).write_text(text, encoding="utf-8")
    with installed(folder, {}, GROUPS, ENGINES, PROPERTIES):
        yield


@pytest.fixture
def known(database: str) -> str:
    """Crystals to learn the prototypes from, with energies of an imported source."""
    setup.init()
    method = methods.save("external", "made up", {"source": "known"}, {})
    for symbol in ("Al", "Pd", "Ag"):
        for prototype in ("A1", "A2"):
            crystal = PROTOTYPES[prototype].build(symbol, None, 16.0)
            source = {"name": "known", "key": symbol, "licence": "MIT"}
            made = materials.save(crystal, origin="import", source=source, prototype=prototype)
            labels.save(made, "energy_per_atom", -3.0, method=method)
    return method


def test_the_page_shows_a_property_an_engine_and_their_entry_points() -> None:
    assert GROUPS == {
        "fermiloop.properties": {"mass_density": "my_density.declaration:MASS_DENSITY"},
        "fermiloop.engines": {"emt": "my_emt.declaration:EMT"},
    }
    assert {"my_emt/engine.py", "my_flows.py"} <= CODE.keys()


@pytest.mark.slow
def test_the_engine_of_the_page_keeps_the_contract(tmp_path: Path) -> None:
    with packages(tmp_path / "site"):
        check_engine(ENGINES["emt"])


def ended(name: str) -> list[Any]:
    """Candidates of a campaign of the page that ran to its end, all of them evaluated."""
    launching.launch(parse_spec(BLOCKS[f"{name}.yaml"]), BLOCKS[f"{name}.yaml"])
    campaign = campaigns.get(name)
    assert campaign.state is CampaignState.FINISHED, campaign.reason
    found = [one for one in candidates.of_campaign(name) if one.stage in (Stage.EVALUATED, Stage.FAILED)]
    assert [one.reason for one in found] == [None, None]
    return found


@pytest.mark.slow
def test_a_campaign_by_the_engine_for_the_property(known: str, tmp_path: Path) -> None:
    with packages(tmp_path / "site"):
        for one in ended("dense"):
            value = one.scores["computed_mass_density"]
            assert value == pytest.approx(materials.structure(one.material).density, rel=1e-6)
            assert one.scores["hit"] is (value >= 12.0)
            query = MaterialQuery(properties={"mass_density": (0.0, 30.0)}, ids=(one.material,))
            (row,) = material_rows.rows(query, ("id",))
            assert row["mass_density"] == value
        assert candidates.find(CandidateQuery(campaign="dense", scores={"computed_mass_density": (0.0, 30.0)}))
    spec = spec_of("dense")  # still readable, and what it lacks is said where it is to run
    assert str(engine_fault(spec)).startswith("The engine emt is not installed here; install the package")
    assert read_record("dense").proposals


@pytest.mark.slow
def test_a_campaign_by_a_flow(known: str, tmp_path: Path) -> None:
    with packages(tmp_path / "site"):
        for one in ended("stiff"):
            assert 50.0 < one.scores["computed_bulk_modulus"] < 400.0
            assert one.scores["hit"] is (one.scores["computed_bulk_modulus"] >= 150.0)
            (label,) = [row for row in labels.of_material(one.material) if row.property == "bulk_modulus"]
            method = methods.get(label.method)
            assert (method.engine, method.functional) == ("flow", "my_flows:StiffnessMaker")
            assert label.unit == "GPa"
