"""The life of a campaign, failed calculations, and reconciling, from a terminal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fermiloop.flows.campaigns import managing
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, Stage

TEXT = (
    "{name: held, target: {properties: [{name: band_gap, value: 1, tolerance: 0.5}]}, space: {elements: [Ni, Pt]}, "
    "generators: [{name: substitution, proposals: 5}], budget: {rounds: 1, evaluations: 2, per_round: 2}}"
)


@pytest.fixture
def held(database: str) -> str:
    """A campaign in the store."""
    spec = parse_spec(TEXT)
    campaigns.create(spec.name, spec.as_dict(), TEXT)
    return spec.name


@pytest.fixture
def failed(held: str) -> list[str]:
    """Ids of two calculations that failed, each in its way."""
    ids = []
    for element, error in (("Ni", "relax: ran out of its 900 s"), ("Pt", "static: crashed with signal 6 (SIGABRT)")):
        structure = PROTOTYPES["A1"].build(element, None, 12.0)
        made = calculations.plan(None, structure, engine="gpaw", method="m", settings={}, campaign=held)
        calculations.finish(made, CalculationState.FAILED, core_seconds=3.0, error=error)
        ids.append(made)
    return ids


def test_pause_resume_cancel(cli: Callable[..., Any], held: str) -> None:
    assert "is paused" in cli("campaign", "pause", held).out
    assert campaigns.get(held).state is CampaignState.PAUSED
    again = cli("campaign", "pause", held)
    assert (again.code, again.out) == (2, "")
    assert "its state is paused" in again.err
    assert "goes on" in cli("campaign", "resume", held).out
    assert "all its results are kept" in cli("campaign", "cancel", held).out
    assert campaigns.get(held).closed_at is not None
    assert cli("campaign", "resume", held).code == 2
    assert "no campaign nobody" in cli("campaign", "pause", "nobody").err


@pytest.fixture
def at_work(held: str) -> str:
    """Id of a calculation of the campaign that this process runs."""
    from fermiloop.flows.processes.identity import worker_name

    crystal = PROTOTYPES["A1"].build("Ni", None, 12.0)
    made = calculations.plan("c-1", crystal, engine="gpaw", method="m", settings={}, campaign=held)
    candidates.save_many(
        [
            Candidate(
                id="c-1", campaign=held, round=1, generator="substitution", index=0, structure=crystal.as_dict(),
                formula="Ni", formula_lower="ni", elements=["Ni"], chemical_system="Ni", n_sites=1, seed=1, score=1.0,
                stage=Stage.SELECTED, calculation=made,
            )
        ]
    )  # fmt: skip
    assert calculations.start(made, worker_name())
    return made


def end(calculation: str) -> None:
    calculations.finish(calculation, CalculationState.COMPLETED, core_seconds=1.0)
    candidates.update("c-1", stage=Stage.EVALUATED)


def looked_at(monkeypatch: pytest.MonkeyPatch, when: int, then: Callable[[], None]) -> None:
    """Do something before a certain look at what runs; the first is that of cancelling itself."""
    look, n = managing.running.of_campaign, count(1)

    def looking(name: str) -> Any:
        if next(n) == when:
            then()
        return look(name)

    monkeypatch.setattr(managing, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(managing.running, "of_campaign", looking)


def test_cancel_tells_what_it_stops(cli: Callable[..., Any], held: str, at_work: str) -> None:
    told = cli("campaign", "cancel", held)
    assert told.code == 0
    assert "told to stop, within some seconds:\n  Ni: " in told.out
    assert calculations.stop_requested(at_work) == "its campaign was cancelled"


def test_cancel_waits_until_what_runs_has_ended(
    cli: Callable[..., Any], held: str, at_work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at(monkeypatch, 4, lambda: end(at_work))
    told = cli("campaign", "cancel", held, "--wait")
    assert told.code == 0, told.err
    assert told.out.splitlines()[1] == "These run to their end:"
    assert told.out.splitlines()[-1] == "All of them have ended."
    assert told.err == f"Waiting for {held}: Ni runs\n"
    assert calculations.stop_requested(at_work) is None
    assert campaigns.get(held).state is CampaignState.CANCELLED


def test_cancel_waits_no_longer_than_it_is_told(cli: Callable[..., Any], held: str, at_work: str) -> None:
    told = cli("campaign", "cancel", held, "--wait", "--timeout", "0.01")
    assert told.code == 1
    assert "After 0.01 s 1 of the evaluations of held still ran" in told.err.splitlines()[-1]
    assert campaigns.get(held).state is CampaignState.CANCELLED
    alone = cli("campaign", "cancel", held, "--timeout", "1")
    assert (alone.code, len(alone.err.splitlines())) == (2, 1)
    assert "--wait" in alone.err


def test_ctrl_c_while_waiting_leaves_it_cancelled(
    cli: Callable[..., Any], held: str, at_work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    looked_at(monkeypatch, 3, interrupt)
    told = cli("campaign", "cancel", held, "--wait")
    assert told.code == 130
    assert "held stays cancelled" in told.err.splitlines()[-1]
    assert campaigns.get(held).state is CampaignState.CANCELLED
    assert calculations.stop_requested(at_work) is None


def test_a_calculation_is_shown_with_why_it_failed(cli: Callable[..., Any], failed: list[str]) -> None:
    step = isolation.step_folder(failed[0], "relax")
    step.mkdir(parents=True)
    (step / isolation.INPUT).write_text("{}")
    (step / isolation.COST).write_text('{"outcome": "time limit", "core_seconds": 3.0}\n')
    (step / isolation.FAILURE_LOG).write_text("Traceback of the relaxation")
    shown = cli("calculations", "show", failed[0], "--json").json()
    assert (shown["id"], shown["state"], shown["running"]) == (failed[0], "failed", None)
    assert shown["error"] == "relax: ran out of its 900 s"
    assert shown["steps"] == [
        {"step": "relax", "attempts": 1, "outcome": "time limit", "core_seconds": 3.0, "progress": "relax"}
    ]
    text = cli("calculations", "show", failed[0]).out
    for word in (failed[0], "ran out of its 900 s", str(step.parent), "Steps", "Traceback of the relaxation"):
        assert word in text.replace("\n", "")
    assert cli("calculations", "show", "calc-none").code == 2


def test_a_calculation_is_shown_with_how_far_it_is(cli: Callable[..., Any], at_work: str) -> None:
    shown = cli("calculations", "show", at_work, "--json").json()
    assert (shown["state"], shown["candidate"]) == ("running", "c-1")
    assert shown["running"]["formula"] == "Ni"
    assert "Ni: " in cli("calculations", "show", at_work).out


def test_a_clone_is_printed_or_written_once(cli: Callable[..., Any], held: str, tmp_path: Path) -> None:
    text = cli("campaign", "clone", held, "other").out
    assert parse_spec(text) == parse_spec(TEXT).model_copy(update={"name": "other"})
    path = tmp_path / "other.yaml"
    assert cli("campaign", "clone", held, "other", "--to", str(path)).out.strip() == str(path)
    assert path.read_text().strip() == text.strip()
    taken = cli("campaign", "clone", held, "other", "--to", str(path))
    assert (taken.code, taken.out) == (2, "")
    assert "exists" in taken.err
    assert cli("campaign", "clone", held, "Not A Name").code == 2


def test_ways_to_launch_exclude_each_other(cli: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "held.yaml"
    path.write_text(TEXT)
    told = cli("campaign", "launch", str(path), "--queue", "--workers", "2")
    assert told.code == 2
    assert "exclude each other" in told.err


def test_failed_calculations_by_their_error(cli: Callable[..., Any], failed: list[str]) -> None:
    rows = cli("calculations", "find", "--error", "RAN OUT", "--json").json()
    assert [row["id"] for row in rows] == failed[:1]
    assert rows[0]["error"] == "relax: ran out of its 900 s"
    assert {row["id"] for row in cli("calculations", "find", "--state", "failed", "--json").json()} == set(failed)
    assert cli("calculations", "find", "--campaign", "held", "--limit", "1", "--json").json()[0]["campaign"] == "held"
    assert cli("calculations", "ignore", "--error", "SIGABRT", "--json").json() == {"calculations": 1}
    assert [row["id"] for row in cli("calculations", "find", "--json").json()] == failed[:1]
    assert len(cli("calculations", "find", "--ignored", "--json").json()) == 2


def test_rerun_puts_them_back(cli: Callable[..., Any], failed: list[str]) -> None:
    told = cli("calculations", "rerun", "--campaign", "held", "--time-limit", "1800")
    assert told.code == 0
    assert "2 calculations queued again" in told.out
    found = calculations.of_ids(failed)
    assert {c.state for c in found} == {CalculationState.WAITING}
    assert {c.time_limit for c in found} == {1800.0}


def test_what_was_handed_over_is_cancelled(cli: Callable[..., Any], failed: list[str]) -> None:
    crystals = [PROTOTYPES["B2"].build("Al", symbol, 12.1) for symbol in ("Ni", "Cu")]
    ids = [calculations.plan(None, one, engine="analytic", method="m", settings={}, relaxed=False) for one in crystals]
    for one in ids:
        calculations.hand_over(one, "crystal.cif", 60.0)
    assert cli("calculations", "cancel", ids[0]).out.strip() == "1 calculations cancelled."
    assert cli("calculations", "cancel", "--all", "--json").json() == {"calculations": 1}
    assert {one.state for one in calculations.of_ids(ids)} == {CalculationState.FAILED}
    again = cli("calculations", "cancel", ids[0])
    assert again.code == 2
    assert "nothing to cancel" in again.err


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ("calculations cancel", "ids, or --all"),
        ("calculations rerun", "ids, --error REGEX"),
        ("calculations rerun calc-1 --error x", "exclude"),
        ("calculations ignore --error (", "regular expression"),
        ("calculations find --state lost", "'lost'"),
        ("calculations find --campaign nobody", "nobody"),
        ("calculations rerun calc-none", "calc-none"),
    ],
)
def test_what_cannot_be_is_one_sentence(cli: Callable[..., Any], database: str, argv: str, names: str) -> None:
    told = cli(*argv.split())
    assert (told.code, told.out, len(told.err.splitlines())) == (2, "", 1)
    assert names in told.err


def test_reconcile_says_that_all_agrees_or_what_does_not(cli: Callable[..., Any], held: str) -> None:
    assert cli("reconcile", "--json").json() == []
    campaigns.plan_round(held, 1)
    campaigns.claim_launch(held, 1, "a worker", 60)
    campaigns.mark_launched(held, 1)
    (row,) = cli("reconcile", "--dry-run", "--json").json()
    assert (row["kind"], row["subject"]) == ("round without workflow", "held/1")
    assert "1 things repaired" in cli("reconcile").out
    assert cli("reconcile", "--json").json() == []
