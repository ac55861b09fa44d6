"""Two workers of one host name, each in a namespace of process ids of its own, as in two containers; one is killed."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from killing import kill, outcomes

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.processes.identity import parse
from fermiloop.flows.queue.documents.rows import TAKER
from fermiloop.flows.queue.launchpad import SafeLaunchPad, launchpad
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.settings import settings
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, Stage

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
UNSHARE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts")
WORKER = f"hostname twin; exec {sys.executable} -m fermiloop.flows.driving.worker_process --until-idle"
EVALUATIONS = 30
ELEMENTS = ["Al", "Ni", "Cu", "Ti", "Pt", "Ag", "Au", "Rh", "Fe", "Co", "Zn", "Mg"]
SILENCE = 12  # s


def allowed() -> bool:
    try:
        return subprocess.run([*UNSHARE, "hostname", "x"], capture_output=True, timeout=20).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


@pytest.fixture
def containers(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a worker in namespaces of its own."""
    if not allowed():
        pytest.skip("namespaces are not allowed here")
    monkeypatch.setenv("FERMILOOP_SILENCE_SECONDS", str(SILENCE))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / ".src"))
    settings.cache_clear()
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([*UNSHARE, "/bin/bash", "-c", WORKER], stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()


def kill_inside(container: subprocess.Popen[bytes]) -> None:
    """Kill the first process of a container, and by that all of it."""
    children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
    kill(int(children[0]))


def until(true: Callable[[], Any], seconds: float = 400) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain")


def logs() -> dict[str, str]:
    return {path.name: path.read_text() for path in (settings().data_dir / "logs").iterdir()}


def launch(campaign: Any, name: str) -> None:
    spec, _ = campaign(name, settings="{sleep: 0.2}", evaluations=EVALUATIONS, per_round=EVALUATIONS)
    tree = spec.as_dict()
    tree["generators"] = [
        {"name": "substitution", "proposals": 40},
        {"name": "random_pick", "proposals": 80, "options": {"potential": "none"}},
    ]
    tree["budget"]["rounds"] = 1
    tree["space"] |= {"elements": ELEMENTS, "max_sites": 8, "crystal_systems": ["cubic", "hexagonal"]}
    tree["funnel"]["stages"], tree["acquisition"] = ["geometry", "duplicates"], {"name": "random"}
    CampaignSpec.model_validate(tree)
    campaigns.create(name, tree, json.dumps(tree))
    launchpad().connection.close()


def running_elsewhere(pad: SafeLaunchPad, name: str | None = None) -> dict[str, Any] | None:
    """A run of an evaluation that is under way, of a worker where one is named."""
    query = {"state": "RUNNING", **({"fworker.name": name} if name else {})}
    for found in pad.launches.find(query):
        firework = pad.fireworks.find_one({"fw_id": found["fw_id"]}) or {}
        if firework.get("name") == "evaluate":
            return dict(found)
    return None


def check(pad: SafeLaunchPad, name: str, killed: str) -> int:
    """Each firework ended once, the killed one's were taken back, nothing was paid twice; how many were taken back."""
    taken_back = 0
    for firework in pad.fireworks.find({}):
        runs = list(pad.launches.find({"fw_id": firework["fw_id"]}))
        lost = [one for one in runs if TAKER in one]
        assert len(runs) - len(lost) == 1, (firework["name"], [one["state"] for one in runs])
        assert all(one["fworker"]["name"] == killed for one in lost)
        assert firework["state"] in ("COMPLETED", "FIZZLED")  # what an engine could not do has failed once
        taken_back += len(lost)
    chosen = [one for one in candidates.of_campaign(name) if one.calculation]
    assert len(chosen) == EVALUATIONS
    assert all(one.stage is Stage.EVALUATED or (one.stage is Stage.FAILED and one.reason) for one in chosen)
    assert sum(one.stage is Stage.EVALUATED for one in chosen) > EVALUATIONS / 2
    for done in calculations.of_campaign(name):
        assert done.state in (CalculationState.COMPLETED, CalculationState.FAILED)
        assert done.claimed_by is None
        for ledger in settings().data_dir.glob(f"calculations/{done.id}/*/{isolation.COST}"):
            ended = Counter(outcomes(ledger.parent))
            assert ended["done"] + ended["failed"] <= 1, (done.id, ended)
    return taken_back


def test_one_of_two_twins_is_killed_and_nothing_is_done_twice(
    library: str, campaign: Any, containers: Callable[[], subprocess.Popen[bytes]]
) -> None:
    launch(campaign, "twins")
    twins = [containers(), containers()]
    pad = launchpad()
    try:
        until(lambda: sum(bool(one.calculation) for one in candidates.of_campaign("twins")) == EVALUATIONS)
        until(lambda: pad.launches.count_documents({"state": "COMPLETED"}) >= 10)
        names = pad.launches.distinct("fworker.name")
        places = [parse(one) for one in names]
        assert len(names) == 2
        assert {(one.host, one.pid) for one in places} == {("twin", 1)}
        assert len({one.space for one in places}) == 2
        assert not any("recovered" in text for text in logs().values()), logs()
        lost = until(lambda: running_elsewhere(pad))
        killed = lost["fworker"]["name"]
        # which of the two it is: the namespace says it
        for one in twins:
            inside = Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text().split()[0]
            if parse(killed).space in str(Path(f"/proc/{inside}/ns/pid").readlink()):
                kill_inside(one)
        twins.append(containers())  # as whoever runs containers starts another
        until(lambda: campaigns.get("twins").state is not CampaignState.RUNNING)
        with contextlib.suppress(subprocess.TimeoutExpired):
            for one in twins:
                one.wait(120)
        assert check(pad, "twins", killed) == 1  # the one that it was at
        assert campaigns.get("twins").state is CampaignState.FINISHED
    finally:
        pad.connection.close()
    texts = logs()
    assert len(texts) == 3
    assert sum(text.count("recovered firework") for text in texts.values()) == 1, texts
