"""Paths that climb out of their folder: 404 or the page that says so, never a failure, never a file."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import pytest
from dash import Dash

from fermiloop.platform.web import app as pages

PREFIXES = ("/_dash-component-suites/dash/", "/_dash-component-suites/dash/dcc/", "/_dash-component-suites/plotly/",
            "/_dash-component-suites/", "/assets/", "/campaign/", "/", "/_dash-component-suites/os/")  # fmt: skip
UP = ("../", "..\\", "%2e%2e/", "%2e%2e%2f", "..%2f", "..%5c", "%252e%252e%252f", "%25252e%25252e/", "....//", "./../",
      "..%00/", "..;/", "%c0%ae%c0%ae/", "%u002e%u002e/")  # fmt: skip
TAILS = ("etc/passwd", "etc%2fpasswd", "etc/passwd%00.js", "etc\\passwd")
SINGLE = (
    "/_dash-component-suites/dash/../../../../etc/passwd", "/_dash-component-suites/dash/%00",
    "/_dash-component-suites/dash/dcc", "/_dash-component-suites/dash/", "/_dash-component-suites/none/x.js",
    "/_dash-component-suites/dash/x.js", "/_dash-component-suites/sys/x", "/_dash-component-suites/dash//etc/passwd",
    "/_dash-component-suites/fermiloop.platform.web.app/app.py", "/assets/..%2fapp.py", "/assets/%2e%2e/app.py",
    "/_dash-component-suites/dash/dash.py", "/_dash-component-suites/dash/C:%5cWindows%5cwin.ini",
)  # fmt: skip
CLIMBING = tuple(f"{a}{up * n}{b}" for a, up, b in itertools.product(PREFIXES, UP, TAILS) for n in (1, 6))
EVERY = (*SINGLE, *CLIMBING)


@pytest.fixture
def web(calls: Any) -> Any:
    served: Dash = pages.create_app()
    return served.server.test_client()


def test_no_path_reads_a_file_or_fails(web: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for path in EVERY:
            answer = web.get(path)
            shell = answer.status_code == 200 and b"_dash-renderer" in answer.data  # a page, which says what is missing
            assert shell or answer.status_code in (404, 308, 400), (path, answer.status_code)
            assert b"root:" not in answer.data, path
            assert b"import" not in answer.data[:2000] or shell, path
    assert "Traceback" not in caplog.text


def test_a_suite_that_does_not_exist_is_404(web: Any) -> None:
    for path in SINGLE:
        if "component" in path:
            assert web.get(path).status_code == 404, path


def test_what_dash_serves_is_served(web: Any) -> None:
    page = web.get("/").text
    scripts = [part for part in page.split('"') if part.endswith(".js") and "component-suites" in part]
    assert len(scripts) > 5
    for one in scripts:
        assert web.get(one).status_code == 200, one


def test_a_failure_is_a_sentence_and_its_cause_is_in_the_log(
    web: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(web.application.view_functions, "/_dash-layout", fail)
    answer = web.get("/_dash-layout")
    assert (answer.status_code, answer.text) == (500, "Something failed on the server; its log says what.")
    assert "secret" in caplog.text
