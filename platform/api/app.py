"""The REST API: one router a noun, bounded and read-only without a token; ``docs/api.md`` is its reference."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

from fermiloop.platform.api import (
    calculations,
    campaigns,
    candidates,
    dos,
    landing,
    materials,
    problems,
    references,
    tokens,
)  # fmt: skip
from fermiloop.platform.api.bounds import BoundedBody, SecurityHeaders
from fermiloop.platform.api.events import Followers
from fermiloop.platform.api.parameters import known_only
from fermiloop.platform.api.site import Site
from fermiloop.platform.api.views import SafeJson
from fermiloop.platform.api.work import Limits, Work

ROUTERS: Final = (
    campaigns.router, candidates.router, materials.router, calculations.router, references.router, references.hulls,
    dos.router, tokens.router,
)  # fmt: skip
READS: Final = ("campaigns", "candidates", "materials", "calculations")
DESCRIPTION: Final = "Campaigns, candidates, materials, calculations and their densities of states."


def create_app(*, open_reads: bool = True, cors_origins: Sequence[str] = (), limits: Limits | None = None) -> FastAPI:
    """The app, to be mounted at ``/api``.

    Parameters
    ----------
    open_reads
        Whether reads need no token.
    cors_origins
        Sites whose pages may call it from a browser; none by default.
    limits
        Bounds of this process.
    """
    limits = limits or Limits()
    app = FastAPI(
        title="fermiloop REST API",
        description=DESCRIPTION,
        version=_version(),
        docs_url=None,
        redoc_url=None,  # both load scripts from elsewhere
        redirect_slashes=False,
        default_response_class=SafeJson,
        dependencies=[Depends(known_only)],
        responses={"4XX": {"description": 'The request is refused: `{"error": sentence, "status": number}`.'}},
    )
    app.state.site = Site(limits, Work(limits), open_reads)
    app.state.followers = Followers()
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_api_route("/", _index, include_in_schema=True, tags=["index"], response_model=None)
    app.add_api_route("/reference", _reference, include_in_schema=False, response_model=None)
    app.add_middleware(BoundedBody, most=limits.body_bytes)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(SecurityHeaders)
    return app


async def _index(request: Request) -> Response:
    """What there is: JSON, or a page where a browser asks."""
    nouns = [router.prefix.removeprefix("/") for router in ROUTERS]
    if landing.wants_page(request):
        base = request.scope.get("root_path", "")
        rows = [(f"{base}/{noun}", f"All {noun}, page by page, as JSON.") for noun in READS]
        rows += [
            (f"{base}/reference", "Every call with its parameters."),
            (f"{base}/openapi.json", "The same for programs."),
        ]
        return landing.addresses("REST API", f"{DESCRIPTION} Version {_version()}.", rows)
    told = {"name": "fermiloop", "version": _version(), "nouns": nouns, "openapi": "openapi.json"}
    return JSONResponse(told, headers={"Vary": "Accept"})


async def _reference(request: Request) -> Response:
    """The reference of every call, for people."""
    return landing.reference(request.app.openapi(), request.scope.get("root_path", ""))


def _version() -> str:
    try:
        return version("fermiloop")
    except PackageNotFoundError:  # a bare clone
        return "0"
