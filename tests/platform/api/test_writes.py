"""Writes: campaigns launched and moved, calculations run again, tokens listed and revoked; bounds of work."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.queue import watching
from fermiloop.platform.api.app import create_app
from fermiloop.platform.api.work import Limits
from fermiloop.platform.app import campaigns as app
from fermiloop.platform.app.tokens import refusal
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import (
    calculations,
    campaigns,
    candidates,
    connection,
    labels,
    materials,
    methods,
    spectra,
    tokens,
)
from fermiloop.schemas.vocabulary import CalculationState, Role, Stage

SPEC = {
    "name": "posted", "target": {"dos": {"material": "Pd"}}, "space": {"elements": ["Ni", "Pt"]},
    "generators": [{"name": "substitution", "proposals": 5}],
    "funnel": {"stages": ["geometry", "duplicates", "target"]},
    "budget": {"rounds": 1, "evaluations": 2, "per_round": 2},
}  # fmt: skip


@pytest.fixture
def library(world: Any) -> None:
    """What the campaign learns from: elements by the Method that this machine's GPAW would use."""
    record = code_of("gpaw").method({})
    method = methods.save(record.engine, record.functional, record.settings, record.code_versions)
    axis = [x / 10 for x in range(-100, 101)]
    for symbol in ("Pd", "Ni", "Pt"):
        crystal = PROTOTYPES["A1"].build(symbol, None, volume_per_atom=15.0)
        made = materials.save(crystal, origin="import", source={"name": "test", "key": symbol, "licence": "MIT"})
        labels.save(made, "energy_per_atom", -4.0, method=method)
        spectra.save(made, axis, [1.0 + abs(x) for x in axis], method=method)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("kind", ["application/json", "application/yaml", "text/plain; charset=utf-8"])
def test_a_campaign_is_launched_from_json_and_yaml(client: Any, kind: str) -> None:
    body = json.dumps(SPEC).encode()
    answer = client(Role.LAUNCH).post("/campaigns", content=body, headers={"Content-Type": kind})
    told = answer.json()
    assert (answer.status_code, told.pop("told")) == (
        201, "It is queued. No worker listens, so nothing begins yet; fermiloop worker run -n 2 starts two."
    )  # fmt: skip
    assert told == {"name": "posted", "state": "running", "fresh": True, "workers": 0}
    assert campaigns.get("posted").spec["budget"]["evaluations"] == 2


def test_a_campaign_is_paused_resumed_and_cancelled(client: Any, world: Any) -> None:
    here = client(Role.ADMIN)
    assert here.post("/campaigns/pd-like/pause").json() == {"name": "pd-like", "state": "paused"}
    again = here.post("/campaigns/pd-like/pause")
    told = "The campaign pd-like is not running, so it is not paused; its state is paused."
    assert (again.status_code, again.json()["error"]) == (400, told)
    assert here.post("/campaigns/pd-like/resume").json()["state"] == "running"
    second = candidates.get(world.candidates[1])
    run = calculations.plan(
        second.id, second.to_structure(), engine="gpaw", method="m", settings={}, campaign="pd-like"
    )
    candidates.update(second.id, stage=Stage.SELECTED, calculation=run)
    calculations.start(run, "host~1~1~1")
    told = here.post("/campaigns/pd-like/cancel?wait=true").json()
    assert (told["state"], [row["formula"] for row in told["running"]]) == ("cancelled", ["AlPd"])
    assert not calculations.get(run).stop_requested


def test_calculations_are_run_again_and_set_aside(client: Any, world: Any) -> None:
    here, ids = client(Role.LAUNCH), [world.calculation]
    assert here.post("/calculations/ignore", json={"ids": ids}).json() == {"changed": 1}
    assert calculations.get(world.calculation).ignored
    assert here.post("/calculations/rerun", json={"ids": ids}).json() == {"changed": 1}
    assert calculations.get(world.calculation).state is CalculationState.WAITING
    assert {one.calculation for one in watching.queue()} == {world.calculation}


def test_calculations_are_cancelled_unless_a_campaign_waits_for_them(client: Any, world: Any) -> None:
    second = candidates.get(world.candidates[1])
    mine, own = (
        calculations.plan(one, second.to_structure(), engine="gpaw", method=method, settings={}, campaign="pd-like")
        for one, method in ((None, "alone"), (second.id, "m"))
    )
    candidates.update(second.id, stage=Stage.SELECTED, calculation=own)
    assert client(Role.READ).post("/calculations/cancel", json={"ids": [mine]}).status_code == 403
    here = client(Role.LAUNCH)
    refused = here.post("/calculations/cancel", json={"ids": [mine, own]})
    assert (refused.status_code, calculations.get(mine).state) == (400, CalculationState.WAITING)
    assert "fermiloop campaign cancel pd-like" in refused.json()["error"]
    assert here.post("/calculations/cancel", json={"ids": [mine]}).json() == {"changed": 1}
    assert calculations.get(mine).state is CalculationState.FAILED


def test_crystals_are_handed_over_as_text_or_by_id(client: Any, world: Any) -> None:
    cif = PROTOTYPES["B2"].build("Al", "Ni", 12.1).to(fmt="cif")
    asked = {"crystals": [{"name": "NiAl.cif", "text": cif}], "ids": [world.materials[0]], "engine": "analytic"}
    assert client(Role.READ).post("/calculations", json=asked).status_code == 403
    here = client(Role.LAUNCH)
    answer = here.post("/calculations", json=asked)
    assert (answer.status_code, [row["state"] for row in answer.json()["data"]]) == (201, ["waiting", "waiting"])
    assert answer.json()["told"].startswith("2 of 2 are queued. No worker listens")
    one = here.get(f"/calculations/{answer.json()['data'][0]['calculation']}").json()["data"]
    assert (one["handed_over"], one["outcome"]["formula"], one["relaxed"]) == ("NiAl.cif", "AlNi", True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"engine": "flow", "settings": {"maker": "os:system"}}, "a program to run"),
        ({"crystals": [{"name": "/etc/passwd", "text": "x"}]}, "name it such as"),
        ({"ids": ["/etc/passwd"]}, "ids"),
        ({"crystals": []}, "No crystal was handed over"),
    ],
)
def test_crystals_that_cannot_be_computed_are_refused(
    client: Any, world: Any, change: dict[str, Any], told: str
) -> None:
    cif = PROTOTYPES["B2"].build("Al", "Ni", 12.1).to(fmt="cif")
    asked = {"crystals": [{"name": "NiAl.cif", "text": cif}], "engine": "analytic"} | change
    answer = client(Role.LAUNCH).post("/calculations", json=asked)
    assert answer.status_code in (400, 422)
    assert told in answer.json()["error"]
    assert calculations.handed_over() == []


def test_tokens_are_listed_without_secrets_and_revoked_at_once(client: Any, world: Any) -> None:
    admin, reader = client(Role.ADMIN), client(Role.READ)
    listed = admin.get("/tokens")
    assert {one["name"] for one in listed.json()["data"]} == {"the-read", "the-launch", "the-admin"}
    assert not any(text.rsplit("_", 1)[-1] in listed.text for text in world.tokens.values())
    assert reader.get("/campaigns").status_code == 200
    assert admin.delete("/tokens/the-read").json()["changed"] is True
    assert admin.delete("/tokens/the-read").json()["changed"] is False
    assert reader.get("/campaigns").status_code == 401


def test_the_rule_for_pages_is_the_same(world: Any) -> None:
    assert refusal(world.tokens[Role.LAUNCH], Role.LAUNCH) is None
    assert "has the role read" in str(refusal(world.tokens[Role.READ], Role.LAUNCH))
    assert "unknown" in str(refusal("x", Role.LAUNCH))
    assert refusal(None, Role.LAUNCH)


def test_a_database_that_is_away_is_told_and_comes_back(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = client()
    with monkeypatch.context() as patch:

        def away() -> None:
            raise DatabaseError("No database answers.")

        patch.setattr(connection, "connect", away)
        answer = here.get("/campaigns")
        assert (answer.status_code, answer.json()["error"]) == (503, "No database answers.")
        assert answer.headers["retry-after"]
    assert here.get("/campaigns").status_code == 200


def test_what_takes_too_long_is_given_up_and_counts_until_it_ends(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(app, "summary", lambda name, library=True: {"waited": gate.wait(20)})
    limits = Limits(seconds=0.3, at_once=1)
    with TestClient(create_app(limits=limits), raise_server_exceptions=False) as here:
        slow = here.get("/campaigns/pd-like")
        assert slow.status_code == 503
        assert "longer than 0.3 s" in slow.json()["error"]
        busy = here.get("/campaigns")
        assert busy.status_code == 503
        assert "Too many" in busy.json()["error"]
        gate.set()
        deadline = time.monotonic() + 5
        while here.get("/campaigns").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_an_unexpected_failure_shows_no_more_than_that(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, *, library: bool = True) -> dict[str, Any]:
        raise KeyError("secret detail")

    monkeypatch.setattr(app, "summary", broken)
    with TestClient(create_app(), raise_server_exceptions=False) as here:
        answer = here.get("/campaigns/pd-like")
    assert answer.status_code == 500
    assert answer.json() == {"error": "Something failed on the server; its log says what.", "status": 500}


def test_an_expired_token_opens_nothing(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    text = tokens.create("short", Role.ADMIN, days=1)
    here = client()
    assert here.get("/tokens", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    later = tokens.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(tokens, "now", lambda: later)
    assert here.get("/tokens", headers={"Authorization": f"Bearer {text}"}).status_code == 401
