"""``fermiloop serve`` as a process, and ``fermiloop token``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from fermiloop.platform.cli import serve
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import connection, tokens
from fermiloop.schemas.vocabulary import Role

ROOT = Path(__file__).parents[3]


def start(*options: str) -> tuple[subprocess.Popen[str], str]:
    """A server and its address."""
    command = [sys.executable, "-W", "ignore", "-m", "fermiloop.platform.cli.main", "serve", "--port", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / ".src")},
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Serving at http://127.0.0.1:"), line
    return process, line.split()[2].rstrip("/")


@pytest.mark.usefixtures("database")
def test_it_serves_until_a_signal_and_ends_well() -> None:
    process, address = start()
    text = tokens.create("laptop", Role.LAUNCH)
    try:
        got = httpx.get(f"{address}/api/campaigns?", headers={"Authorization": f"Bearer {text}"}, timeout=30)
        assert (got.status_code, got.json()) == (200, {"data": []})
        assert httpx.get(f"{address}/api/openapi.json").json()["info"]["title"] == "fermiloop REST API"
        assert httpx.get(f"{address}/api/materials?formula=Pd&secret=1").status_code == 422
        assert httpx.post(f"{address}/api/campaigns", content=b"{}").status_code == 401
        bad = httpx.post(
            f"{address}/api/campaigns", content=b"{name: x}",
            headers={"Authorization": f"Bearer {text}", "Content-Type": "application/yaml"},
        )  # fmt: skip
        assert bad.status_code == 422, bad.text
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)  # how soon is the machine's affair; connections must not hold it
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "GET /api/materials 422" in err
    assert "secret" not in err
    assert text not in err
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_told_in_a_sentence(cli: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = cli("serve", "--port", str(taken.getsockname()[1]))
    assert outcome.code == 2
    assert outcome.out == ""
    assert "choose another by --port" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_missing_extra_is_told_in_a_sentence(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "NEEDED", ("no_such_package",))
    outcome = cli("serve")
    assert (outcome.code, outcome.err.strip()) == (2, serve.INSTALL)


@pytest.mark.parametrize("origin", ["*", "lab.example", "ftp://lab", "https://lab/path", "https://*"])
def test_what_is_no_origin(cli: Callable[..., Any], origin: str) -> None:
    outcome = cli("serve", "--cors-origin", origin)
    assert outcome.code == 2
    assert "is no origin" in outcome.err


@pytest.mark.parametrize("name", ["*", "http://lab.example.org", "a b"])
def test_what_is_no_name_of_a_host(cli: Callable[..., Any], name: str) -> None:
    outcome = cli("serve", "--allowed-host", name)
    assert outcome.code == 2
    assert "is no name of a host" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.usefixtures("database")
def test_it_answers_to_its_own_names_alone() -> None:
    process, address = start("--allowed-host", "lab.example.org")
    try:
        for host, status in (("lab.example.org", 200), ("localhost", 200), ("evil.example", 400)):
            assert httpx.get(f"{address}/api/", headers={"Host": host}, timeout=30).status_code == status
            assert httpx.get(f"{address}/", headers={"Host": host}, timeout=30).status_code == status
    finally:
        process.kill()
        process.communicate()


def test_an_address_that_is_none() -> None:
    with pytest.raises(InputError, match="--host"):
        serve.bind("no.such.host.invalid", 0)
    with pytest.raises(InputError, match="--host"):
        serve.bind("192.0.2.1", 0)


@pytest.mark.usefixtures("database")
def test_a_token_is_made_listed_and_revoked(cli: Callable[..., Any]) -> None:
    made = cli("token", "create", "laptop", "--role", "launch", "--days", "30")
    text = made.out.strip()
    assert made.code == 0
    assert tokens.role_of(text) is Role.LAUNCH
    (row,) = cli("token", "list", "--json").json()
    assert (row["name"], row["role"], row["state"]) == ("laptop", "launch", "valid")
    assert text.rpartition("_")[2] not in str(row) + cli("token", "list").out
    assert cli("token", "revoke", "laptop").out == "laptop is revoked.\n"
    assert tokens.role_of(text) is None
    assert cli("token", "create", "x", "--role", "root").code == 2
    assert cli("token", "revoke", "nobody").code == 2
    assert connection.database()["tokens"].count_documents({}) == 1
