"""One candidate, evaluated, through every way to look at it: the same names, the same numbers, the same crystal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component
from pymatgen.core import Structure
from starlette.testclient import TestClient

from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.steps import method_of, spec_of
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.flows.engines.steps import tasks
from fermiloop.flows.rounds import record as recording
from fermiloop.flows.rounds.sample import document
from fermiloop.flows.rounds.screen import save
from fermiloop.platform.api.app import create_app
from fermiloop.platform.api.optimade_app import create_app as create_optimade
from fermiloop.platform.campaign import scores
from fermiloop.platform.campaign.believing import with_belief
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.cli.main import main
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.verdicts import Screened
from fermiloop.platform.store import (
    calculations,
    campaigns,
    candidates,
    glance,
    labels,
    lineage,
    materials,
    optimade_entries,
)
from fermiloop.platform.web import campaign as campaign_page
from fermiloop.platform.web import candidate as page
from fermiloop.platform.web import home
from fermiloop.platform.web.app import create_app as create_pages
from fermiloop.platform.web.site import Site
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import Origin, Property, Stage

# the protocol tells clients of unknown fields by warnings
pytestmark = pytest.mark.filterwarnings("default")
PROPOSED = PROTOTYPES["L1_2"].build("Ti", "Cu", 13.0)
WAITING = PROTOTYPES["B2"].build("Al", "Pt", 13.0)
LOST = PROTOTYPES["L1_2"].build("Ni", "Cu", 13.0)
RELAXED = PROTOTYPES["L1_2"].build("Ti", "Cu", 14.0)
FUNNEL = {
    "energy_per_atom": -1.0, "formation_energy_per_atom": -0.25, "energy_above_hull": -0.02,
    "similarity_mean": 0.4, "similarity_std": 0.1, "energy_above_hull_mean": -0.02, "energy_above_hull_std": 0.05,
}  # fmt: skip
POTENTIAL_HULL, GENERATOR_SCORE = -0.02, -6.58
SAME = ("score", "computed_score", "energy_above_hull", "computed_energy_above_hull", "potential_energy_above_hull",
        "predicted_score", "predicted_probability", "predicted_similarity", "predicted_energy_above_hull_std",
        "computed_similarity", "energy_per_atom")  # fmt: skip


def proposed(number: int, structure: Structure) -> str:
    """A candidate that passed the funnel."""
    made = document("one", 1, "substitution", number, Proposal(structure, GENERATOR_SCORE), "", 5)
    candidates.save_many([made])
    (known,) = with_belief(resolve(spec_of("one")), [scores.predicted(FUNNEL)])
    save(made, Screened(number, structure, (), FUNNEL, True), known)
    return str(made.id)


@pytest.fixture
def evaluated(library: str, campaign: Any, tmp_path: Path) -> str:
    """Id of a candidate whose evaluation moved its atoms; another one only passed the funnel, a third failed."""
    stable = PROTOTYPES["B2"].build("Ti", "Cu", 13.0)  # far below the rest, so that the result lies above the hull
    known = materials.save(stable, origin=Origin.SEED, source={"name": "synthetic, for tests"})
    labels.save(known, Property.ENERGY_PER_ATOM, AnalyticPotential().energies([stable])[0] - 0.4, method=library)
    spec, text = campaign("one")
    campaigns.create(spec.name, spec.as_dict(), text)
    campaigns.plan_round("one", 1)
    campaigns.mark_launched("one", 1)
    first, _, third = (proposed(i, s) for i, s in enumerate((PROPOSED, WAITING, LOST)))
    for key in (first, third):
        calculation = calculations.plan(
            key, candidates.get(key).to_structure(), engine="analytic", method=method_of(spec_of("one")),
            settings={}, campaign="one",
        )  # fmt: skip
        candidates.update(key, stage=Stage.SELECTED, calculation=calculation)
    outputs = {"static": tasks.analytic_static({"structure": RELAXED.as_dict()}, tmp_path)}
    assert recording.record.original("one", 1, first, outputs) == Stage.EVALUATED
    assert recording.record.original("one", 1, third, None) == Stage.FAILED
    campaigns.add_cost("one", 1, "screen", 7200.0)
    return first


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command line: what it prints."""

    def run(*argv: str) -> str:
        capsys.readouterr()
        assert main(list(argv)) == 0
        return str(capsys.readouterr().out)

    return run


def site() -> Site:
    create_pages()  # addresses of links are known from then on
    return Site(lambda *_: None)


def cells(component: Any) -> list[list[str]]:
    """Rows of all tables, as text."""
    if isinstance(component, list | tuple):
        return [row for one in component for row in cells(one)]
    if not isinstance(component, Component):
        return []
    if type(component).__name__ == "Tr":
        return [[words(one) for one in component.children]]
    return cells(getattr(component, "children", None))


def words(component: Any) -> str:
    if isinstance(component, list | tuple):
        return " ".join(words(one) for one in component)
    return words(getattr(component, "children", "")) if isinstance(component, Component) else str(component or "")


def rest(path: str) -> Any:
    with TestClient(create_app()) as client:
        return client.get(path)


def by_page(key: str) -> dict[str, float]:
    """Names and numbers of a candidate's page."""
    return {row[-1]: float(row[1]) for row in cells(page.layout(site(), key)) if row[-1] in SCORES}


def by_optimade(key: str) -> dict[str, Any]:
    optimade_entries.sync()
    with TestClient(create_optimade()) as client:
        found = client.get(f"/v1/structures/{key}").json()["data"]["attributes"]
    return {name.removeprefix("_fermiloop_"): value for name, value in found.items()}


def test_the_same_names_and_numbers_by_table_json_csv_rest_page_and_optimade(
    evaluated: str, ask: Callable[..., str], tmp_path: Path
) -> None:
    stored = candidates.get(evaluated).scores
    score, hull = stored["computed_score"], stored["computed_energy_above_hull"]
    assert stored["score"] == score != stored["predicted_score"]
    assert stored["energy_above_hull"] == hull
    assert hull > 0.1
    assert stored["potential_energy_above_hull"] == POTENTIAL_HULL
    ways = {
        "json": json.loads(ask("candidates", "find", "--stage", "evaluated", "--json"))[0],
        "csv": next(csv.DictReader(io.StringIO(ask("candidates", "find", "--stage", "evaluated", "--csv")))),
        "show": json.loads(ask("candidates", "show", evaluated, "--json")),
        "rest": rest("/candidates?stage=evaluated").json()["data"][0],
        "rest, one": rest(f"/candidates/{evaluated}").json()["data"],
        "optimade": by_optimade(evaluated),
    }
    for way, found in ways.items():
        for name in SAME:
            assert float(found[name]) == pytest.approx(stored[name], rel=1e-12), (way, name)
        assert float(found["generator_score"]) == GENERATOR_SCORE, way
    shown = by_page(evaluated)
    assert set(shown) == set(stored) - {"hit"}
    assert all(shown[name] == pytest.approx(stored[name], abs=5.1e-5) for name in shown)
    heads, values = _table(ask("candidates", "find", "--stage", "evaluated"))
    row = dict(zip(heads, values, strict=True))
    assert float(row["score"]) == pytest.approx(score, rel=1e-3)
    assert float(row["above hull (eV/atom)"]) == pytest.approx(hull, rel=1e-3)
    assert float(row["above hull by the potential (eV/atom)"]) == POTENTIAL_HULL
    ask("candidates", "export", str(tmp_path / "all.csv"), "--stage", "evaluated")
    (exported,) = csv.DictReader((tmp_path / "all.csv").open(encoding="utf-8"))
    assert float(exported["score"]) == score
    assert float(exported["energy_above_hull (eV/atom)"]) == hull
    assert float(exported["generator_score"]) == GENERATOR_SCORE
    assert lineage.explain(evaluated)["scores"] == stored


def _table(text: str) -> tuple[list[str], list[str]]:
    """Headings and the one row of a table of the command line."""
    lines = [line.replace("┃", "│") for line in text.splitlines()]
    rows = [[cell.strip() for cell in line.strip()[1:-1].split("│")] for line in lines]
    full = [row for row in rows if len(row) > 5]
    joined = [" ".join(part for part in column if part) for column in zip(*full[:-1], strict=True)]
    return joined, full[-1]


@pytest.mark.parametrize(
    ("asked", "n"),
    [
        ("energy_above_hull=:-0.01", 1),  # the one that is not evaluated; the other's computed value is higher
        ("potential_energy_above_hull=:-0.01", 2),
        ("computed_energy_above_hull=:-0.01", 0),
        ("computed_energy_above_hull=-9:9", 1),
        ("predicted_score=0.3:0.5", 2),
        ("score=0.4:0.4", 1),
    ],
)
def test_a_range_means_what_its_name_says(evaluated: str, ask: Callable[..., str], asked: str, n: int) -> None:
    Candidate = candidates.Candidate
    Candidate.objects(stage=Stage.FAILED).delete()
    assert len(json.loads(ask("candidates", "find", "--range", asked, "--json"))) == n
    assert len(rest(f"/candidates?range={asked}").json()["data"]) == n


def test_before_the_evaluation_a_plain_name_is_the_best_known_and_no_computed_one_is_there(
    evaluated: str, ask: Callable[..., str]
) -> None:
    (found,) = json.loads(ask("candidates", "find", "--stage", "passed", "--json"))
    assert (found["score"], found["similarity"], found["energy_above_hull"]) == (0.4, 0.4, POTENTIAL_HULL)
    assert found["generator_score"] == GENERATOR_SCORE
    assert found["computed_score"] is found["computed_energy_above_hull"] is found["hit"] is None


def test_the_computed_geometry_is_shown_and_exported_and_the_proposed_one_by_its_name(
    evaluated: str, ask: Callable[..., str], tmp_path: Path
) -> None:
    volumes = {"computed": RELAXED.volume / len(RELAXED), "proposed": PROPOSED.volume / len(PROPOSED)}

    def is_it(crystal: Structure, kind: str) -> bool:
        return bool(crystal.volume / len(crystal) == pytest.approx(volumes[kind], rel=1e-4))

    def shown(*more: str) -> Any:
        return json.loads(ask("candidates", "show", evaluated, "--json", *more))

    assert shown()["geometry"] == "computed"
    for kind in ("computed", "proposed"):
        found = shown("--geometry", kind)
        assert found["geometry"] == kind
        assert is_it(Structure.from_dict(found["structure"]), kind)
        ask("candidates", "find", "--stage", "evaluated", "--cif", str(tmp_path / kind), "--geometry", kind)
        (file,) = (tmp_path / kind).iterdir()
        assert f"-{kind}" in file.name
        assert is_it(Structure.from_file(file), kind)
        answer = rest(f"/candidates/{evaluated}/structure?format=poscar&geometry={kind}")
        assert answer.headers["X-Geometry"] == kind
        assert is_it(Structure.from_str(answer.text, "poscar"), kind)
    assert is_it(Structure.from_str(rest(f"/candidates/{evaluated}/structure?format=cif").text, "cif"), "computed")
    assert is_it(Structure.from_dict(rest(f"/candidates/{evaluated}").json()["data"]["structure"]), "computed")
    for button, kind in (("cif", "computed"), ("proposed-cif", "proposed")):
        file = page.file_of(button, {"candidate": evaluated})
        assert file["filename"] == f"{evaluated}-{kind}.cif"
        assert is_it(Structure.from_str(file["content"], "cif"), kind)
    for button, kind in (("poscar", "computed"), ("proposed-poscar", "proposed")):
        file = page.file_of(button, {"candidate": evaluated})
        assert is_it(Structure.from_str(file["content"], "poscar"), kind)
    assert "Computed structure" in words(page.layout(site(), evaluated))
    assert "Proposed structure" in words(page.layout(site(), evaluated))
    served = by_optimade(evaluated)
    assert served["geometry"] == "computed"
    cell, sites = served["lattice_vectors"], served["cartesian_site_positions"]
    crystal = Structure(cell, served["species_at_sites"], sites, coords_are_cartesian=True)
    assert is_it(crystal, "computed")


def test_what_is_not_evaluated_has_the_proposed_geometry_alone(evaluated: str, ask: Callable[..., str]) -> None:
    (waiting,) = json.loads(ask("candidates", "find", "--stage", "passed", "--json"))
    assert json.loads(ask("candidates", "show", waiting["id"], "--json"))["geometry"] == "proposed"
    assert "Computed structure" not in words(page.layout(site(), waiting["id"]))
    assert rest(f"/candidates/{waiting['id']}/structure").headers["X-Geometry"] == "proposed"
    assert rest(f"/candidates/{waiting['id']}/structure?geometry=computed").status_code == 404
    assert main(["candidates", "show", waiting["id"], "--geometry", "computed"]) != 0


def test_counts_and_cost_agree_wherever_they_are_told(evaluated: str, ask: Callable[..., str]) -> None:
    summary = summarise(read_record("one"))
    (one,) = glance.campaigns(name="one")
    assert (one.evaluated, one.failed, one.hits) == (
        summary["hits"]["n"], summary["failures"], summary["hits"]["hits"],
    )  # fmt: skip
    assert (one.evaluated, one.failed) == (1, 1)
    assert (one.core_seconds, one.spent) == (summary["core_seconds"], summary["spent"])
    assert one.core_seconds >= 7200.0
    listed = json.loads(ask("campaign", "list", "--json"))[0]
    assert (listed["core_seconds"], listed["spent"]) == (summary["core_seconds"], summary["spent"])
    hours = f"{summary['core_seconds'] / 3600:.3f}"
    assert hours in words(home.glances())
    assert hours in words(campaign_page.live("one", summary))
    assert "screen 2.000" in words(home.glances())
    assert "screen 2.000" in words(campaign_page.live("one", summary))
    (row,) = summary["earned"]
    assert (row["evaluations"], row["hits"]) == (2, one.hits)
    assert ["substitution", "2", "100 %"] in [found[:3] for found in cells(campaign_page.earned(summary))]
