"""Every page over a filled and an empty store, unknown addresses, hostile requests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dash import Dash

from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.store import connection
from fermiloop.platform.web import app as pages
from fermiloop.platform.web.site import READ_ONLY, Site, refuse


@pytest.fixture
def served(calls: Any) -> Dash:
    return pages.create_app()


ADDRESSES = ("/", "/campaign/pd-like", "/candidate/{candidate}", "/candidate/{rejected}", "/material/{material}",
             "/database", "/generators", "/generators/substitution", "/schedules", "/queue", "/new", "/new/draft",
             "/calculation/{failed}", "/method/{method}")  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_shows_what_is_stored(
    address: str, served: Dash, site: Site, filled: dict[str, str], show: Any
) -> None:
    title, content = pages.page_of(site, address.format(**filled))
    assert title != "Not found"
    json.dumps(content.to_plotly_json(), default=lambda o: o.to_plotly_json())  # what Dash sends
    assert "role='alert'" not in repr(content)
    if address == "/":
        assert "did not converge" in show.words(content)
        assert "1 of 1: 100 % (21 to 100)" in show.words(content)
    if "candidate" in address and "rejected" not in address:
        assert f"/material/{filled['material']}" in show.links(content)
        assert "-3.5000 eV/atom" in show.words(content)


@pytest.mark.parametrize(
    "address", ["/", "/database", "/generators", "/generators/ftcp", "/schedules", "/queue", "/new"]
)
def test_pages_of_an_empty_store(address: str, served: Dash, site: Site, database: str) -> None:
    assert pages.page_of(site, address)[0] != "Not found"


@pytest.mark.parametrize(
    "address",
    ["/campaign/none", "/candidate/c-1", "/material/m-1", "/calculation/calc-1", "/method/none",
     "/method", "/calculation", "/generators/none", "/campaign", "/none", "/campaign/%00",
     "/" + "x" * 5000, {"$gt": ""}, None, 7],
)  # fmt: skip
def test_unknown_addresses_say_so(address: Any, served: Dash, site: Site, database: str, show: Any) -> None:
    title, content = pages.page_of(site, address)
    assert title == "Not found"
    assert "There is no" in show.words(content) or "holds no" in show.words(content)


def test_a_database_that_is_away_is_one_sentence(
    served: Dash, site: Site, monkeypatch: pytest.MonkeyPatch, show: Any
) -> None:
    def away() -> None:
        raise FermiloopError("No database answers.")

    monkeypatch.setattr(connection, "connect", away)
    assert "No database answers." in show.words(pages.page_of(site, "/")[1])


def test_served_page_is_in_english_and_takes_nothing_from_elsewhere(served: Dash, database: str) -> None:
    answer = served.server.test_client().get("/")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert '<html lang="en">' in page
    assert "<title>fermiloop</title>" in page
    assert "https://" not in page.replace("https://dash.plotly.com", "")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"nonsense", b'{"output": {"$ne": 1}}', b'{"output": "main.children"}',
     b'{"output": "launch-note.children", "inputs": 7, "outputs": {}}',
     b'{"output": "launch-note.children", "inputs": [], "state": [], "outputs": {}}'],
)  # fmt: skip
def test_malformed_requests_get_a_400(body: bytes, served: Dash, database: str) -> None:
    answer = served.server.test_client().post("/_dash-update-component", data=body, content_type="application/json")
    assert answer.status_code == 400


def test_a_huge_request_is_refused(served: Dash, database: str) -> None:
    body = json.dumps({"output": "x" * 5_000_000})
    answer = served.server.test_client().post("/_dash-update-component", data=body, content_type="application/json")
    assert answer.status_code in (400, 413)


def test_hostile_values_of_a_callback_are_data(served: Dash, filled: dict[str, str], calls: Any) -> None:
    client = served.server.test_client()
    for path in ({"$gt": ""}, ["/"], None, "/candidate/" + "../" * 30):
        body = {
            "output": "..main.children...title.data..",
            "outputs": [{"id": "main", "property": "children"}, {"id": "title", "property": "data"}],
            "inputs": [
                {"id": "url", "property": "pathname", "value": path},
                {"id": "url", "property": "search", "value": path},
            ],
            "changedPropIds": ["url.pathname"],
        }
        answer = client.post("/_dash-update-component", json=body)
        assert answer.status_code == 200
        assert "Not found" in answer.get_data(as_text=True)


def test_without_a_rule_nobody_may_write() -> None:
    assert refuse("anything", "launch") == READ_ONLY
