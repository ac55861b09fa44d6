"""``fermiloop serve``: pages at ``/``, REST at ``/api``, OPTIMADE at ``/optimade``, in one process.

What is served is one literal table.
"""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.cli.output import print_line
from fermiloop.platform.errors import InputError, UserError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from fermiloop.platform.api.connections import Patience

INSTALL: Final = "fermiloop serve needs more packages; run pip install '.[server]' in fermiloop's folder."
NEEDED: Final = ("uvicorn", "starlette", "fastapi", "sse_starlette", "a2wsgi")
GRACE_SECONDS: Final = 5  # that a stop waits for answers under way


@dataclass(frozen=True)
class Serving:
    """What the parts are made of."""

    open_reads: bool = True
    cors_origins: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    allowed_hosts: tuple[str, ...] = ()


def serve(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; this machine alone by default.")] = (
        "127.0.0.1"
    ),
    show: Annotated[bool, typer.Option("--open", help="Open the pages in the browser.")] = False,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option("--cors-origin", help="Site whose pages may call the REST API from a browser; repeatable."),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", help="Further name that this server is reached by; repeatable."),
    ] = None,
) -> None:
    """Serve pages, REST and OPTIMADE until it is stopped."""
    if any(find_spec(name) is None for name in NEEDED):
        raise UserError(INSTALL)
    from fermiloop.platform.api import hosts
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import connection

    origins, more = tuple(_origin(text) for text in cors_origin or ()), tuple(allowed_host or ())
    hosts.names(host, more)  # what is no name is told before anything is started
    listening = bind(host, port)
    with listening:
        connection.connect()
        open_reads = settings().serve_open_reads
        if open_reads and not _is_here(listening):
            typer.echo(
                f"Everyone who reaches {host} can read all campaigns, candidates and materials; "
                "set FERMILOOP_SERVE_OPEN_READS=false to serve the REST API alone and ask for a token.",
                err=True,
            )
        app = application(Serving(open_reads, origins, host, more))
        address = _address(host, listening.getsockname()[1])
        print_line(f"Serving at {address} until stopped by Ctrl-C.")
        sys.stdout.flush()
        if show:
            import webbrowser

            webbrowser.open(address)
        run(app, listening)


def bind(host: str, port: int) -> socket.socket:
    """Take a port.

    Raises
    ------
    InputError
        If it is taken, may not be taken, or there is no such address.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be resolved"
        raise InputError(
            f"Port {port} of {host} cannot be served ({reason}); choose another by --port or --host."
        ) from None


def application(serving: Serving) -> Starlette:
    """All parts that are installed in one app; where reads need a token, the REST API alone can ask for it."""
    from starlette.applications import Starlette
    from starlette.responses import RedirectResponse
    from starlette.routing import Mount, Route

    from fermiloop.platform.api import hosts
    from fermiloop.platform.api.bounds import AccessLog

    chosen = {path: part for path, (module, part) in PARTS.items() if _is_served(path, module, serving)}
    shorter = {path: f"{path}/" for path in chosen if path != "/"} | dict.fromkeys(("/docs", "/docs/"), REFERENCE)
    routes = [Route(path, lambda _, to=to: RedirectResponse(to)) for path, to in shorter.items()]
    app = Starlette(routes=[*routes, *(Mount(path, part(serving)) for path, part in chosen.items())])
    app.add_middleware(hosts.AllowedHosts, names=hosts.names(serving.host, serving.allowed_hosts))
    app.add_middleware(AccessLog)
    return app


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Answer until SIGTERM or SIGINT, then let what is under way end."""
    _log_requests()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: None)  # uvicorn raises the signal again once it has stopped: that is the end
    server(app).run(sockets=[listening])


def server(app: ASGIApp, patience: Patience | None = None) -> uvicorn.Server:
    """Server of an app, with our settings."""
    import uvicorn

    from fermiloop.platform.api import connections

    config = uvicorn.Config(
        app,
        http=connections.protocol(patience or connections.Patience()),  # by h11, which is strict about headers
        log_config=None,
        access_log=False,  # uvicorn's holds the query strings; ours does not
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_keep_alive=10,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=32_768,
    )
    return uvicorn.Server(config)


def _rest(serving: Serving) -> ASGIApp:
    from fermiloop.platform.api.app import create_app

    return create_app(open_reads=serving.open_reads, cors_origins=serving.cors_origins)


def _optimade(_: Serving) -> ASGIApp:
    from fermiloop.platform.api.optimade_app import create_app

    return create_app()


def _pages(_: Serving) -> ASGIApp:
    from fermiloop.platform.api.wsgi import WholeRequests
    from fermiloop.platform.app import tokens
    from fermiloop.platform.web.app import create_app

    return WholeRequests(create_app(authorise=tokens.refusal).server)


REFERENCE: Final = "/api/reference"
REST: Final = "fermiloop.platform.api.app"
OPTIMADE: Final = "fermiloop.platform.api.optimade_app"
PAGES: Final = "fermiloop.platform.web.app"
# address: its module and what makes it, the longest address first
PARTS: Final[dict[str, tuple[str, Callable[[Serving], ASGIApp]]]] = {
    "/api": (REST, _rest),
    "/optimade": (OPTIMADE, _optimade),
    "/": (PAGES, _pages),
}


def _is_served(path: str, module: str, serving: Serving) -> bool:
    return find_spec(module) is not None and (serving.open_reads or path == "/api")


def _is_here(listening: socket.socket) -> bool:
    """Whether only this machine reaches an address."""
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def _address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 (compared, not bound)
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def _origin(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme not in ("http", "https") or not rest or "/" in rest or "*" in rest:
        raise InputError(f"{text!r} is no origin; write scheme and host alone, such as https://lab.example.org.")
    return text


def _log_requests() -> None:
    """One line a request on the standard error."""
    log, handler = logging.getLogger("fermiloop.access"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
