"""Stopped for real, in the middle of an evaluation: by signals, and by cancelling; no process is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from killing import kill, outcomes, wait_for

from fermiloop.flows.campaigns import managing
from fermiloop.flows.engines.steps import isolation, orphans
from fermiloop.flows.queue import listening, running
from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.platform.settings import settings
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, RoundState, Stage

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(600)]
GPAW_SCRIPT = """
from dataclasses import asdict
from pymatgen.core import Lattice, Structure
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.engines.gpaw.settings import GpawSettings
al = Structure(Lattice.cubic(4.05), ["Al"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
task = {"kind": "gpaw_static", "structure": al.as_dict(), "settings": asdict(GpawSettings())}
isolation.run("calc-gpaw", "static", task, 120)
"""
MOST = 10.0  # s that anything may outlast a stop

Start = Callable[..., subprocess.Popen[str]]


def hear_signals() -> None:
    """Hear what a terminal sends, also where the tests themselves run in the background and ignore it."""
    for which in (signal.SIGINT, signal.SIGHUP):
        signal.signal(which, signal.SIG_DFL)


def steps() -> list[Path]:
    """Folders of steps that have begun."""
    return [path.parent for path in settings().data_dir.glob(f"calculations/*/*/{isolation.INPUT}")]


def programs() -> list[int]:
    """Children at work."""
    return orphans.working_in(*steps())


def workers() -> list[int]:
    """Worker processes of this test: each works in a folder of its own."""
    folders = [path for path in settings().data_dir.glob("launches/*") if path.is_dir()]
    return orphans.working_in(*folders)


@pytest.fixture
def start(database: str, server_uri: str, tmp_path: Path) -> Iterator[Start]:
    """Starter of commands as processes; those that are left are ended."""
    begun: list[subprocess.Popen[str]] = []
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "FERMILOOP_MONGODB_URI": server_uri,
        "FERMILOOP_DATABASE": database,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }

    def run(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "fermiloop.platform.cli.main", *words]
        with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
            begun.append(
                subprocess.Popen(
                    command,
                    env=environment,
                    stdout=out,
                    stderr=err,
                    text=True,
                    start_new_session=True,
                    preexec_fn=hear_signals,  # noqa: PLW1509  (it sets two handlers, nothing else)
                )
            )
        return begun[-1]

    yield run
    for one in begun:
        if one.poll() is None:
            kill(one)
    for pid in [*workers(), *programs()]:
        kill(pid)


@pytest.fixture
def data_dir() -> Path:
    """The data folder, made."""
    folder = settings().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def file(library: str, campaign: Any, tmp_path: Path) -> Callable[..., str]:
    """Maker of a campaign file whose evaluations take long."""

    def make(name: str, sleep: float = 60.0) -> str:
        _, text = campaign(name, settings=f"{{sleep: {sleep}}}", limit=120)
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        return str(path)

    return make


def gone_after(process: subprocess.Popen[str], how: signal.Signals) -> float:
    """Seconds from a signal until no process is left."""
    began = time.monotonic()
    process.send_signal(how)
    process.wait(120)
    wait_for(lambda: not programs() and not workers(), 120)
    return time.monotonic() - began


def states(name: str) -> list[tuple[str, int]]:
    """State and attempts of the calculations of a campaign."""
    return sorted((str(one.state), one.attempts) for one in calculations.of_campaign(name))


def ledger() -> list[str]:
    """How each attempt ended."""
    return [ended for step in steps() for ended in outcomes(step)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_in_this_process_ends_its_child_and_gives_back(
    start: Start, file: Callable[..., str], tmp_path: Path, how: signal.Signals
) -> None:
    path = file("inline")
    process = start("campaign", "launch", path)
    wait_for(programs)
    wait_for(lambda: managing.running.of_campaign("inline"))
    took = gone_after(process, how)
    assert took < MOST
    assert process.returncode == 130
    said = (tmp_path / "err").read_text().strip().splitlines()[-1]
    assert "given back unfinished" in said
    assert "campaign launch" in said
    assert states("inline") == [("waiting", 0), ("waiting", 1)]
    assert campaigns.get("inline").state is CampaignState.RUNNING
    assert ledger() == ["stopped"]
    assert [c.stage for c in candidates.of_round("inline", 1) if c.calculation] == [Stage.SELECTED] * 2


def test_what_was_given_back_goes_on(start: Start, file: Callable[..., str]) -> None:
    path = file("again", sleep=4.0)
    process = start("campaign", "launch", path)
    wait_for(programs)
    assert gone_after(process, signal.SIGINT) < MOST
    process = start("campaign", "launch", path)
    assert process.wait(240) == 0
    assert campaigns.get("again").state is CampaignState.FINISHED
    assert {state for state, _ in states("again")} == {"completed"}
    assert ledger().count("stopped") == 1  # and paid once more, as its cost says
    stopped = [one for one in calculations.of_campaign("again") if one.attempts == 2]
    assert len(stopped) == 1
    assert stopped[0].core_seconds > 0


@pytest.mark.parametrize("command", ["launch", "run"])
def test_workers_that_are_stopped_end_their_children_and_give_back(
    start: Start, file: Callable[..., str], tmp_path: Path, command: str
) -> None:
    path = file("pool")
    if command == "launch":
        process = start("campaign", "launch", path, "--workers", "2")
    else:
        assert start("campaign", "launch", path, "--queue").wait(240) == 0
        process = start("worker", "run", "-n", "2")
    wait_for(lambda: len(programs()) == 2)
    wait_for(lambda: len(managing.running.of_campaign("pool")) == 2)
    busy = wait_for(lambda: [one for one in listening.workers_that_listen() if one.doing])
    assert {row["pid"] for row in busy} <= set(workers())
    took = gone_after(process, signal.SIGINT if command == "launch" else signal.SIGTERM)
    assert took < MOST
    assert process.returncode == (130 if command == "launch" else 0)
    assert "given back" in ((tmp_path / "err").read_text() + (tmp_path / "out").read_text())
    assert states("pool") == [("waiting", 1), ("waiting", 1)]
    assert ledger() == ["stopped", "stopped"]
    assert listening.workers_that_listen() == []
    pad = launchpad()
    taken = pad.fireworks.count_documents({"state": {"$in": ["RUNNING", "RESERVED", "FIZZLED"]}})
    ready = pad.fireworks.count_documents({"state": "READY"})
    pad.connection.close()
    assert (taken, ready) == (0, 2)
    assert [calculations.claimant(one.id) for one in calculations.of_campaign("pool")] == [None, None]


def test_a_second_signal_ends_everything_at_once(start: Start, file: Callable[..., str]) -> None:
    process = start("campaign", "launch", file("twice"), "--workers", "1")
    wait_for(programs)
    os.kill(wait_for(workers)[0], signal.SIGSTOP)  # a worker that does not answer
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert gone_after(process, signal.SIGINT) < 7.0  # the first signal alone would give the worker 8 s
    assert process.returncode == 130


def test_a_killed_run_leaves_its_child_which_is_adopted(start: Start, file: Callable[..., str]) -> None:
    path = file("adopted", sleep=8.0)
    process = start("campaign", "launch", path)
    child = wait_for(programs)
    wait_for(lambda: managing.running.of_campaign("adopted"))
    kill(process)
    time.sleep(1.0)
    assert programs() == child
    assert start("campaign", "launch", path).wait(150) == 0
    assert set(ledger()) == {"done"}
    assert campaigns.get("adopted").state is CampaignState.FINISHED


def test_a_cancelled_run_in_this_process_ends_and_begins_nothing_more(start: Start, file: Callable[..., str]) -> None:
    process = start("campaign", "launch", file("ended"))
    wait_for(programs)
    wait_for(lambda: managing.running.of_campaign("ended"))
    began = time.monotonic()
    told = managing.cancel("ended")
    assert [(one.told, one.progress.step) for one in told] == [(True, "relax")]
    wait_for(lambda: not programs(), 120)
    assert time.monotonic() - began < MOST
    assert process.wait(240) == 0
    assert states("ended") == [("failed", 1)]
    stages = sorted((str(c.stage), c.reason) for c in candidates.of_round("ended", 1) if c.calculation)
    assert stages == [("failed", "relax: stopped: its campaign was cancelled")]
    assert campaigns.get("ended").state is CampaignState.CANCELLED
    assert campaigns.round_of("ended", 1).state is RoundState.CLOSED
    assert calculations.of_campaign("ended")[0].core_seconds > 0


@pytest.mark.parametrize("wait", [False, True])
def test_workers_of_a_cancelled_campaign_stop_or_finish_what_they_run(
    start: Start, file: Callable[..., str], wait: bool
) -> None:
    process = start("campaign", "launch", file("both", sleep=9.0 if wait else 60.0), "--workers", "1")
    wait_for(programs)
    wait_for(lambda: managing.running.of_campaign("both"))
    began = time.monotonic()
    told = managing.cancel("both", wait=wait)
    assert [one.told for one in told] == [not wait]
    wait_for(lambda: not programs(), 40)
    if not wait:
        assert time.monotonic() - began < MOST
    assert process.wait(240) == 0
    expected = ("completed", Stage.EVALUATED) if wait else ("failed", Stage.FAILED)
    assert states("both") == [(expected[0], 1)]
    assert [c.stage for c in candidates.of_round("both", 1) if c.calculation] == [expected[1]]
    assert campaigns.round_of("both", 1).state is RoundState.CLOSED


def test_what_a_killed_run_left_is_ended_by_cancel(start: Start, file: Callable[..., str]) -> None:
    process = start("campaign", "launch", file("orphan"))
    wait_for(programs)
    wait_for(lambda: managing.running.of_campaign("orphan"))
    kill(process)
    began = time.monotonic()
    assert managing.cancel("orphan") == []
    assert programs() == []
    assert time.monotonic() - began < MOST
    assert ("failed", 1) in states("orphan")
    assert CalculationState.RUNNING not in {one.state for one in calculations.of_campaign("orphan")}


@pytest.mark.dft
def test_gpaw_interrupted_in_the_middle_of_scf_leaves_no_process(data_dir: Path, tmp_path: Path) -> None:
    script = tmp_path / "relax.py"
    script.write_text(GPAW_SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        stderr=subprocess.DEVNULL,
        preexec_fn=hear_signals,  # noqa: PLW1509
    )
    try:
        wait_for(lambda: (running.progress_of("calc-gpaw").scf or 0) >= 2)
        assert running.progress_of("calc-gpaw").step == "static"
        assert gone_after(process, signal.SIGINT) < MOST
        assert ledger() == ["stopped"]
    finally:
        kill(process)
        for pid in programs():
            kill(pid)
