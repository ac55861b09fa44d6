"""Pages on threads that no client can hold: the body is whole before one is taken, the answer before it is sent."""

from __future__ import annotations

import asyncio
import contextvars
import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from a2wsgi.wsgi import build_environ
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

THREADS: Final = 10
MOST_BYTES: Final = 4_000_000  # of a body
MOST_HELD: Final = 64_000_000  # bytes of all bodies that are being read
PIECE: Final = 65_536  # bytes of an answer sent at a time


@dataclass
class Answer:
    """What a WSGI application answered."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class RefusedError(Exception):
    """A body that is not taken: status and sentence."""


class WholeRequests:
    """ASGI application of a WSGI one.

    Parameters
    ----------
    app
        The WSGI application; its answers must be finite, for they are held in memory.
    most, held
        Bytes of one body, and of all that are read at the same time.
    """

    def __init__(
        self, app: Callable[..., Iterable[bytes]], *, most: int = MOST_BYTES, held: int = MOST_HELD,
        threads: int = THREADS,
    ) -> None:  # fmt: skip
        self.app, self.most, self.held = app, most, held
        self._holds = 0
        self._threads = ThreadPoolExecutor(threads, "pages")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = bytearray()
        try:
            if not await self._read(body, receive):
                return  # the client hung up: nobody is there to be answered
        except RefusedError as refused:
            status, sentence = refused.args
            await PlainTextResponse(sentence, status, headers={"Connection": "close"})(scope, receive, send)
            return
        finally:
            self._holds -= len(body)
        environ = _environ(scope, bytes(body))
        context, loop = contextvars.copy_context(), asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, context.run, self._call, environ)
        await _send(answer, send)

    async def _read(self, body: bytearray, receive: Receive) -> bool:
        """Read a body; whether it came to its end."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            piece = message.get("body", b"")
            body += piece
            self._holds += len(piece)
            if len(body) > self.most:
                raise RefusedError(413, f"The body is larger than {self.most} bytes; send less.\n")
            if self._holds > self.held:
                raise RefusedError(503, "Too many requests are being read; try again in a moment.\n")
            if not message.get("more_body", False):
                return True

    def _call(self, environ: dict[str, Any]) -> Answer:
        answer = Answer()

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
            answer.status = int(status.partition(" ")[0])
            answer.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            return written.append

        written: list[bytes] = []
        pieces = self.app(environ, start)
        try:
            written.extend(pieces)
        finally:
            getattr(pieces, "close", lambda: None)()
        answer.body = b"".join(written)
        return answer


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """WSGI's form of a request whose body is there, however it came."""
    environ: dict[str, Any] = dict(build_environ(scope, io.BytesIO(body)))
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


async def _send(answer: Answer, send: Send) -> None:
    """Send piece by piece, so that what a slow client has not read lies here once and not in the socket too."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    for begin in range(0, len(answer.body), PIECE):
        piece = answer.body[begin : begin + PIECE]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
