"""The study: its arms, its table, and a tiny one that is killed and goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.store import embedded

STUDY = Path(__file__).parents[2] / "examples" / "study"
TREE = yaml.safe_load((STUDY / "pd.yaml").read_text(encoding="utf-8"))
TINY = """
name: tiny
target: {dos: {material: Pd}, hit_similarity: 0.9, exclude: [Pd]}
space: {elements: [Al, Cu, Ag, Pt], components: [1, 2], crystal_systems: [cubic], max_sites: 4}
generators: [{name: substitution, proposals: 8}]
funnel: {stages: [composition, geometry, duplicates], potential: analytic}
acquisition: {name: random}
engine: {name: analytic, time_limit: 60}
budget: {rounds: 2, evaluations: 3, per_round: 2}
retrain: {source: gpaw}
seed: 7
"""


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(STUDY))
    for own in ("arms", "arm", "table", "run"):
        monkeypatch.delitem(sys.modules, own, raising=False)
    return __import__(name)


def arms_of(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    arms = module("arms", monkeypatch)
    return {name: arms.arm_of(TREE, name) for name in arms.ARMS}


def test_every_arm_is_a_campaign_with_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = module("arms", monkeypatch)
    specs = [parse_spec(arms.text_of(arms.arm_of(TREE, name))) for name in arms.ARMS]
    assert len({spec.name for spec in specs}) == len(arms.ARMS) == 4


def test_arms_differ_in_what_they_test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = arms_of(monkeypatch)
    same = ("target", "space", "engine", "budget", "seed")
    assert all(one[key] == TREE[key] for one in made.values() for key in same)
    assert {key for key in made["full"] if made["full"][key] != TREE[key]} == {"name"}
    assert set(made["no_retraining"]) - set(TREE) == {"retrain"}
    for name in ("substitution", "random_pick"):
        assert [one["name"] for one in made[name]["generators"]] == [name]
        assert made[name]["generators"][0]["proposals"] == sum(one["proposals"] for one in TREE["generators"])
        assert made[name]["funnel"]["stages"] == [s for s in TREE["funnel"]["stages"] if s != "target"]
        assert made[name]["acquisition"] == {"name": "random"}


def rows(*results: tuple[float | None, float | None], per_round: int = 2) -> dict[str, Any]:
    """Records of an arm: similarity and energy above the hull of each evaluation; without similarity it failed."""
    found = []
    for i, (similar, above) in enumerate(results):
        row = {
            "id": f"c-{i}", "formula": "X", "round": 1 + i // per_round, "generator": "g", "core_seconds": 10.0,
            "stage": "failed" if similar is None else "evaluated", "structure": {"large": True},
        }  # fmt: skip
        found.append(row | {"computed_similarity": similar, "computed_energy_above_hull": above})
    evaluated = [{"candidate": one["id"], "core_seconds": one["core_seconds"]} for one in found]
    report = {
        "spec": TREE, "state": "finished", "core_seconds": 99.0, "evaluated": evaluated, "curves": [1.0],
        "insight": {"parity": []},
    }  # fmt: skip
    return {"report": report, "candidates": [*found, {"id": "c-x", "stage": "passed", "round": 1, "formula": "Y"}]}


def test_a_hit_is_similar_and_stable_as_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    table = module("table", monkeypatch)
    records = rows((0.95, 0.05), (0.95, 0.2), (0.8, 0.0), (None, None), (0.97, None))
    kept = table.small(records["report"], records["candidates"])
    assert "curves" not in kept["report"]
    assert not any("structure" in one for one in kept["candidates"])
    found = table.table({"full": kept})["arms"]["full"]
    assert (found["evaluations"], found["failed"], found["similar"]["hits"], found["hits"]["hits"]) == (5, 1, 3, 1)
    assert (found["best_similarity"], found["best_stable_similarity"]) == (0.97, 0.95)
    assert found["core_seconds"] == {"evaluations": 50.0, "all": 99.0}
    assert [(one["evaluations"], one["hits"]["hits"], one["best_so_far"]) for one in found["rounds"]] == [
        (2, 1, 0.95), (2, 0, 0.95), (1, 0, 0.97),
    ]  # fmt: skip


def test_arms_are_compared_with_random_pick(monkeypatch: pytest.MonkeyPatch) -> None:
    table = module("table", monkeypatch)
    two, one = rows(*[(0.95, 0.0)] * 2, *[(0.5, 0.0)] * 2), rows((0.95, 0.0), *[(0.5, 0.0)] * 3)
    arms = {
        name: table.small(made["report"], made["candidates"]) for name, made in (("full", two), ("random_pick", one))
    }
    found = table.table(arms)
    assert found["against_random_pick"]["full"]["factor"] == pytest.approx(2)
    told = table.markdown(found)
    assert "| `full` | 4 (0) | 2 | 2 | 2/4 = 0.50 (0.15 to 0.85) | 0.950 | 0.950 | 40 | 2.0 (" in told
    assert len({line.count("|") for line in told.split("\n\n")[0].splitlines()}) == 1


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starter of the study in the folder ``out``; what still runs in the end gives back what it does and stops."""
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "FERMILOOP_EMBEDDED_SYNC": "false"}
    arguments = [str(STUDY / "run.py"), str(tmp_path / "out"), "--file", str(tmp_path / "tiny.yaml")]
    started = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, *arguments, "--arms", "substitution"]
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.terminate()
            child.communicate()


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(900)
def test_a_killed_study_goes_on_where_it_was(tmp_path: Path, start: Callable[[], subprocess.Popen[str]]) -> None:
    arm, results = tmp_path / "out" / "substitution", tmp_path / "out" / "results"
    killed = start()
    while not ((arm / "log").exists() and "evaluations done" in (arm / "log").read_text(encoding="utf-8")):
        assert killed.poll() is None, killed.communicate()[0]
        time.sleep(0.2)
    killed.kill()
    killed.communicate()
    assert not results.exists()

    ended = start()
    told = ended.communicate()[0]
    assert ended.returncode == 0, told
    assert "| `substitution` | 3 (0) |" in told
    assert {path.name for path in results.iterdir()} == {"substitution.json", "table.json", "table.md"}
    assert not embedded.status(arm / "data")["running"]
