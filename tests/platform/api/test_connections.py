"""Slow clients on a real server: pages and API answer meanwhile, and whoever dawdles is closed."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from fermiloop.platform.api.connections import Patience
from fermiloop.platform.cli import serve

PATIENCE = Patience(head=1.5, body=2.5, look=1.0, rate=20_000, connections=150, per_client=100)
PAGES_BODY = b"POST /_dash-update-component HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
API_BODY = b"POST /api/dos/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LAUNCH = b"POST /api/campaigns HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/yaml\r\n"
SLOW = {
    "says nothing": b"",
    "half a line": b"GET / HT",
    "half the headers": b"GET /api/campaigns HTTP/1.1\r\nHost: localhost\r\nA: b",
    "half a body for the pages": PAGES_BODY + b"Content-Length: 1000\r\n\r\n{",
    "chunks for the pages": PAGES_BODY + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    "half a body for the API": API_BODY + b"Content-Length: 1000\r\n\r\n{",
}
PERIODS = 6  # s after which everybody slow must be gone


class Drip:
    """A client that has sent a part of a request, and sends a byte now and then."""

    def __init__(self, port: int, begin: bytes) -> None:
        self.line = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.begin = begin
        self.line.sendall(begin)

    def drip(self) -> None:
        """One byte more of what it was sending."""
        try:
            if self.begin:
                self.line.send(b"1\r\na\r\n" if b"chunked" in self.begin else b"a")
        except OSError:
            pass

    def told(self) -> bytes | None:
        """What the server said once it has closed the connection; None where it has not."""
        self.line.settimeout(0.02)
        said = b""
        try:
            while piece := self.line.recv(4096):
                said += piece
        except TimeoutError:
            return None
        except OSError:
            pass
        return said


Port = Callable[..., int]


@pytest.fixture
def port(world: Any) -> Iterator[Port]:
    """Maker of servers of everything, each on a port of its own."""
    running = []

    def make(patience: Patience = PATIENCE) -> int:
        listening = serve.bind("127.0.0.1", 0)
        server = serve.server(serve.application(serve.Serving()), patience)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((server, thread, listening))
        return int(listening.getsockname()[1])

    yield make
    for server, thread, listening in running:
        server.should_exit = True
        thread.join(15)
        listening.close()
        assert not thread.is_alive()


def seconds_of(address: str) -> float:
    begun = time.monotonic()
    assert httpx.get(address, timeout=10).status_code == 200, address
    return time.monotonic() - begun


def test_sixty_slow_clients_hold_nobody_up_and_are_closed(port: Port) -> None:
    number = port()
    for path in ("/", "/api/campaigns"):
        seconds_of(f"http://127.0.0.1:{number}{path}")  # imports are paid for
    slow = [Drip(number, begin) for begin in SLOW.values() for _ in range(10)]
    assert len(slow) == 60
    begun, took, told = time.monotonic(), [], [None] * len(slow)
    while time.monotonic() - begun < PERIODS and not all(one is not None for one in told):
        took += [seconds_of(f"http://127.0.0.1:{number}{path}") for path in ("/", "/api/campaigns", "/_dash-layout")]
        for place, one in enumerate(slow):
            if told[place] is None:
                one.drip()
                told[place] = one.told()
    assert all(one is not None for one in told), Counter(dict(zip(SLOW, told[::10], strict=True)))
    assert all(b" 408 " in one for one in told if one), set(told)
    assert sum(b"took longer than" in one for one in told) >= 50
    assert max(took) < 1.0, took
    for one in slow:
        one.line.close()


def test_who_does_not_read_the_answer_is_closed_and_a_slow_reader_is_not(port: Port) -> None:
    number = port()
    bundle = "/_dash-component-suites/plotly/package_data/plotly.min.js"
    ask = f"GET {bundle} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    size = len(httpx.get(f"http://127.0.0.1:{number}{bundle}").content)
    assert size > 3_000_000  # more than all buffers between the two
    deaf = [Drip(number, ask) for _ in range(20)]
    reader = Drip(number, ask)
    got, begun = 0, time.monotonic()
    while got < size and time.monotonic() - begun < 90:  # a receive may give a few kB of what is asked for
        got += len(reader.line.recv(131_072))
        time.sleep(0.05)
    assert got >= size
    assert seconds_of(f"http://127.0.0.1:{number}/") < 1.0
    time.sleep(2 * PATIENCE.look)
    for one in deaf:
        rest = one.told()
        assert rest is not None
        assert len(rest) < size
    for one in (*deaf, reader):
        one.line.close()


def test_more_connections_than_are_allowed_close_the_slowest_and_nobody_else(port: Port) -> None:
    number = port(Patience(head=30, body=30, connections=50, per_client=40))
    with httpx.Client() as browser:
        held = [Drip(number, b"GET / HT") for _ in range(200)]
        for _ in range(3):
            assert browser.get(f"http://127.0.0.1:{number}/api/campaigns").status_code == 200
    began, told = time.monotonic(), [one.told() for one in held]
    while told[:150].count(None) and time.monotonic() - began < 20:  # a busy machine closes them when it comes to it
        told = [said if said is not None else one.told() for said, one in zip(told, held, strict=True)]
    assert sum(one is None for one in told) <= 40
    assert told[:150].count(None) == 0
    # a connection that is reset before its client has read loses what was said
    assert all(b" 503 " in one for one in told[:150] if one)
    assert any(told[:150])
    for one in held:
        one.line.close()


def test_a_client_that_hangs_up_is_no_failure(port: Port, caplog: pytest.LogCaptureFixture, world: Any) -> None:
    number = port()
    from fermiloop.schemas.vocabulary import Role

    token = f"Authorization: Bearer {world.tokens[Role.LAUNCH]}\r\n".encode()
    begins = [
        LAUNCH + token + b"Content-Length: 1000\r\n\r\nname: x",
        API_BODY + b"Content-Length: 1000\r\n\r\n{",
        PAGES_BODY + b"Content-Length: 1000\r\n\r\n{",
        PAGES_BODY + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/campaigns/pd-like/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    with caplog.at_level(logging.INFO):
        for begin in begins:
            line = Drip(number, begin).line
            time.sleep(0.1)
            line.close()
        time.sleep(0.5)
        assert seconds_of(f"http://127.0.0.1:{number}/api/campaigns") < 1.0
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], caplog.text
    assert "unexpected" not in caplog.text
    assert "POST /api/campaigns 499" in caplog.text


def test_a_body_that_is_too_large_is_refused_before_it_is_whole(port: Port) -> None:
    number = port()
    body = Drip(number, PAGES_BODY + b"Content-Length: 50000000\r\n\r\n" + b"a" * 4_100_000)
    assert body.line.recv(100).startswith(b"HTTP/1.1 413")
    body.line.close()


def test_requests_one_after_the_other_on_one_connection_have_each_their_time(port: Port) -> None:
    number = port()
    with socket.create_connection(("127.0.0.1", number), timeout=5) as line:
        for _ in range(4):
            time.sleep(0.6)  # more than `head` in all
            line.sendall(b"GET /api/campaigns HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        line.sendall(b"GET /api/campaigns HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3 + b"GET /api")
        begun, got = time.monotonic(), b""
        while piece := line.recv(65_536):
            got += piece
        assert got.count(b"HTTP/1.1 200") == 3
        assert time.monotonic() - begun < 2 * PATIENCE.head
