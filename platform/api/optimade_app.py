"""OPTIMADE over the store: an ASGI app to be mounted at ``/optimade``, or to be served alone.

The protocol is that of optimade-python-tools: its routers, models, middleware and filter language. What is ours is
where the data come from (the store's own connection), the configuration (given here; no file and no variable of the
environment is read) and addresses, which follow the request, so that a mounted app answers under any host name.
Nothing is fetched from elsewhere, neither at the start nor at a request.
"""

from __future__ import annotations

import logging
import threading
import time
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import RedirectResponse
from optimade import __api_version__
from optimade.models import OptimadeError
from optimade.server.config import ServerConfig
from optimade.server.exception_handlers import OPTIMADE_EXCEPTIONS, general_exception
from optimade.server.mappers.entries import BaseResourceMapper
from optimade.server.middleware import OPTIMADE_MIDDLEWARE, AddWarnings
from optimade.server.routers import info, links, references, structures, versions
from optimade.server.routers.utils import BASE_URL_PREFIXES, JSONAPIResponse

from fermiloop.platform.api import landing
from fermiloop.platform.api.optimade_collection import collections
from fermiloop.platform.representations.optimade_fields import PREFIX, PROVIDER_FIELDS
from fermiloop.platform.store import connection, optimade_entries, optimade_query

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

REFRESH_SECONDS: Final = 60.0  # between looks at what changed in the store
SMALLEST_TO_COMPRESS: Final = 5000  # bytes
ADDRESSES: Final = (
    ("/structures?page_limit=5", "The first five structures."),
    ('/structures?filter=elements HAS ALL "Al", "Ni"', "Structures with Al and Ni."),
    ("/info", "What is served, and in which version of the specification."),
    ("/info/structures", "Every property of a structure, with its unit."),
    ("/references", "Where the data come from."),
    ("/links", "Other databases."),
    ("/extensions/openapi.json", "The API for programs."),
)
DESCRIPTION: Final = "Materials and candidates of closed-loop inverse design, with where each came from."

log = logging.getLogger(__name__)
_here: ContextVar[str | None] = ContextVar("optimade_base_url", default=None)


class GivenConfig(ServerConfig):
    """Configuration that is given, not looked for in files or the environment."""

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, **_: Any) -> tuple[Any, ...]:  # noqa: ARG003
        """Take what is passed alone."""
        return (init_settings,)


class LocalConfig:
    """A configuration whose base URL is that of the request at work, unless one is given."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config

    def __getattr__(self, name: str) -> Any:
        return getattr(self._config, name)

    @property
    def base_url(self) -> str | None:
        """Address of the app without a version."""
        return self._config.base_url or _here.get()


class Address:
    """Middleware that notes the base URL of the request, and refreshes what is served from time to time."""

    def __init__(self, app: ASGIApp, refresh_seconds: float) -> None:
        self.app, self.refresh = app, Refresh(refresh_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = headers.get(b"host", b"localhost").decode("latin-1")
            _here.set(f"{scope['scheme']}://{host}{scope.get('root_path', '')}")
            self.refresh.when_due()
        await self.app(scope, receive, send)


class Refresh:
    """Brings the served collection up to date in the background, at most once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._due, self._lock = seconds, time.monotonic() + seconds, threading.Lock()

    def when_due(self) -> None:
        """Start a refresh if it is time and none runs."""
        if time.monotonic() >= self._due and self._lock.acquire(blocking=False):
            self._due = time.monotonic() + self._seconds
            threading.Thread(target=self._run, daemon=True, name="optimade-refresh").start()

    def _run(self) -> None:
        try:
            if connection.retrying(optimade_entries.refresh):
                optimade_query.forget()
        except Exception:  # what is served stays as it was, and the next look may succeed
            log.exception("OPTIMADE could not be brought up to date")
        finally:
            self._lock.release()


def create_app(*, base_url: str | None = None, refresh_seconds: float = REFRESH_SECONDS, sync: bool = True) -> FastAPI:
    """The app.

    Parameters
    ----------
    base_url
        Public address without a version, behind a proxy that changes it; by default that of each request.
    refresh_seconds
        At least so long between looks at what changed in the store.
    sync
        Bring the served collection up to date before the first answer.

    Raises
    ------
    DatabaseError
        If there is no database.
    """
    connection.connect()
    if sync:
        optimade_entries.refresh()
        optimade_query.forget()
    config = _config(base_url)
    here: Any = LocalConfig(config)
    app = FastAPI(
        title="fermiloop OPTIMADE API",
        description=DESCRIPTION,
        version=__api_version__,
        docs_url=None,
        redoc_url=None,  # both load scripts from elsewhere
        openapi_url=f"{BASE_URL_PREFIXES['major']}/extensions/openapi.json",
        default_response_class=JSONAPIResponse,
        separate_input_output_schemas=False,
    )
    app.state.config = here
    app.state.entry_collections = collections(here)
    app.state.base_resource_mapper = BaseResourceMapper(config)
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    for middleware in OPTIMADE_MIDDLEWARE:
        app.add_middleware(middleware, **({"config": config} if middleware is AddWarnings else {}))
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_TO_COMPRESS)
    app.add_middleware(Address, refresh_seconds=refresh_seconds)
    for exception, handler in OPTIMADE_EXCEPTIONS:
        app.add_exception_handler(exception, handler)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_api_route("/", _landing, include_in_schema=False, response_model=None)
    for prefix in ("", *BASE_URL_PREFIXES.values()):
        for endpoint in (info, links, references, structures):
            app.include_router(endpoint.router, prefix=prefix, include_in_schema=not prefix)
    app.include_router(versions.router)
    return app


def _landing(request: Request) -> Response:
    """Who comes to the base URL is shown what is served; a browser, as a page."""
    base = f"{_here.get() or ''}{BASE_URL_PREFIXES['major']}"
    if landing.wants_page(request):
        rows = [(f"{base}{path}", said) for path, said in ADDRESSES]
        return landing.addresses("OPTIMADE", f"{DESCRIPTION} Clients of OPTIMADE take this page's address.", rows)
    return RedirectResponse(f"{base}/info")


def _bad_parameter(request: Request, error: Exception) -> JSONAPIResponse:
    """Tell which parameter is invalid, with the status that the specification asks for."""
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": str(error)}
    detail = f"The parameter {'.'.join(str(part) for part in first['loc'][1:])} is invalid: {first['msg']}."
    told = OptimadeError(detail=detail, status="400", title="Bad Request")
    return general_exception(request, error, status_code=400, errors=[told])


def _version() -> str | None:
    try:
        return version("fermiloop")
    except PackageNotFoundError:  # a bare clone
        return None


def _config(base_url: str | None) -> GivenConfig:
    described = [
        {
            "name": name,
            "type": kind,
            "description": text,
            "sortable": kind != "list",
            **({"unit": unit} if unit else {}),
        }
        for name, (kind, unit, text) in PROVIDER_FIELDS.items()
    ]
    return GivenConfig(
        base_url=base_url,
        provider={"prefix": PREFIX, "name": "fermiloop", "description": DESCRIPTION},
        implementation={"name": "fermiloop", "version": _version()},
        provider_fields={"structures": described},
        structures_collection=optimade_entries.STRUCTURES,
        references_collection=optimade_entries.REFERENCES,
        links_collection=optimade_entries.LINKS,
    )
