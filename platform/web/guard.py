"""What keeps mistakes and malice out: errors as sentences, requests that are none, no asset from elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import unquote

from dash import Dash
from flask import Response, request
from pymongo.errors import PyMongoError
from werkzeug.exceptions import HTTPException

from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.store import connection

T = TypeVar("T")
U = TypeVar("U")
logger = logging.getLogger("fermiloop.web")

MOST_BYTES: Final = 4_000_000  # of a request
MOST_DECODED: Final = 4  # times that a path may have been percent-encoded
AWAY: Final = "The database does not answer; see fermiloop doctor."
NOTHING: Final = "There is nothing at this address.\n"
SUITES: Final = "/_dash-component-suites/"
# Dash writes inline scripts and plotly compiles its shaders; everything comes from this server alone
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; "
    "frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def ask(call: Callable[[], T], sentence: Callable[[str], U]) -> T | U:
    """Result of a call on the store; what `sentence` makes of its error, where it has one."""
    try:
        connection.connect()
        return call()
    except FermiloopError as error:
        return sentence(str(error))
    except PyMongoError:
        logger.warning("the database does not answer", exc_info=True)
        return sentence(AWAY)


def text(value: object) -> str:
    """A text as it came from a browser; empty where something else came."""
    return value.strip() if isinstance(value, str) else ""


def finite(value: object) -> float | None:
    """A number as it came from a browser, None where none came."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def protect(app: Dash) -> None:
    """Bound requests, refuse malformed ones with a 400, and set the headers."""
    server = app.server
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES

    @server.before_request  # type: ignore[untyped-decorator, unused-ignore]
    def _check() -> Response | None:
        lost = SUITES in request.path and SUITES not in str(request.url_rule)  # which Dash would answer with a page
        if lost or _climbs(request.path):
            return Response(NOTHING, status=404, mimetype="text/plain")
        if request.method == "POST" and request.path.endswith("/_dash-update-component"):
            body = request.get_json(silent=True)
            if not _is_call(app, body):
                return Response("This is no request of a page.", status=400, mimetype="text/plain")
        return None

    @server.errorhandler(Exception)  # type: ignore[untyped-decorator, unused-ignore]
    def _failed(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        if SUITES in request.path:  # Dash raises whatever its search for a file raises
            return Response(NOTHING, status=404, mimetype="text/plain")
        logger.error("unexpected failure", exc_info=error)
        return Response("Something failed on the server; its log says what.", status=500, mimetype="text/plain")

    @server.after_request  # type: ignore[untyped-decorator, unused-ignore]
    def _label(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def told(error: Exception) -> None:
    """Log what a callback raised; the page stays as it is."""
    logger.error("a callback failed", exc_info=error)


def _climbs(path: str) -> bool:
    """Whether a path, decoded as often as it can be, leaves its folder or holds what no file's name holds."""
    for _ in range(MOST_DECODED):
        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
    parts = path.replace("\\", "/").split("/")
    return ".." in parts or any(ord(sign) < ord(" ") for sign in path) or ("\\" in path and SUITES in path)


def _is_call(app: Dash, body: object) -> bool:
    """Whether a body names a callback of ours with as many values as it takes."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    known = app.callback_map.get(body["output"])
    if known is None:
        return False
    for part in ("inputs", "state"):
        given = body.get(part, [])
        if not isinstance(given, list) or len(given) != len(known.get(part, [])):
            return False
        if not all(_is_value(one) for one in given):
            return False
    return isinstance(body.get("outputs"), dict | list) and isinstance(body.get("changedPropIds", []), list)


def _is_value(one: object) -> bool:
    if isinstance(one, list):  # of a pattern
        return all(_is_value(inner) for inner in one)
    return isinstance(one, dict) and {"id", "property"} <= one.keys()
