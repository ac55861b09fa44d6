"""Who a worker is: never by host name and number alone, and never declared dead from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from fermiloop.flows.processes import identity
from fermiloop.flows.processes.identity import is_gone, parse, worker_name

ME = parse(worker_name())
assert ME is not None
SAY = "from fermiloop.flows.processes.identity import worker_name; print(worker_name())"


def another(*command: str) -> str:
    """Name of a process that has ended."""
    ran = subprocess.run([*command, sys.executable, "-c", SAY], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_a_name_is_one_process_and_fit_for_a_file() -> None:
    assert worker_name() == worker_name()
    assert parse(worker_name()) == ME
    assert (ME.pid, len(ME.unique)) == (os.getpid(), 16)
    assert not set("/: \n[]") & set(worker_name())
    assert len(worker_name()) < 200


def test_two_processes_have_two_names_and_the_ended_one_is_gone() -> None:
    first, second = another(), another()
    assert len({first, second, worker_name()}) == 3
    assert is_gone(first)
    assert not is_gone(worker_name())


def test_a_living_process_is_not_gone() -> None:
    waits = SAY.replace("print(worker_name())", "print(worker_name(), flush=True); input()")
    with subprocess.Popen(
        [sys.executable, "-c", waits],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        name = child.stdout.readline().strip()
        assert not is_gone(name)
        child.kill()
        child.wait()
        assert is_gone(name)


@pytest.mark.parametrize("pid", [ME.pid, 999_999_999], ids=["alive", "none"])  # ids may not hold the number
@pytest.mark.parametrize(
    "elsewhere",
    [
        {"host": "another-host"},
        {"boot": "0123456789abcdef"},
        {"space": "4026530000"},
        {"space": identity.UNKNOWN},
        {"boot": identity.UNKNOWN},
    ],
)
def test_a_process_of_elsewhere_is_never_looked_up(pid: int, elsewhere: dict[str, str]) -> None:
    there = replace(ME, pid=pid, start="1", unique="other", **elsewhere)
    assert not is_gone(there.name)


@pytest.mark.parametrize(("change", "gone"), [({"pid": 999_999_999}, True), ({"start": "1"}, True), ({}, True)])
def test_a_process_of_here_that_has_ended_is_gone(change: dict[str, object], gone: bool) -> None:
    assert is_gone(replace(ME, unique="other", **change).name) is gone


@pytest.mark.parametrize("name", ["", "me", "host~1~1", "host~x~1~a~b~c", "a~b", "host~1~1~a~b~c~d"])
def test_a_name_of_another_form_is_judged_by_its_heartbeat(name: str) -> None:
    assert parse(name) is None
    assert not is_gone(name)


def test_a_process_that_may_not_be_looked_at_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, _: int) -> None:
        raise PermissionError

    monkeypatch.setattr(identity.os, "kill", refuse)
    monkeypatch.setattr(identity, "start_of", lambda _: None)  # hidden, as by hidepid
    assert not is_gone(replace(ME, pid=1, start="5", unique="other").name)


def test_a_container_of_the_same_name_is_another_place() -> None:
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--uts"]
    try:
        if subprocess.run([*unshare, "true"], capture_output=True, timeout=20).returncode:
            pytest.skip("namespaces are not allowed here")
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    first, second = (parse(another(*unshare)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first.host, first.boot) == (second.host, second.boot) == (ME.host, ME.boot)
    assert first.pid == second.pid == 1
    assert ME.space not in (first.space, second.space)
    assert not is_gone(first.name)
    hidden = parse(another("unshare", "--pid", "--fork"))  # sees the processes of the outer namespace
    assert hidden is not None
    assert hidden.start == ""
