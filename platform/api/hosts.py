"""Which names a server answers to.

A page of another site can have its own name point to 127.0.0.1 (DNS rebinding) and read what a local server shows;
the browser still sends that name as ``Host``, so a server that answers to its own names alone is not read.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")
SENTENCE: Final = "This server does not answer to the name in the header Host; start it with --allowed-host NAME.\n"


def names(host: str, more: Iterable[str] = ()) -> frozenset[str]:
    """Names that a server on an address answers to: the local ones, its own, and `more`.

    Raises
    ------
    InputError
        If one of `more` is no name of a host.
    """
    found = set(LOCAL)
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        found |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    else:
        found.add(_plain(host))
    for text in more:
        name = _plain(text)
        if not NAME.fullmatch(name) and not _is_address(name):
            raise InputError(f"{text!r} is no name of a host; write it alone, such as lab.example.org.")
        found.add(name)
    return frozenset(found)


class AllowedHosts:
    """Refuses requests, of every kind, for a host that is not of `names`, nor the address they came in by."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan" or self._is_ours(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(SENTENCE, 400)(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            return False
        found = HOST.fullmatch(given[0].decode("latin-1").lower())
        if found is None:
            return False
        name = _plain(found.group(1))
        return name in self.names or (_is_address(name) and name == (scope.get("server") or ("",))[0])


def _plain(text: str) -> str:
    """A host as it is compared: in lower case, without brackets and the dot at its end."""
    name = text.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")
    return str(ipaddress.ip_address(name)) if _is_address(name) else name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
