"""Pages for people at the addresses of programs: a browser gets HTML, everything else JSON as before."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from fermiloop.platform.api import landing
from fermiloop.platform.api.optimade_app import create_app
from fermiloop.platform.cli import serve

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
PROGRAMS = ("*/*", "application/json", "application/json, text/html;q=0.5", "", "text/plain")


@pytest.mark.parametrize("accept", PROGRAMS)
def test_programs_get_json(accept: str, client: Any) -> None:
    answer = client().get("/", headers={"Accept": accept})
    assert answer.json()["name"] == "fermiloop"
    assert answer.headers["vary"] == "Accept"


def test_a_browser_gets_a_page_with_every_noun(client: Any) -> None:
    answer = client().get("/", headers={"Accept": BROWSER})
    _check(answer)
    for noun in ("campaigns", "candidates", "materials", "calculations", "reference", "openapi.json"):
        assert f'href="/{noun}"' in answer.text


def test_the_reference_tells_every_call(client: Any) -> None:
    made = client()
    answer = made.get("/reference")
    _check(answer)
    known = made.get("/openapi.json").json()["paths"]
    calls = [(verb.upper(), path) for path, verbs in known.items() for verb in verbs]
    assert len(calls) > 20
    for verb, path in calls:
        assert f"{verb} {path}<" in answer.text
    for word in ("Authorization: Bearer TOKEN", "from 1 to 500", "one of json, cif, cif-p1, poscar, extxyz"):
        assert word in answer.text


def test_optimade_has_a_page_too(database: str) -> None:
    with TestClient(create_app()) as web:
        _check(web.get("/", headers={"Accept": BROWSER}, follow_redirects=False))
        other = web.get("/", headers={"Accept": "application/json"}, follow_redirects=False)
        assert other.status_code == 307
        assert other.headers["location"].endswith("/v1/info")


def test_addresses_without_a_last_slash_lead_on(database: str) -> None:
    with TestClient(serve.application(serve.Serving())) as web:
        for path, to in (
            ("/api", "/api/"),
            ("/optimade", "/optimade/"),
            ("/docs", "/api/reference"),
            ("/docs/", "/api/reference"),
        ):
            answer = web.get(path, headers={"Host": "localhost"}, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (307, to)
        assert web.get("/api", headers={"Host": "localhost"}).json()["name"] == "fermiloop"
        assert "API reference" in web.get("/docs", headers={"Host": "localhost"}).text


def test_what_is_shown_is_escaped() -> None:
    text = landing.addresses("<b>", "<i>&", [('/x"><script>', "<u>")]).body.decode()
    assert "<script>" not in text
    assert re.search(r"<(b|i|u)>", text) is None


def _check(answer: Any) -> None:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    for part in ('<html lang="en">', "<title>", "<main>", 'name="viewport"', 'href="/api/"', 'href="/optimade/"'):
        assert part in answer.text
    assert answer.text.count("<h1>") == 1
    assert "https://" not in answer.text
    assert "<script" not in answer.text
