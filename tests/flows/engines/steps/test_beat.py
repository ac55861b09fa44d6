"""A child at work is waited for where files have no locks, and one that was killed is not waited for in vain."""

from __future__ import annotations

import errno
import fcntl
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.steps import beat, isolation
from fermiloop.flows.processes.heartbeat import Watch
from fermiloop.flows.processes.identity import parse, worker_name
from fermiloop.platform.settings import settings

HERE = parse(worker_name())
assert HERE is not None
DEAD = replace(HERE, pid=999_999_999, unique="dead").name
ELSEWHERE = replace(HERE, space="1", unique="elsewhere").name
AL = Structure(Lattice.cubic(4.05), ["Al"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "SECONDS", 0.05)
    monkeypatch.setattr(beat, "LOOK", 0.02)


def never(_: Path) -> bool:
    return False


def test_a_folder_without_a_beat_is_free(tmp_path: Path) -> None:
    beat.wait_for_others(tmp_path, never)
    (tmp_path / beat.FILE).write_text("{half")
    beat.wait_for_others(tmp_path, never)
    (tmp_path / beat.FILE).write_text(json.dumps({"by": DEAD, "beat": 7}))
    beat.wait_for_others(tmp_path, never)


def test_who_beats_is_waited_for_and_leaves_nothing(tmp_path: Path) -> None:
    began = time.monotonic()

    def work() -> None:
        with beat.beating(tmp_path):
            time.sleep(0.6)

    thread = threading.Thread(target=work)
    thread.start()
    while not (tmp_path / beat.FILE).exists():
        time.sleep(0.01)
    beat.wait_for_others(tmp_path, never)
    assert time.monotonic() - began >= 0.6
    thread.join()
    assert list(tmp_path.iterdir()) == []


def test_who_has_stopped_beating_elsewhere_is_waited_for_no_longer(tmp_path: Path) -> None:
    (tmp_path / beat.FILE).write_text(json.dumps({"by": ELSEWHERE, "beat": 7}))
    moments = iter(range(0, 1000, 20))
    beat.wait_for_others(tmp_path, never, Watch(lambda: next(moments)))
    assert next(moments) > beat.SILENT


def test_an_output_ends_the_waiting(tmp_path: Path) -> None:
    (tmp_path / beat.FILE).write_text(json.dumps({"by": ELSEWHERE, "beat": 7}))
    beat.wait_for_others(tmp_path, lambda _: True)


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder whose files cannot be locked, as on some parallel file systems: here and in children."""

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import errno, fcntl\n"
        "def refuse(*_):\n    raise OSError(errno.ENOSYS, 'Function not implemented')\n"
        "fcntl.flock = refuse\n"
    )
    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.syspath_prepend(str(hook))
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_without_locks_a_step_is_paid_once(no_locks: Path) -> None:
    task = {"kind": "analytic_relax", "structure": AL.as_dict(), "fmax": 0.05, "steps": 200, "sleep": 2}
    found: list[Any] = []
    first = threading.Thread(target=lambda: found.append(isolation.run("calc-a", "relax", task, 60)))
    first.start()
    folder = isolation.step_folder("calc-a", "relax")
    while not (folder / beat.FILE).exists():
        time.sleep(0.01)
    found.append(isolation.run("calc-a", "relax", task, 60))
    first.join()
    assert found[0] == found[1]
    assert isolation.attempts("calc-a") == 1
    assert not (folder / beat.FILE).exists()
