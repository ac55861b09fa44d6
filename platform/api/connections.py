"""Connections that end: time for headers, body and reading, a bound on how many, the slowest closed first.

uvicorn minds the pause between two requests and the size of headers; what it does not mind is here: a client that
sends half a request, or reads no answer, and one that opens connections without end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LINGER: Final = 2.0  # s that a closed connection may take to send what is left
ANSWER: Final = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: {n}\r\nConnection: close\r\n\r\n{said}"
)


@dataclass(frozen=True)
class Patience:
    """How long and how many.

    Parameters
    ----------
    head
        Seconds for the headers of a request, from its first byte or the opening of the connection.
    body
        Seconds for a body.
    look
        Seconds between two looks at a client that reads its answer slowly.
    rate
        Bytes a second that it must read at least.
    connections
        At the same time, of all clients.
    per_client
        Of one address.
    """

    head: float = 10.0
    body: float = 30.0
    look: float = 15.0
    rate: int = 2_000
    connections: int = 512
    per_client: int = 256


class PatientProtocol(H11Protocol):
    """uvicorn's protocol with those bounds."""

    patience = Patience()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; where there are too many, one that waits for its client is closed for it."""
        super().connection_made(transport)
        self._stage: tuple[str, int] = ("", 0)
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._unread = 0
        self._make_room()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        _cancel(self._timer, self._stall)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and mind the time of what they begin."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """An answer is whole: what comes next has its own time."""
        super().on_response_complete()
        self._look()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, though its client may read nothing."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(LINGER, self.transport.abort)

    def pause_writing(self) -> None:
        """The client reads slowly: mind how slowly."""
        super().pause_writing()
        self._mind_reading()

    def resume_writing(self) -> None:
        """It has read."""
        _cancel(self._stall)
        super().resume_writing()

    def stage(self) -> str:
        """What is waited for: ``idle``, ``head`` and ``body`` are the client's, ``answer`` is ours."""
        if self.conn.their_state is h11.SEND_BODY:
            return "body"
        if self.cycle is not None and not self.cycle.response_complete:
            return "answer"
        return "head" if self.conn.trailing_data[0] else "idle"

    def end(self, status: str, said: str) -> None:
        """Close the connection, with an answer where none has begun."""
        if not self.transport.is_closing():
            if self.cycle is None or not (self.cycle.response_started or self.cycle.response_complete):
                self.transport.write(ANSWER.format(status=status, n=len(said), said=said).encode())
            self.transport.close()
        self.loop.call_later(LINGER, self.transport.abort)

    def _look(self) -> None:
        """Set the time of a stage when it begins; more bytes of the same stage do not lengthen it."""
        stage = (self.stage(), id(self.cycle))
        if stage == self._stage:
            return
        self._stage = stage
        _cancel(self._timer)
        self._timer = None
        if stage[0] != "answer":
            seconds = self.patience.body if stage[0] == "body" else self.patience.head
            self._timer = self.loop.call_later(seconds, self._too_slow, stage[0], seconds)

    def _too_slow(self, stage: str, seconds: float) -> None:
        what = "body" if stage == "body" else "headers"
        self.end("408 Request Timeout", f"The {what} took longer than {seconds:g} s; send the request at once.\n")

    def _mind_reading(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(self.patience.look, self._is_read)

    def _is_read(self) -> None:
        if self._unread - self.transport.get_write_buffer_size() < self.patience.rate * self.patience.look:
            self.transport.abort()
        else:
            self._mind_reading()

    def _make_room(self) -> None:
        """Close the oldest connection that waits for its client; the new one itself where all are being answered."""
        open_ones = [one for one in self.connections if isinstance(one, PatientProtocol) and one.is_open()]
        address = self.client[0] if self.client else None
        same = [one for one in open_ones if one.client is not None and one.client[0] == address]
        if len(same) > self.patience.per_client:
            crowd = same
        elif len(open_ones) > self.patience.connections:
            crowd = open_ones
        else:
            return
        waiting = [one for one in crowd if one is not self and one.stage() != "answer"]
        slowest = min(waiting, key=lambda one: one.since, default=self)
        slowest.end("503 Service Unavailable", "Too many connections are open; close some and try again.\n")

    def is_open(self) -> bool:
        """Whether it has not been closed from here."""
        return self.transport is not None and not self.transport.is_closing()

    @property
    def since(self) -> float:
        """When what it waits for is over, on the loop's clock."""
        return self._timer.when() if self._timer is not None else 0.0


def protocol(patience: Patience) -> type[PatientProtocol]:
    """Class of connections with these bounds."""
    made: dict[str, Any] = {"patience": patience}
    return type("BoundedProtocol", (PatientProtocol,), made)


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer is not None:
            timer.cancel()
