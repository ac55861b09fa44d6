"""Killed for real: a worker in the middle of an evaluation, and the database server."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from killing import kill, outcomes, wait_for

from fermiloop.flows.driving import workers
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.platform.settings import settings
from fermiloop.platform.store import calculations, campaigns, candidates, connection, embedded, labels
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, Stage

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An embedded server of this test's own, which it may kill."""
    folder = tmp_path / "own"
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(folder))
    settings.cache_clear()
    connection.connect()
    yield folder
    connection.disconnect()
    embedded.stop(folder)


@pytest.fixture
def database(own_server: Path) -> str:
    """The library goes into the server that is killed."""
    return "fermiloop"


def running_step() -> Path | None:
    """Folder of a calculation whose child is at work."""
    found = settings().data_dir.glob(f"calculations/*/relax/{isolation.INPUT}")
    return next((p.parent for p in found if not (p.parent / isolation.OUTPUT).exists()), None)


def running_worker() -> int | None:
    """Process id of a worker that runs an engine's job."""
    pad = launchpad()
    launch = pad.launches.find_one({"state": "RUNNING"}, sort=[("launch_id", -1)])
    pad.connection.close()
    return int(launch["fworker"]["name"].split("~")[1]) if launch else None


def check_exactly_once(name: str) -> None:
    """Every selected candidate came to its end, each result is there once, and nothing was computed twice."""
    chosen = [c for c in candidates.of_campaign(name) if c.calculation]
    assert len(chosen) == 4
    assert all(c.stage is Stage.EVALUATED or (c.stage is Stage.FAILED and c.reason) for c in chosen)
    done = calculations.of_campaign(name)
    assert len({c.id for c in done}) == len(chosen)
    for calculation in done:
        assert calculation.state in (CalculationState.COMPLETED, CalculationState.FAILED)
        ledgers = settings().data_dir.glob(f"calculations/{calculation.id}/*/{isolation.COST}")
        paid = {p.parent.name: outcomes(p.parent) for p in ledgers}
        assert all(Counter(ended)["done"] <= 1 for ended in paid.values()), paid
        if calculation.state is CalculationState.COMPLETED:
            assert calculation.ingested
            found = labels.of_calculations([calculation.id])
            assert found
            assert max(Counter((row.property, row.method) for row in found).values()) == 1


def finish_in_background(name: str, n: int = 2) -> threading.Thread:
    """Workers under a supervisor, as `campaign launch --workers` runs them."""
    thread = threading.Thread(target=workers.run_for_campaign, args=(n, name, lambda: None), daemon=True)
    thread.start()
    return thread


@pytest.fixture(autouse=True)
def signals_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signal handlers belong to the main thread, and here the supervisor runs in another."""
    monkeypatch.setattr(signal, "signal", lambda *_: signal.SIG_DFL)


def launch_only(campaign: Any, name: str, mode: str = "rounds") -> None:
    spec, text = campaign(name, settings="{sleep: 1.5}")
    spec = spec.model_copy(update={"mode": mode})
    campaigns.create(spec.name, spec.as_dict(), text)
    launchpad().connection.close()


def test_two_workers_finish_a_campaign(own_server: Path, library: str, campaign: Any) -> None:
    launch_only(campaign, "two")
    thread = finish_in_background("two")
    thread.join(150)
    assert campaigns.get("two").state is CampaignState.FINISHED
    check_exactly_once("two")


@pytest.mark.parametrize("mode", ["rounds", "asynchronous"])
def test_a_worker_killed_in_the_middle_of_an_evaluation(
    own_server: Path, library: str, campaign: Any, mode: str
) -> None:
    launch_only(campaign, "killed", mode)
    thread = finish_in_background("killed")
    wait_for(running_step)
    kill(wait_for(running_worker))
    thread.join(150)
    assert campaigns.get("killed").state is CampaignState.FINISHED
    check_exactly_once("killed")


def test_the_database_server_killed_in_the_middle(own_server: Path, library: str, campaign: Any) -> None:
    launch_only(campaign, "served")
    thread = finish_in_background("served")
    wait_for(running_step)
    server = embedded.status(own_server)["pid"]
    kill(server)
    thread.join(180)
    assert embedded.status(own_server)["pid"] != server
    assert connection.retrying(lambda: campaigns.get("served").state) is CampaignState.FINISHED
    check_exactly_once("served")
