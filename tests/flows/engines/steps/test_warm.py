"""Warm children for real: whatever becomes of one, of its server or of its worker, ends that alone and is paid once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from killing import kill, outcomes, wait_for
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.steps import children, fork_server, isolation, orphans, warm, wishes
from fermiloop.platform.errors import EngineError
from fermiloop.platform.settings import settings

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are forked on Linux alone")
AL = Structure(Lattice.cubic(4.05), ["Al"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
WORKER = (
    "import json, signal, sys\nfrom fermiloop.flows.engines.steps import isolation\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs are begun without
    "isolation.run('calc', 'relax', json.loads(sys.argv[1]), 60)"
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same for all tests here, so that they share a server until they end it."""
    folder = tmp_path_factory.mktemp("home")
    return {**children.environment(), "FERMILOOP_DATA_DIR": str(folder), "HOME": str(folder)}


@pytest.fixture(autouse=True)
def folder(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of the one step; nothing works there when a test has ended."""
    monkeypatch.setattr(children, "environment", lambda: environment)
    found = isolation.step_folder("calc", "relax")
    yield found
    wait_for(lambda: not orphans.working_in(found), 20)  # a child that was adopted may be in the middle of its exit


def task(**more: Any) -> dict[str, Any]:
    return {"kind": "analytic_relax", "structure": AL.as_dict(), "fmax": 0.05, "steps": 200, **more}


def run(limit: float = 60, **more: Any) -> dict[str, Any]:
    return isolation.run("calc", "relax", task(**more), limit)


def begun(folder: Path) -> int:
    """Process id of the child at work."""
    return int(wait_for(lambda: (folder / "alive.json").exists() and orphans.working_in(folder))[0])


def server() -> int:
    found = warm.server()
    assert found is not None
    return found


def is_there(pid: int) -> bool:
    return bool(orphans.looked_up(pid)[0])


def in_background(**more: Any) -> Callable[[], Any]:
    """Run a step in a thread; what came of it, once it is asked for."""
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(run(**more))
        except EngineError as error:
            found.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()

    def answer() -> Any:
        thread.join(60)
        return found[0]

    return answer


@pytest.mark.parametrize(
    ("more", "limit", "words", "outcome"),
    [
        ({"fail": "crash"}, 60, "SIGABRT", "killed"),
        ({"fail": "segfault"}, 60, "SIGSEGV", "killed"),
        ({"fail": "memory"}, 60, "MemoryError", "failed"),
        ({"sleep": 60}, 1, "ran out of its 1 s", "out of time"),
    ],
)
def test_what_goes_wrong_ends_the_child_alone(
    more: dict[str, Any], limit: float, words: str, outcome: str, folder: Path
) -> None:
    run()
    before = server()
    (folder / isolation.OUTPUT).unlink()
    with pytest.raises(EngineError, match=words):
        run(limit, **more)
    assert outcomes(folder) == ["done", outcome]
    assert run()["converged"]
    assert server() == before


def test_a_child_that_is_killed_as_for_want_of_memory(folder: Path) -> None:
    answer = in_background(sleep=60)
    kill(begun(folder))
    assert "perhaps for lack of memory" in answer()
    assert outcomes(folder) == ["killed"]
    assert is_there(server())


def test_a_server_that_is_killed_leaves_its_child_at_work_and_is_replaced(folder: Path) -> None:
    answer = in_background(sleep=1)
    begun(folder)
    before = server()
    kill(before)
    assert answer()["converged"]
    assert outcomes(folder) == ["done"]
    (folder / isolation.OUTPUT).unlink()
    assert run()["converged"]
    assert server() != before


def test_a_server_and_its_child_that_are_killed_are_a_failure_with_its_cost(folder: Path) -> None:
    answer = in_background(sleep=60)
    child = begun(folder)
    kill(server())
    kill(child)
    assert "was killed" in answer()
    assert outcomes(folder) == ["killed"]


def test_a_step_that_is_told_to_stop_ends_its_child(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()
    monkeypatch.setattr(wishes, "EVERY", 0.05)
    monkeypatch.setattr(wishes, "_asked", lambda _: "the campaign was cancelled" if told.is_set() else None)
    answer = in_background(sleep=60)
    child = begun(folder)
    told.set()
    assert "stopped: the campaign was cancelled" in answer()
    assert outcomes(folder) == ["stopped"]
    assert not is_there(child)


@pytest.fixture(params=[2.0])
def worker(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs the step, which lasts so many seconds."""
    data = {"FERMILOOP_DATA_DIR": str(settings().data_dir)}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, json.dumps(task(sleep=request.param))],
        env={**environment, **data},
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.kill()
    process.wait()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_worker_that_is_killed_leaves_its_child_and_nothing_is_paid_twice(
    worker: subprocess.Popen[bytes], folder: Path
) -> None:
    child = begun(folder)
    its_server = parent_of(child)
    assert parent_of(its_server) == worker.pid
    assert os.getsid(child) == child
    kill(worker)
    wait_for(lambda: not is_there(its_server), 20)
    assert is_there(child)
    assert run()["converged"]
    assert outcomes(folder) == ["done"]


@pytest.mark.parametrize("worker", [60.0], indirect=True)
def test_a_worker_that_is_interrupted_takes_child_and_server_with_it(
    worker: subprocess.Popen[bytes], folder: Path
) -> None:
    child = begun(folder)
    its_server = parent_of(child)
    worker.send_signal(signal.SIGINT)
    worker.wait(30)
    assert outcomes(folder) == ["stopped"]
    wait_for(lambda: not is_there(child) and not is_there(its_server), 20)


def test_a_child_begun_in_the_moment_of_an_interrupt_is_ended_and_noted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        wait_for(lambda: orphans.working_in(folder))
        raise KeyboardInterrupt

    monkeypatch.setattr(warm, "_first_word", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(sleep=60)
    assert orphans.working_in(folder) == []
    assert outcomes(folder) == ["stopped"]


def test_what_a_child_had_cost_before_its_second_worker_was_interrupted_is_noted(
    worker: subprocess.Popen[bytes], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = begun(folder)
    kill(worker)
    wait_for(lambda: orphans.looked_up(child)[1] > 0)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(isolation, "held", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run()
    ((spent, outcome),) = isolation.ledger(folder)
    assert outcome == "stopped"
    assert spent > 0


def test_two_steps_at_once_are_two_children(folder: Path) -> None:
    other = isolation.step_folder("calc", "other")
    answer = in_background(sleep=0.5)
    begun(folder)
    assert isolation.run("calc", "other", task(sleep=0.5), 60)["converged"]
    assert answer()["converged"]
    assert outcomes(folder) == outcomes(other) == ["done"]


def test_a_server_that_has_grown_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "GROWTH", -1)
    run()
    before = server()
    (folder / isolation.OUTPUT).unlink()
    run()
    assert server() != before
    assert not is_there(before)


def test_children_of_another_environment_are_another_server_s(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    before = server()
    monkeypatch.setattr(children, "environment", lambda: {**environment, "ANOTHER": "1"})
    isolation.run("calc", "other", task(), 60)
    assert server() != before
    assert b"ANOTHER=1" in Path(f"/proc/{server()}/environ").read_bytes()


def test_what_cannot_be_imported_or_is_not_known_gets_a_fresh_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert warm.start(folder, "gpaw_static") is None
    monkeypatch.setitem(warm.NEEDS, "analytic_relax", ("no_such_module",))
    assert run()["converged"]
    assert outcomes(folder) == ["done"]


def test_a_process_with_threads_is_not_forked() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    assert "threads" in str(fork_server.unfit(()))
    over.set()
    thread.join()


def test_no_account_reaches_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", "mongodb://me:secret@nowhere")
    assert "secret" not in str(children.environment())
