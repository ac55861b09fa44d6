"""``campaign init``, ``validate`` and ``plan``: a file that runs, every problem at once, costs as measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mongoengine import get_db

from fermiloop.db_init import setup
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import tasks
from fermiloop.platform.campaign.draft import ELEMENTS
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, labels, materials, methods, spectra
from fermiloop.schemas.vocabulary import CalculationState, Origin, Property


@pytest.fixture
def library(database: str, tmp_path: Path) -> str:
    """The elements of the file by the analytic engine; the id of its Method."""
    setup.init()
    record = code_of("analytic").method({})
    method = methods.save(record.engine, record.functional, record.settings, record.code_versions)
    for element in (*ELEMENTS, "Pd"):
        structure = PROTOTYPES["A1"].build(element, None, 15.0)
        found = tasks.analytic_static({"structure": structure.as_dict()}, tmp_path)
        material = materials.save(structure, origin=Origin.SEED, source={"name": "synthetic"}, prototype="A1")
        spectra.save(material, found["energies"], found["density"], method=method)
        labels.save(material, Property.ENERGY_PER_ATOM, found["energy"], method=method)
    return method


@pytest.fixture
def file(cli: Callable[..., Any], tmp_path: Path) -> Path:
    """The file that ``init`` writes, for the library of these tests."""
    path = tmp_path / "campaign.yaml"
    assert cli("campaign", "init", "mine", "--engine", "analytic", "--to", str(path)).code == 0
    path.write_text(path.read_text().replace("potential: chgnet", "potential: analytic"))
    return path


def documents() -> dict[str, int]:
    database = get_db()
    return {name: database[name].count_documents({}) for name in database.list_collection_names()}


def test_elements_of_a_draft_are_those_of_its_space(cli: Callable[..., Any]) -> None:
    told = " ".join(cli("campaign", "init", "--help").out.replace("│", " ").split())
    assert "Elements that candidates may hold" in told
    assert "elements: [Cu, Rh, Pt]" in cli("campaign", "init", "--elements", "Cu", "Rh", "Pt").out


def test_init_prints_or_writes_and_never_overwrites(cli: Callable[..., Any], file: Path) -> None:
    printed = cli("campaign", "init", "mine", "--engine", "analytic")
    assert printed.out.replace("potential: chgnet", "potential: analytic") == file.read_text()
    again = cli("campaign", "init", "--to", str(file))
    assert (again.code, len(again.err.splitlines())) == (2, 1)
    assert str(file) in again.err
    named = cli("campaign", "init", "--target-dos", "Pt3Ni", "--elements", "Cu,Pt,Ni").out
    assert "name: pt3ni-like" in named
    assert "elements: [Cu, Pt, Ni]" in named


def test_validate_says_that_a_file_can_be_launched_and_stores_nothing(
    cli: Callable[..., Any], library: str, file: Path
) -> None:
    before = documents()
    told = cli("campaign", "validate", str(file))
    assert told.code == 0
    assert f"fermiloop campaign launch {file}" in told.out
    assert cli("campaign", "validate", str(file), "--json").json()["valid"] is True
    assert documents() == before


def test_validate_lists_every_problem(cli: Callable[..., Any], library: str, file: Path) -> None:
    text = file.read_text().replace("material: Pd", "material: Pu").replace("[Al, Ti,", "[Ni, Al, Ti,")
    file.write_text(text)
    told = cli("campaign", "validate", str(file))
    assert told.code == 2
    lines = told.out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["target", "funnel.stages"]
    found = cli("campaign", "validate", str(file), "--json")
    assert found.code == 2
    assert [one["key"] for one in found.json()["problems"]] == ["target", "funnel.stages"]
    assert "no reference energy" in found.json()["problems"][1]["text"]


def test_a_file_that_is_none_is_one_sentence_and_json_where_asked(cli: Callable[..., Any], file: Path) -> None:
    file.write_text(file.read_text().replace("generators:", "generatorz:"))
    told = cli("campaign", "validate", str(file))
    assert (told.code, told.out, len(told.err.splitlines())) == (2, "", 1)
    assert "did you mean generators?" in told.err
    found = cli("campaign", "validate", str(file), "--json")
    assert found.code == 2
    assert found.json()["valid"] is False
    assert "did you mean generators?" in found.json()["problems"][0]["text"]


def test_plan_without_measured_costs_says_so(cli: Callable[..., Any], library: str, file: Path) -> None:
    before = documents()
    told = cli("campaign", "plan", str(file))
    assert told.code == 0
    assert "fewer than 3 evaluations by analytic have ended in this store" in told.out
    found = cli("campaign", "plan", str(file), "--json").json()
    assert (found["training"], found["evaluations"], found["measured"]) == (12, 4, 0)
    assert documents() == before


def test_plan_takes_the_costs_of_the_nearest_evaluations(cli: Callable[..., Any], library: str, file: Path) -> None:
    spent = {"Al": 100.0, "Cu": 200.0, "Ag": 300.0, "Pb": 9000.0}
    for number, (symbol, seconds) in enumerate(spent.items()):
        crystal = PROTOTYPES["A1"].build(symbol, None, 15.0 + number)
        planned = calculations.plan(None, crystal, engine="analytic", method=library, settings={})
        state = CalculationState.FAILED if symbol == "Ag" else CalculationState.COMPLETED
        calculations.finish(planned, state, core_seconds=seconds)
    found = cli("campaign", "plan", str(file), "--workers", "2", "--json").json()
    assert found["measured"] == 3  # lead is not in the space; a failed one is paid as well
    assert found["core_seconds_per_evaluation"]["median"] == 200.0
    assert found["core_hours"]["median"] == pytest.approx(800 / 3600, rel=0.2)
    assert found["wall_hours"]["median"] == pytest.approx(found["core_hours"]["median"] / 2)
    shown = cli("campaign", "plan", str(file)).out
    assert "core-hours" in shown
    assert "with the same settings within Ag-Al-Au-" in shown


def test_a_plan_of_what_cannot_work_is_refused(cli: Callable[..., Any], library: str, file: Path) -> None:
    file.write_text(file.read_text().replace("material: Pd", "material: Pu"))
    told = cli("campaign", "plan", str(file))
    assert (told.code, told.out, len(told.err.splitlines())) == (2, "", 1)
    assert "validate" in told.err
