"""Middleware: bodies end, answers bear security headers, every request is logged without its parameters."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.api.problems import HUNG_UP, Refusal, answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

access = logging.getLogger("fermiloop.access")

MOST_HEADER_BYTES: Final = 32_768
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class BoundedBody:
    """Refuses headers that are too large, and bodies: by their declared length or, in chunks, by their bytes."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            await answer(431, f"The headers are larger than {MOST_HEADER_BYTES} bytes; send less.")(
                scope, receive, send
            )
            return
        too_large = f"The body is larger than {self.most} bytes; send less."
        lengths = [value for name, value in scope["headers"] if name.lower() == b"content-length"]
        if any(not value.isdigit() for value in lengths):
            await answer(400, "The header Content-Length holds no number; correct it.")(scope, receive, send)
            return
        if any(int(value[:20]) > self.most for value in lengths):
            await answer(413, too_large, {"Connection": "close"})(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise Refusal(413, too_large, {"Connection": "close"})
            return message

        await self.app(scope, counted, send)


class SecurityHeaders:
    """Adds the headers of an API to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in self.headers if one[0] not in given)]
            await send(message)

        await self.app(scope, receive, with_headers)


class AccessLog:
    """One line a request: method, path, status, milliseconds. No parameters and no headers, which may hold secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), HUNG_UP

        async def noted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except BaseException:
            status = 500 if status == HUNG_UP else status
            raise
        finally:
            # raw_path is as it came, percent-encoded: nothing in it can break the line
            path = scope.get("raw_path", b"").partition(b"?")[0].decode("ascii", "replace")[:200]
            spent = 1000 * (time.perf_counter() - begun)
            access.info("%s %s %d %.0f ms", scope["method"], path, status, spent)
