"""``fermiloop worker``: what is asked of it is checked before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_submit_shows_the_script_and_submits_nothing(cli: Callable[..., Any], database: str) -> None:
    found = cli("worker", "submit", "--queue", "slurm", "-n", "2", "--walltime", "24:00:00", "--dry-run", "--json")
    assert found.code == 0
    assert "#SBATCH --time=24:00:00" in found.json()["script"]
    assert "worker run -n 2 --until-idle" in found.json()["script"]
    assert "mongodb://" not in found.out
    assert "#SBATCH" in cli("worker", "submit", "--queue", "slurm", "--dry-run").out


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["--queue", "lsf"], "known are slurm"),
        (["--queue", "slurm", "-n", "0"], "0 workers"),
        (["--queue", "slurm", "--walltime", "x"], "24:00:00"),
        ([], "--queue"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(cli: Callable[..., Any], database: str, argv: list[str], named: str) -> None:
    found = cli("worker", "submit", "--dry-run", *argv)
    assert found.code == 2
    assert named in found.err


def test_without_a_scheduler_it_says_where_to_submit(
    cli: Callable[..., Any], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    found = cli("worker", "submit", "--queue", "slurm")
    assert found.code == 2
    assert "login node" in found.err


def test_workers_that_listen_are_listed(cli: Callable[..., Any], database: str) -> None:
    from fermiloop.flows.processes.identity import worker_name
    from fermiloop.platform.store import workers

    none = cli("worker", "list")
    assert (none.code, cli("worker", "list", "--json").json()) == (0, [])
    assert "fermiloop worker run -n 2 starts two" in none.out
    workers.note(worker_name(), "node-7", 4711, "relax of NiPt")
    (row,) = cli("worker", "list", "--json").json()
    assert (row["id"], row["host"], row["pid"], row["doing"]) == (worker_name(), "node-7", 4711, "relax of NiPt")
    assert row["since"] <= row["last"]
    table = cli("worker", "list").out
    for word in ("1 worker ", "node-7", "4711", "relax of NiPt", "last activity"):
        assert word in table
    workers.forget(worker_name())
    assert cli("worker", "list", "--json").json() == []
