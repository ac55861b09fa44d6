"""A real server: events of a campaign, bodies in chunks, requests that no client library would send."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from fermiloop.platform.api.app import create_app
from fermiloop.platform.api.bounds import AccessLog
from fermiloop.platform.api.work import Limits
from fermiloop.platform.cli import serve
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.vocabulary import CampaignState, Role, Stage

LIMITS = Limits(poll_seconds=0.05, heartbeat_seconds=0.2, streams=2, body_bytes=50_000)


@pytest.fixture
def address(world: Any) -> Iterator[str]:
    """A server on a port of its own."""
    listening = serve.bind("127.0.0.1", 0)
    server = serve.server(AccessLog(create_app(limits=LIMITS)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()
    assert not thread.is_alive()


def follow(address: str, told: list[tuple[str, Any]], lines: list[str], opened: threading.Event) -> None:
    with httpx.stream("GET", f"{address}/campaigns/pd-like/events", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        opened.set()
        event = ""
        for line in answer.iter_lines():
            lines.append(line)
            if line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:"):
                told.append((event, json.loads(line[5:])))


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 8
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_events_tell_what_changed_and_end_with_the_campaign(address: str, world: Any) -> None:
    told: list[tuple[str, Any]] = []
    lines: list[str] = []
    opened = threading.Event()
    reader = threading.Thread(target=follow, args=(address, told, lines, opened))
    reader.start()
    until(lambda: len(told) == 1)
    candidates.update(world.candidates[1], stage=Stage.PASSED)
    until(lambda: len(told) == 2)
    until(lambda: any(line.startswith(": ping") for line in lines))
    campaigns.set_state("pd-like", CampaignState.FINISHED, "the budget is spent")
    reader.join(8)
    assert not reader.is_alive()
    assert told[0][1]["candidates"] == {"proposed": 3, "evaluated": 1}
    assert told[1][1]["candidates"] == {"proposed": 2, "passed": 1, "evaluated": 1}
    assert [event for event, _ in told] == ["progress", "progress", "progress", "end"]
    assert told[-1][1] == {"name": "pd-like", "state": "finished"}


def test_only_so_many_may_follow(address: str) -> None:
    with (
        httpx.stream("GET", f"{address}/campaigns/pd-like/events") as first,
        httpx.stream("GET", f"{address}/campaigns/pd-like/events") as second,
    ):
        lines = [one.iter_lines() for one in (first, second)]  # kept: a reader that is let go hangs up
        assert all(next(one) for one in lines)
        with httpx.stream("GET", f"{address}/campaigns/pd-like/events") as third:
            assert third.status_code == 503
    until(lambda: httpx.get(f"{address}/campaigns").status_code == 200)


def test_a_body_in_chunks_is_bounded(address: str, world: Any) -> None:
    def chunks(n: int) -> Iterator[bytes]:
        yield from (b"#" * 1000 + b"\n" for _ in range(n))

    for path, role in (("/dos/search", None), ("/campaigns", Role.LAUNCH)):
        headers = {"Content-Type": "application/json", **(world.bearer(role) if role else {})}
        answer = httpx.post(f"{address}{path}", content=chunks(200), headers=headers)
        assert answer.status_code == 413, answer.text
        assert "larger than 50000 bytes" in answer.json()["error"]
        assert httpx.post(f"{address}{path}", content=chunks(2), headers=headers).status_code in (400, 422)


RAW = (
    b"GET /campaigns HTTP/1.1\r\n\r\n",
    b"GET /campaigns\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50 + b"\r\n\r\n",
    b"GET /campaigns HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    b"GET /campaigns HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /dos/search HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"POST /dos/search HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello",
    b"POST /dos/search HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n",
    b"POST /dos/search HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n",
    b"POST /dos/search HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /campaigns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    b"GET /campaigns/%0d%0aX:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\0\0\0\0\r\n\r\n",
)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_no_raw_request_is_answered_by_anything_but_a_4xx(address: str) -> None:
    port = int(address.rpartition(":")[2])
    for request in RAW:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(request)
            status = line.recv(4096).split(b"\r\n")[0]
        assert status.startswith(b"HTTP/1.1 4"), (request[:80], status)
    assert httpx.get(f"{address}/campaigns").status_code == 200


def test_the_log_holds_no_parameter_and_no_token(address: str, world: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="fermiloop.access"):
        httpx.get(f"{address}/candidates?formula=NiAl", headers=world.bearer(Role.ADMIN))
        httpx.get(f"{address}/campaigns/%0d%0aforged?token={world.tokens[Role.ADMIN]}")
        until(lambda: len(caplog.records) == 2)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("GET /candidates 200 ")
    assert second.startswith("GET /campaigns/%0d%0aforged 422 ")
    assert "fermiloop_" not in caplog.text
    assert "NiAl" not in caplog.text
