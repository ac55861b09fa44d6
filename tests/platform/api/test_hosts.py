"""Names that a server answers to."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fermiloop.platform.api import hosts
from fermiloop.platform.cli import serve
from fermiloop.platform.errors import InputError

OURS = ("localhost", "localhost:8000", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000",
        "[0:0:0:0:0:0:0:1]:80")  # fmt: skip
OTHERS = (
    "evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "evil.localhost.example",
    "10.0.0.7", "[::2]", "", "localhost evil", "localhost:", "localhost:8000:1", "localhost:x", "[::1", "::1]",
    "user@localhost", "localhost/", "127.0.0.1@evil", "0x7f000001", "2130706433", "127.1", "\x7f", "lócalhost",
)  # fmt: skip


def client(**how: Any) -> TestClient:
    return TestClient(serve.application(serve.Serving(**how)), raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/", "/api/", "/optimade/info", "/assets/x", "/_dash-layout", "/nothing"])
def test_a_name_of_another_site_reads_nothing(path: str, database: str) -> None:
    with client() as web:
        for host in OTHERS:
            answer = web.get(path, headers={"Host": host.encode("latin-1")})
            assert (answer.status_code, answer.text) == (400, hosts.SENTENCE), host


def test_the_local_names_are_answered(database: str) -> None:
    with client() as web:
        for host in OURS:
            assert web.get("/api/", headers={"Host": host}).status_code == 200, host
        assert web.post("/api/campaigns", headers={"Host": "evil.example"}).status_code == 400


def test_what_host_and_allowed_host_name_is_answered(database: str) -> None:
    with client(host="lab.example.org", allowed_hosts=("Proxy.example.org.", "10.1.2.3")) as web:
        for host in ("lab.example.org", "proxy.example.org:443", "10.1.2.3", "localhost"):
            assert web.get("/api/", headers={"Host": host}).status_code == 200, host
        assert web.get("/api/", headers={"Host": "example.org"}).status_code == 400


def test_a_server_for_all_addresses_knows_its_own_name_and_the_address_it_was_reached_by(database: str) -> None:
    own = socket.gethostname().lower()
    assert own in hosts.names("0.0.0.0")
    assert own not in hosts.names("127.0.0.1")
    app = hosts.AllowedHosts(None, hosts.names("0.0.0.0"))  # type: ignore[arg-type]
    scope = {"type": "http", "headers": [(b"host", b"192.0.2.7:8000")], "server": ("192.0.2.7", 8000)}
    assert app._is_ours(scope)
    assert not app._is_ours({**scope, "server": ("192.0.2.8", 8000)})
    assert not app._is_ours({**scope, "headers": []})
    assert not app._is_ours({**scope, "headers": [(b"host", b"localhost")] * 2})


@pytest.mark.parametrize("name", ["", "*", "http://x", "a b", "x/y", "x:80", "*.example.org"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no name of a host"):
        hosts.names("127.0.0.1", [name])
