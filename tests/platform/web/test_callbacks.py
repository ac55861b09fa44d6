"""What happens on a click, as plain functions: roles, sentences, paging, live refresh, files."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from dash import Dash, no_update
from pymatgen.core import Structure

from fermiloop.flows.queue.running import Progress, Running
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, materials
from fermiloop.platform.store import schedules as kept
from fermiloop.platform.web import app as pages
from fermiloop.platform.web import campaign, candidate, compute, curve_search, database, home, schedules
from fermiloop.platform.web.site import Site
from fermiloop.schemas.schedule import Schedule
from fermiloop.schemas.vocabulary import CampaignState, RunState

FILE = """name: new
target: {dos: {material: Pd}, hit_similarity: 0.9}
space: {elements: [Al, Ni]}
generators: [{name: substitution, proposals: 4}]
engine: {name: analytic}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""


@pytest.fixture(autouse=True)
def served(calls: Any) -> Dash:
    return pages.create_app()


def test_a_launch_needs_the_token_and_says_what_is_wrong(site: Site, database: str, calls: Any, show: Any) -> None:
    assert show.words(home.launch(site, FILE, None)) == "No role launch."
    assert show.words(home.launch(site, FILE, {"$ne": 1})) == "No role launch."
    assert [one for one in calls.made if one[0] == "enqueue"] == []
    assert "budget" in show.words(home.launch(site, FILE.replace("per_round: 2", "per_round: 3"), "good"))
    assert "empty" in show.words(home.launch(site, "  ", "good"))
    shown = home.launch(site, FILE, "good")
    assert "/campaign/new" in show.links(shown)
    assert "fermiloop worker run -n 2" in show.words(shown)
    calls.workers = ["one"]
    assert campaigns.get("new").state is CampaignState.RUNNING


def test_crystals_are_handed_over_with_the_token(site: Site, database: str, show: Any) -> None:
    cif = PROTOTYPES["B2"].build("Al", "Ni", 12.1).to(fmt="cif")
    content = "data:x;base64," + base64.b64encode(cif.encode()).decode()
    files = compute.taken([content], ["NiAl.cif"])
    asked = {
        "files": files, "ids": "", "engine": "analytic", "settings": "fmax=0.1", "relax": ["relax"], "limit": 60,
    }  # fmt: skip
    assert show.words(compute.compute(site, asked, None)) == "No role launch."
    assert "give 1 to" in show.words(compute.compute(site, asked | {"limit": None}, "good"))
    assert "holds no material" in show.words(compute.compute(site, asked | {"ids": "Pt3Ni"}, "good"))
    shown = compute.compute(site, asked, "good")
    assert "1 of 1 are queued" in show.words(shown)
    (kept,) = calculations.handed_over()
    assert f"/calculation/{kept.id}" in show.links(shown)
    with pytest.raises(InputError, match=r"photo.png is no text"):
        compute.taken(["data:x;base64," + base64.b64encode(b"\xff\xfe\x00").decode()], ["photo.png"])


def test_an_uploaded_file_is_text_or_nothing() -> None:
    assert home.uploaded("data:x;base64," + base64.b64encode(b"name: a").decode()) == "name: a"
    assert home.uploaded("data:x;base64," + base64.b64encode(b"\xff\xfe\x00").decode()) is None
    assert not home.uploaded("nonsense!")
    assert not home.uploaded({"$ne": 1})


def test_rerun_and_ignore_ask_for_the_role(site: Site, filled: dict[str, str], calls: Any, show: Any) -> None:
    assert "No role" in show.words(home.act_on(site, "rerun", filled["failed"], "bad"))
    assert "queued again" in show.words(home.act_on(site, "rerun", filled["failed"], "good"))
    assert calls.made == [("rerun", [filled["failed"]])]


def test_pause_resume_cancel(site: Site, filled: dict[str, str], calls: Any, show: Any) -> None:
    shown = {"name": "pd-like", "stamp": ""}
    for what in campaign.BUTTONS:
        assert "No role" in show.words(campaign.act(site, what, shown, ""))
        assert "pd-like" in show.words(campaign.act(site, what, shown, "good"))
    assert [row[0] for row in calls.made] == ["pause", "resume", "cancel"]


def test_the_box_lets_running_evaluations_finish(site: Site, filled: dict[str, str], calls: Any, show: Any) -> None:
    calls.running.append(Running("calc-1", "c-1", "NiAl", "node-7~4711", None, None, Progress()))
    shown = {"name": "pd-like", "stamp": ""}
    for box, finish, word in (([], False, "told to stop"), (["wait"], True, "and let finish"), ("nonsense", False, "")):
        told = show.words(campaign.act(site, "cancel", shown, "good", box))
        assert calls.made.pop() == ("cancel", "pd-like", finish)
        assert f"Still running, {word}" in told
        assert "NiAl on node-7~4711" in told


def test_a_campaign_is_drawn_anew_only_when_it_changed(site: Site, filled: dict[str, str], calls: Any) -> None:
    stamp, _ = site.summary("pd-like")
    shown = {"name": "pd-like", "stamp": stamp}
    assert campaign.refreshed(site, shown) == (no_update, no_update)
    assert len(calls.made) == 1
    campaigns.set_state("pd-like", CampaignState.PAUSED)
    content, kept = campaign.refreshed(site, shown)
    assert content is not no_update
    assert kept["stamp"] != stamp
    assert len(calls.made) == 2
    assert campaign.refreshed(site, {"name": {"$gt": ""}}) == (no_update, no_update)


def test_results_come_page_by_page(filled: dict[str, str], show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SIZE", 2)
    form = {"kind": "candidates", "stage": "any"}
    seen = []
    for page in (0, 1, 2):
        found = show.links(database.results(form, page))
        seen += found
        assert len(found) == (2, 1, 0)[page]
    assert len(set(seen)) == 3
    with pytest.raises(InputError, match="set more filters"):
        database.results(form, database.MOST_PAGES)


@pytest.mark.parametrize(
    ("form", "n"),
    [
        ({}, 1), ({"elements": "Ni, Al"}, 1), ({"elements": "Pd"}, 0), ({"formula": "AlNi"}, 1),
        ({"sites-low": 3}, 0), ({"range": "energy_per_atom", "low": -4, "high": -3}, 1),
        ({"range": "energy_per_atom", "high": -4}, 0), ({"system": "cubic"}, 1), ({"system": {"$ne": 1}}, 1),
        ({"kind": "candidates", "stage": "evaluated"}, 1), ({"kind": "candidates", "stage": "any"}, 3),
        ({"kind": "candidates", "stage": "any", "range": "score", "low": 0.9}, 1),
    ],
)  # fmt: skip
def test_filters_of_the_database(form: dict[str, Any], n: int, filled: dict[str, str], show: Any) -> None:
    assert len(show.links(database.results(form, 0))) == n


@pytest.mark.parametrize("form", [{"elements": "Xx"}, {"formula": "??"}, {"range": "score", "low": 2, "high": 1}])
def test_filters_that_do_not_hold(form: dict[str, Any], filled: dict[str, str]) -> None:
    with pytest.raises(InputError):
        database.results(form, 0)


def test_a_click_on_the_table_takes_an_element_in_and_out() -> None:
    nickel = {"points": [{"customdata": "Ni"}]}
    assert database.toggled("Al", nickel) == "Al, Ni"
    assert database.toggled("Al, Ni", nickel) == "Al"
    assert database.toggled(None, {"points": [{"customdata": {"$gt": ""}}]}) == ""
    assert database.toggled(7, "nonsense") == ""


def test_a_search_by_a_pasted_curve(site: Site, filled: dict[str, str], calls: Any, show: Any) -> None:
    pasted = "energy,dos\n" + "\n".join(f"{x},{max(0, 5 - x * x)}" for x in (-3, -2, -1, 0, 1, 2, 3))
    found = curve_search.search(pasted, None, "cosine", None, 2.0)
    assert show.links(found) == ["/material/m-1"]
    _, asked, metric, _ = calls.made[0]
    curve = asked.values
    assert (metric, asked.window) == ("cosine", (-3.0, 2.0))
    assert curve[75] == pytest.approx(5.0)  # at 0 eV
    assert curve[:45].sum() == 0
    for wrong in ({"$ne": 1}, "euclid"):
        with pytest.raises(InputError, match="metric"):
            curve_search.search(pasted, None, wrong, None, None)
    with pytest.raises(InputError, match="no curve yet"):
        curve_search.search("", None, "cosine", None, None)


def test_files_of_a_candidate_and_a_material(filled: dict[str, str]) -> None:
    shown = {"candidate": filled["candidate"]}
    assert "_cell_length_a" in candidate.file_of("cif", shown)["content"]
    assert "direct" in candidate.file_of("poscar", shown)["content"].lower()
    for one in (shown, {"material": filled["material"]}):
        document = json.loads(candidate.file_of("json", one)["content"])
        assert document["format"] == "fermiloop-materials"
        assert next(iter(one.values())) in {row["id"] for row in document["records"]}
    rows = candidate.file_of("csv", {"material": filled["material"]})["content"].splitlines()
    assert len(rows) == 152
    crystal = Structure.from_str(candidate.file_of("cif", {"material": filled["material"]})["content"], fmt="cif")
    assert crystal.composition.reduced_formula == materials.get(filled["material"]).formula


def test_schedules_and_the_reason_of_the_gate(site: Site, database: str, show: Any) -> None:
    assert "0 schedules" in repr(schedules.layout(site, ""))
    kept.add(Schedule(id="nightly", generator="ftcp", method="m", trigger="cron", value="0 3 * * *"))
    run = kept.begin("nightly", "now", "due", "me", 0)
    assert run is not None
    kept.finish(run.id, "me", RunState.REFUSED, "not better", checkpoint="ckpt-1")
    for rest in ("", "nightly"):
        shown = show.words(schedules.layout(site, rest))
        assert "not better" in shown
        assert "0 3 * * *" in shown
    assert "not better" not in show.words(schedules.layout(site, "another"))
