"""A bug report holds what is asked for first, and no secret, wherever one may stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.app.secrets import plain_text, without_secrets
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, tokens

SECRET = "hunter2-Gx"


def test_it_holds_versions_settings_states_and_the_ends_of_logs(
    cli: Callable[..., Any], database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERMILOOP_MP_API_KEY", SECRET)
    settings.cache_clear()
    campaigns.create("pd-like", {"name": "pd-like"}, "name: pd-like\n")
    logs = settings().data_dir / "logs"
    logs.mkdir(parents=True)
    lines = [f"line {i}" for i in range(500)] + [f"connecting to mongodb://me:{SECRET}@host/db"]
    (logs / "worker-1.log").write_text("\n".join(lines))
    to = tmp_path / "report.json"
    told = cli("bug-report", str(to))
    assert told.code == 0
    text = to.read_text()
    report = json.loads(text)
    assert SECRET not in text
    assert report["versions"]["fermiloop"]
    assert report["settings"]["mp_api_key"] == "***"
    assert report["store"]["campaigns"][0]["name"] == "pd-like"
    end = report["logs"]["logs/worker-1.log"]
    assert len(end) == 60
    assert end[-1] == "connecting to mongodb://me:***@host/db"
    again = cli("bug-report", str(to))
    assert (again.code, len(again.err.splitlines())) == (2, 1)


def test_a_part_that_fails_hides_no_other(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", f"mongodb://me:{SECRET}@127.0.0.1:1/?serverSelectionTimeoutMS=200")
    settings.cache_clear()
    to = tmp_path / "report.json"
    assert cli("bug-report", str(to)).code == 0
    text = to.read_text()
    report = json.loads(text)
    assert "not available" in report["store"]
    assert report["machine"]["python"]
    assert SECRET not in text


@pytest.mark.parametrize(
    "text",
    [
        f"mongodb+srv://user:{SECRET}@cluster.example/",
        f"Authorization: Bearer {SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"PMG_MAPI_KEY={SECRET}",
        f"api_key: {SECRET}",
        f"token={SECRET}; path=/",
        f"cannot read mongodb://me:half@{SECRET}@host:27017/db",
    ],
)
def test_secrets_are_known_by_their_look(text: str) -> None:
    assert SECRET not in plain_text(text)
    assert "***" in plain_text(text)


def test_a_token_of_ours_is_known_wherever_it_stands(database: str) -> None:
    token = tokens.create("laptop", "read")
    shown = token[: len("fermiloop_01234567_")]
    assert plain_text(f"DELETE /api/tokens/{token} 404") == f"DELETE /api/tokens/{shown}*** 404"
    assert plain_text(f"sent {token[:-20]}") == f"sent {shown}***"  # a line that was cut off


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="@"), min_size=6))
def test_what_stands_under_a_secret_name_is_hidden_at_any_depth(secret: str) -> None:
    tree = {"a": [{"db_password": secret, "uri": f"mongodb://u:{secret.replace('/', '_')}@h"}], "Token": secret}
    hidden = without_secrets(tree)
    assert hidden["a"][0]["db_password"] == hidden["Token"] == "***"
    assert hidden["a"][0]["uri"] == "mongodb://u:***@h"


def test_ordinary_lines_stay() -> None:
    line = "round 2 of pd-like: 12 of 40 passed the funnel (https://example.org/a:b)"
    assert plain_text(line) == line
