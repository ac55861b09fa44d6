"""Why a calculation ended without a result: its steps, the queue and its folder are asked, in this order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket
from jobflow import Flow, job
from jobflow.managers.fireworks import flow_to_workflow

from fermiloop.flows.engines.steps import failures, isolation
from fermiloop.flows.queue import reasons
from fermiloop.flows.queue.documents.rows import CALCULATION_KEY
from fermiloop.flows.queue.launchpad import SafeLaunchPad, configure_jobflow, launchpad
from fermiloop.platform.errors import EngineError

pytestmark = pytest.mark.usefixtures("database")


def folder(step: str) -> Path:
    made = isolation.step_folder("calc-r", step)
    made.mkdir(parents=True, exist_ok=True)
    return made


def add(pad: SafeLaunchPad) -> None:
    """A job that fails, in a way that no step writes down."""
    made = job(json.loads)("no json")
    made.name = "VASP labels"
    made.metadata[CALCULATION_KEY] = "calc-r"
    pad.add_wf(flow_to_workflow(Flow([made])))


def test_an_empty_folder_is_said_to_be_empty_and_named() -> None:
    where = isolation.step_folder("calc-r", "")
    assert reasons.reason_of("calc-r") == f"it ended without a result, and its folder {where} is empty"


def test_what_a_step_wrote_down_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="The static of calc-r failed: KeyError: 'NELECT'"), _told("static"):
        raise KeyError("NELECT")
    assert reasons.reason_of("calc-r") == "static: KeyError: 'NELECT'"
    log = isolation.failure_logs("calc-r")["static"]
    assert "Traceback" in log
    assert 'raise KeyError("NELECT")' in log


def _told(step: str) -> Any:
    return failures.told("calc-r", step)


def test_a_sentence_of_our_own_is_not_named_by_its_class() -> None:
    with pytest.raises(EngineError), _told("scf"):
        raise EngineError("VASP ended with exit code 1")
    assert reasons.reason_of("calc-r") == "scf: VASP ended with exit code 1"


def test_the_details_of_a_failure_that_cannot_be_had_do_not_hide_it() -> None:
    def details() -> str:
        raise OSError("gone")

    with pytest.raises(EngineError), failures.told("calc-r", "scf", details):
        raise EngineError("it broke")
    assert reasons.reason_of("calc-r") == "scf: it broke"


def test_a_step_that_succeeds_later_takes_its_failure_back() -> None:
    with pytest.raises(EngineError), _told("scf"):
        raise EngineError("it broke")
    with _told("scf"):
        pass
    assert isolation.read_failure("calc-r") is None
    assert isolation.failure_logs("calc-r") == {}


def test_what_the_queue_caught_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pad = launchpad()
    configure_jobflow()
    add(pad)
    launch_rocket(pad, FWorker("one"), strm_lvl="CRITICAL")
    assert reasons.reason_of("calc-r").startswith("VASP labels: json.decoder.JSONDecodeError: Expecting value")
    pad.connection.close()


def test_a_worker_that_was_lost_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pad = launchpad()
    add(pad)
    _, launch = pad.checkout_fw(FWorker("lost"), str(tmp_path))
    pad.mark_fizzled(launch)
    assert reasons.reason_of("calc-r") == "VASP labels: its worker was lost, once"
    pad.connection.close()


def test_else_the_steps_say_how_far_they_came() -> None:
    (folder("relax1") / "document.json.gz").touch()
    (folder("relax2") / isolation.COST).write_text(json.dumps({"core_seconds": 4.0, "outcome": "killed"}) + "\n")
    (folder("scf") / "attempt-1").mkdir()
    found = reasons.reason_of("calc-r")
    assert found.startswith("it ended without a result: ")
    for part in ("relax1 was finished", "relax2 was killed", "scf was begun once and never ended"):
        assert part in found
    assert str(isolation.step_folder("calc-r", "")) in found
