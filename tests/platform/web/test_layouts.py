"""Every page without a browser: labels, ids, roles, links that lead somewhere, names in place of keys and hashes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, dcc, html
from dash.development.base_component import Component

from fermiloop.flows.queue.running import Progress, Running
from fermiloop.flows.queue.watching import QueueStep
from fermiloop.platform.app import calculations as app_calculations
from fermiloop.platform.app import queue as app_queue
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, glance, methods
from fermiloop.platform.web import app as pages
from fermiloop.platform.web import (
    calculation,
    campaign,
    crystals,
    database,
    figures,
    method,
    new_campaign,
    queue,
    symmetry,
    wording,
)
from fermiloop.platform.web.parts import HIT, choice, hit, table
from fermiloop.platform.web.site import Site
from fermiloop.schemas.base import now
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, Property
from fermiloop.schemas.worker import Worker

ADDRESSES = (
    "/", "/campaign/pd-like", "/candidate/{candidate}", "/candidate/{rejected}", "/material/{material}", "/database",
    "/generators", "/generators/substitution", "/schedules", "/queue", "/new", "/new/draft", "/calculation/{failed}",
    "/references",
    "/method/{method}", "/none",
)  # fmt: skip
INPUTS = (dcc.Input, dcc.Textarea, html.Select)
KEY = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
HASH = re.compile(r"\bmethod-[0-9a-f]{16}\b")


@pytest.fixture(autouse=True)
def served(calls: Any) -> Dash:
    return pages.create_app()


def parts(component: Any) -> Iterator[Any]:
    """All components of a tree."""
    if isinstance(component, list | tuple):
        for one in component:
            yield from parts(one)
    elif isinstance(component, Component):
        yield component
        yield from parts(getattr(component, "children", None))


def seen(site: Site, address: str, search: str = "") -> list[Any]:
    return list(parts(pages.page_of(site, address, search=search)[1]))


def test_a_campaigns_page_says_where_would_be_hits_were_lost(site: Site, filled: dict[str, str]) -> None:
    told = [str(one.children) for one in seen(site, "/campaign/pd-like") if isinstance(one, html.P | html.H2)]
    assert "Would-be hits, by where they were lost" in told
    assert "Most were lost at: geometry." in told
    assert "Of 1 evaluated, 0.7 hits were expected and 1 were found." in told


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_a_page_is_made_of_has_names(address: str, site: Site, filled: dict[str, str]) -> None:
    found = seen(site, address.format(**filled)) + list(parts(pages.shell()))
    assert sum(isinstance(one, html.H1) for one in found) == 1
    assert sum(isinstance(one, html.Main) for one in found) == 1
    labelled = {one.htmlFor for one in found if isinstance(one, html.Label)}
    for one in found:
        if isinstance(one, INPUTS) and getattr(one, "type", "") != "hidden":
            assert one.id in labelled, one
        if isinstance(one, html.Img):
            assert one.alt
        if isinstance(one, html.Button | html.A | dcc.Link):
            assert getattr(one, "children", None), one
        if getattr(one, "role", None) in ("img", "region"):
            assert getattr(one, "aria-label", None), one
    ids = Counter(str(one.id) for one in found if getattr(one, "id", None))
    assert [name for name, n in ids.items() if n > 1] == []
    assert not any(isinstance(one, dcc.Dropdown) for one in found)  # its list has no name that is read out


def test_the_document_is_in_english_with_a_title_and_one_footer() -> None:
    assert '<html lang="en">' in pages.INDEX
    assert "<title>" in pages.INDEX
    shown = list(parts(pages.shell()))
    links = {one.href for one in shown if isinstance(one, html.A)}
    assert {"/api/", "/optimade/", "/docs/", "#main"} <= links


@pytest.mark.parametrize("address", ["/material/{material}", "/calculation/{failed}", "/candidate/{candidate}"])
def test_methods_are_named_and_linked(address: str, site: Site, filled: dict[str, str], show: Any) -> None:
    content = pages.page_of(site, address.format(**filled))[1]
    assert HASH.search(show.words(content)) is None
    if "candidate" not in address:
        assert f"/method/{filled['method']}" in show.links(content)


def test_a_method_is_named_by_engine_functional_and_cutoff(site: Site, database: str, show: Any) -> None:
    settings = {"cutoff": 400.0, "smearing": 0.1, "grid": {"dos_lo": -10.0}}
    gpaw = methods.save("gpaw", "PBE", settings, {"gpaw": "26"})
    other = methods.save("external", "r2SCAN", {"source": "mp", "release": "2025"}, {})
    assert method.name_of(methods.get(gpaw)) == "gpaw, PBE, cutoff 400 eV"
    assert method.name_of(methods.get(other)) == "mp, r2SCAN, release 2025"
    said = show.words(method.layout(site, gpaw))
    for word in ("cutoff (eV) 400.0", "smearing (eV) 0.1", "grid: dos lo (eV) -10.0", "gpaw 26"):
        assert word in said


def test_every_property_has_a_name_and_no_key_is_shown() -> None:
    for one in Property:
        assert not KEY.search(wording.named(one))
        assert "(" in wording.named(one)
    assert wording.named("energy_above_hull") == "energy above hull (eV/atom)"
    assert wording.named("computed_band_gap") == "band gap, computed (eV)"
    assert wording.named("never_heard_of") == "never heard of"
    assert wording.measured("0.120", "hull") == "0.120 eV/atom"


def test_filters_come_from_the_address(site: Site, filled: dict[str, str], show: Any) -> None:
    found = pages.page_of(site, "/database", search="?kind=candidates&stage=any&elements=Ni%2C+Al")[1]
    assert f"/candidate/{filled['candidate']}" in show.links(found)
    boxes = {one.name: one for one in parts(found) if isinstance(one, dcc.Input) and getattr(one, "name", None)}
    assert boxes["elements"].value == "Ni, Al"
    chosen = [one.value for one in parts(found) if isinstance(one, html.Option) and getattr(one, "selected", False)]
    assert "any" in chosen
    form = next(one for one in parts(found) if isinstance(one, html.Form))
    assert (form.method, form.action) == ("get", "/database")
    assert any(isinstance(one, html.Button) and one.type == "submit" for one in parts(form))


@pytest.mark.parametrize(
    "search",
    ["?low=x&range=score", "?page=0", "?page=-1", "?page=999999999999", "?page=41", "?elements=Xx", "?sites-low=nan",
     "?low=2&high=1&range=band_gap", "?low=1e400"],
)  # fmt: skip
def test_an_address_that_is_wrong_says_so(search: str, site: Site, filled: dict[str, str]) -> None:
    found = seen(site, "/database", search)
    assert [one for one in found if getattr(one, "role", None) == "alert"]


@pytest.mark.parametrize("search", ["?" + "a=1&" * 500, {"$gt": ""}, ["?kind=x"], None, "?kind[$ne]=1", "?=&&="])
def test_a_hostile_query_is_no_query(search: Any, site: Site, filled: dict[str, str]) -> None:
    assert pages.page_of(site, "/database", search=search)[0] == "Database"


def test_pages_of_results_are_links_where_there_are_any(show: Any) -> None:
    query = {"kind": "candidates", "stage": "any", "elements": "Al, Ni", "page": "2", "unknown": "x"}
    assert show.links(database.pager(query, 0, more=False)) == []
    first = database.pager(query, 0, more=True)
    assert show.links(first) == ["/database?kind=candidates&elements=Al%2C+Ni&stage=any&page=2"]
    assert len(show.links(database.pager(query, 1, more=True))) == 2
    assert show.links(database.pager(query, 1, more=False)) == ["/database?kind=candidates&elements=Al%2C+Ni&stage=any"]
    assert len(show.links(database.pager(query, database.MOST_PAGES - 1, more=True))) == 1
    with pytest.raises(InputError):
        database.page_of({"page": "1.5"})


def test_the_periodic_table_has_one_size() -> None:
    for chosen in ((), ("Ni",), ("Ni", "Al")):
        layout = figures.picker(chosen).layout
        assert (layout.width, layout.height, layout.autosize) == (640, 300, False)


def test_a_hit_has_one_colour(filled: dict[str, str]) -> None:
    style = (Path(pages.__file__).parent / "assets" / "style.css").read_text(encoding="utf-8")
    assert f".hit {{ color: {HIT}; }}" in style
    assert hit(True).className == "hit"
    outcomes = glance.outcomes("pd-like")
    for drawn in (figures.above_hull(outcomes), figures.predicted(outcomes)):
        assert {one.marker.color for one in drawn.data if one.name == "hit"} == {HIT}
        assert HIT not in {one.marker.color for one in drawn.data if one.name == "no hit"}


@pytest.mark.parametrize(
    ("state", "is_broken", "shown"),
    [(CampaignState.RUNNING, False, {"pause", "cancel"}), (CampaignState.PAUSED, False, {"resume", "cancel"}),
     (CampaignState.FINISHED, False, set()), (CampaignState.FAILED, False, set()),
     (CampaignState.FAILED, True, {"resume"}), (CampaignState.CANCELLED, False, set())],
)  # fmt: skip
def test_no_button_does_nothing(state: CampaignState, is_broken: bool, shown: set[str]) -> None:
    made = list(parts(campaign.controls(state, is_broken=is_broken)))
    buttons = [one for one in made if isinstance(one, html.Button)]
    assert {one.id.removeprefix("campaign-") for one in buttons if not one.hidden} == shown
    (manner,) = [one for one in made if getattr(one, "id", None) == "campaign-manner"]
    assert manner.hidden is ("cancel" not in shown)


def test_what_runs_is_shown_with_how_far_it_is(site: Site, filled: dict[str, str], calls: Any, show: Any) -> None:
    assert "Running" not in show.words(campaign.running("pd-like"))
    begun = datetime.now(UTC) - timedelta(minutes=3)
    one = Running("calc-1", "c-1", "NiAl", "node-7~4711", begun, 180.0, Progress("relax", 7, 2))
    calls.running.extend([one, replace(one, progress=Progress(), since=None, told=True)])
    shown = campaign.running("pd-like")
    words = show.words(shown)
    for word in ("2 evaluations run", "relax, SCF 7, ionic step 2", "node-7~4711", "runs", "told to stop"):
        assert word in words
    assert "/candidate/c-1" in show.links(shown)
    assert "relax, SCF 7" in show.words(pages.page_of(site, "/campaign/pd-like")[1])


def test_the_box_of_cancel_is_empty_at_first() -> None:
    (box,) = [one for one in parts(campaign.controls(CampaignState.RUNNING)) if isinstance(one, dcc.Checklist)]
    assert (box.id, box.value, [one["value"] for one in box.options]) == ("campaign-wait", [], ["wait"])


def test_rows_bear_the_names_of_their_columns() -> None:
    shown = list(parts(table("Some", {"a": "First (eV)"}, [{"a": 1}])))
    assert [getattr(one, "data-label") for one in shown if isinstance(one, html.Td)] == ["First (eV)"]
    assert {"table", "row", "cell", "columnheader", "rowgroup"} <= {getattr(one, "role", None) for one in shown}
    options = [one for one in parts(choice("x", {"": "any", "b": "B"}, "b")) if isinstance(one, html.Option)]
    assert [one.selected for one in options] == [False, True]


def test_space_groups_stand_beside_formulas(site: Site, filled: dict[str, str], show: Any) -> None:
    for address in ("/campaign/pd-like", "/candidate/{candidate}", "/material/{material}", "/calculation/{failed}"):
        assert "Pm-3m (221)" in show.words(pages.page_of(site, address.format(**filled))[1])
    for search in ("?kind=materials", "?kind=candidates"):
        assert "Pm-3m (221)" in show.words(pages.page_of(site, "/database", search=search)[1])
    assert symmetry.group(None) == ""


def test_a_crystal_is_its_conventional_cell_with_axes_and_bonds() -> None:
    for crystal in (PROTOTYPES["B2"].build("Al", "Ni", 12.0), PROTOTYPES["A1"].build("Pd", None, 14.7)):
        shown, number = crystals.conventional(crystal)
        assert len(shown) == {221: 2, 225: 4}[number]
        assert number == symmetry.analysed(crystal).get_space_group_number()
        view = next(one for one in parts(crystals.scene(crystal)) if type(one).__name__ == "CrystalToolkitScene")
        assert {"axes", "bonds", "unit_cell"} <= {part["name"] for part in view.data["contents"]}
        place = view.customCameraState["position"]
        assert all(abs(place[axis]) > 0.1 for axis in "xyz")  # tilted: along no axis


def test_a_calculation_shows_steps_logs_and_a_rerun(
    site: Site, filled: dict[str, str], show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = QueueStep("relax", "FIZZLED", worker="host, process 7", since=now())
    monkeypatch.setattr(app_queue, "steps_of", lambda _: [step])
    monkeypatch.setattr(app_calculations, "logs", lambda _: {"relax: failure.log": "Traceback <b>"})
    shown = calculation.layout(site, filled["failed"])
    said = show.words(shown)
    for word in ("did not converge", "relax", "host, process 7", "Traceback <b>", "Attempts 1", "1.0", "Run it again"):
        assert word in said
    done = next(one.id for one in calculations.find() if one.id != filled["failed"])
    assert "Run it again" not in show.words(calculation.layout(site, done))
    lacking = {"missing": {"hydrogen_interstitial_energy": "1 of 2 sites did not end"}}
    Calculation.objects(id=done).update(set__state=CalculationState.COMPLETED, set__result=lacking)
    said = show.words(calculation.layout(site, done))
    assert "no interstitial hydrogen: 1 of 2 sites did not end" in said
    assert "Run it again" in said
    monkeypatch.undo()
    assert "None on this machine" in show.words(calculation.layout(site, filled["failed"]))


def test_the_queue_by_campaign_and_who_listens(
    site: Site, database: str, show: Any, calls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        QueueStep("relax", "RUNNING", "a", "c", "h, process 1", now()),
        QueueStep("record", "WAITING", "a", "c", None, now()),
        QueueStep("relax", "READY", "b"),
    ]
    monkeypatch.setattr(app_queue, "steps", lambda: rows)
    said = show.words(queue.layout(site, ""))
    assert "1 steps run" in said
    assert "2 steps wait" in said
    assert queue.NOBODY in said
    assert "/calculation/c" in show.links(queue.layout(site, ""))
    assert "h, process 1" in said
    calls.workers.append(Worker(id="w", host="node7", pid=12, doing="relax", since=now(), last=now()))
    assert "node7, process 12" in show.words(queue.listeners())


def test_a_new_campaign_starts_from_an_example_and_is_checked(filled: dict[str, str], show: Any, calls: Any) -> None:
    found = new_campaign.examples()
    assert {"draft", "pd-like", "genetic"} <= set(found)
    good = found["pd-like"].replace("name: pd-like", "name: another")
    assert "can be launched" in show.words(new_campaign.check(good))
    assert "budget" in show.words(new_campaign.check(good.replace("rounds: 2", "rounds: 0")))
    assert "Nothing is written" in show.words(new_campaign.check({"$ne": 1}))
    assert "are the most" in show.words(new_campaign.check("x" * 1_000_001))
    assert queue.NOBODY in show.words(new_campaign.listening())
    calls.workers.extend(["one", "two"])
    assert "2 workers listen" in show.words(new_campaign.listening())
