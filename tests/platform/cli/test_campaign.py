"""Launching, watching and reporting campaigns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.cli import campaign


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch, summary: Callable[..., Any]) -> dict[str, Any]:
    """A campaign as the store would tell it, without a store."""
    made = summary()
    monkeypatch.setattr(campaign, "_status", lambda name, **_: made)
    return made


def test_json_is_the_summary_and_nothing_else(cli: Callable[..., Any], reported: dict[str, Any]) -> None:
    for verb in ("report", "show"):
        told = cli("campaign", verb, "pd-like", "--json")
        assert told.json() == reported
        assert {"name", "state", "evaluations", "failures", "core_seconds", "rounds", "best", "baseline"} <= set(
            told.json()
        )
        assert told.err == ""


def test_tables(cli: Callable[..., Any], reported: dict[str, Any]) -> None:
    assert "Hits beside the baselines" in cli("campaign", "report", "pd-like").out
    shown = cli("campaign", "show", "pd-like").out
    assert "Rounds" in shown
    assert "Funnel" not in shown


@pytest.mark.filterwarnings("ignore::DeprecationWarning:matplotlib")
def test_html_prints_its_path(cli: Callable[..., Any], reported: dict[str, Any], tmp_path: Path) -> None:
    told = cli("campaign", "report", "pd-like", "--html", str(tmp_path / "page"))
    path = Path(told.out.strip())
    assert path == tmp_path / "page" / "index.html"
    assert "NiPt" in path.read_text()


def test_watch_prints_each_change_once_and_ends(
    cli: Callable[..., Any], summary: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = summary(state="running", reason=None, rounds=(), candidates=())
    seen = iter([begun, begun, summary(), summary()])
    monkeypatch.setattr(campaign, "_status", lambda name, **_: next(seen))
    lines = cli("campaign", "watch", "pd-like", "--every", "0.1").out.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "pd-like: running",
        "pd-like: finished (the budget is spent)",
    ]


def test_a_failed_campaign_has_its_exit_code(
    cli: Callable[..., Any], summary: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        campaign, "_status", lambda name, **_: summary(state="failed", reason="no generator could learn")
    )
    watched = cli("campaign", "watch", "pd-like")
    assert watched.code == 1
    assert "no generator could learn" in watched.out
    assert watched.err == ""  # its rounds have closed: there is none to do again


def test_one_that_failed_in_a_round_is_told_how_it_goes_on(
    cli: Callable[..., Any], summary: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = summary(state="failed", reason="out of memory")
    found["rounds"][-1]["state"] = "failed"
    monkeypatch.setattr(campaign, "_status", lambda name, **_: found)
    watched = cli("campaign", "watch", "pd-like")
    assert watched.code == 1
    again = f"fermiloop campaign resume pd-like does round {found['rounds'][-1]['number']} again"
    assert again in watched.err


def test_list(cli: Callable[..., Any], database: str) -> None:
    from fermiloop.platform.store import campaigns

    assert cli("campaign", "list", "--json").json() == []
    campaigns.create("pd-like", {"name": "pd-like"}, "name: pd-like\n")
    (row,) = cli("campaign", "list", "--json").json()
    assert (row["name"], row["state"], row["closed_at"]) == ("pd-like", "running", None)
    assert "pd-like" in cli("campaign", "list").out


def test_a_page_that_cannot_be_written_is_one_sentence(
    cli: Callable[..., Any], reported: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("mine")
    told = cli("campaign", "report", "pd-like", "--html", str(tmp_path / "taken"))
    assert (told.code, told.out, len(told.err.splitlines())) == (2, "", 1)
    assert "taken" in told.err
    assert (tmp_path / "taken").read_text() == "mine"
