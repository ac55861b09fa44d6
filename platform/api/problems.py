"""Every refusal as one JSON shape, ``{"error": sentence, "status": number}``; never a traceback."""

from __future__ import annotations

import logging
import reprlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from mongoengine.errors import MongoEngineException
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fermiloop.platform.errors import (
    MAY_NOT_WRITE,
    DatabaseError,
    FermiloopError,
    InputError,
    NotFoundError,
    SpecError,
    UserError,
    may_not_write,
)

logger = logging.getLogger("fermiloop.api")

HUNG_UP: Final = 499  # as nginx logs it
LONGEST: Final = 1000  # characters of a sentence
# first that fits
STATUS: Final[dict[type[FermiloopError], int]] = {
    NotFoundError: 404,
    InputError: 422,
    SpecError: 422,
    UserError: 400,
    DatabaseError: 503,
    FermiloopError: 500,
}
AWAY: Final = "The database does not answer; try again in a moment."
SENTENCES: Final[dict[int, str]] = {
    400: "The body cannot be read as JSON; check it, and that it is not nested too deeply.",
    404: "There is nothing at this address; GET /api/openapi.json lists all addresses.",
    405: "This address does not take this method; GET /api/openapi.json lists what it takes.",
}
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


class Refusal(HTTPException):
    """A refusal whose sentence is our own."""


def answer(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response of a refusal."""
    clean = sentence.encode("utf-8", "replace").decode()
    more = {"Retry-After": "2"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return JSONResponse({"error": clean[:LONGEST], "status": status}, status, headers={**more, **(headers or {})})


def install(app: FastAPI) -> None:
    """Let an app answer every exception so."""

    @app.exception_handler(FermiloopError)
    async def _ours(_: Request, error: FermiloopError) -> JSONResponse:
        status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
        return answer(status, str(error))

    @app.exception_handler(PyMongoError)
    async def _database(_: Request, error: PyMongoError) -> JSONResponse:
        logger.warning("the database did not answer: %s", type(error).__name__)
        return answer(403, MAY_NOT_WRITE) if may_not_write(error) else answer(503, AWAY)

    @app.exception_handler(MongoEngineException)
    async def _document(_: Request, error: MongoEngineException) -> JSONResponse:
        logger.warning("a document was refused: %s", type(error).__name__)
        return answer(403, MAY_NOT_WRITE) if may_not_write(error) else answer(503, AWAY)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        own = SENTENCES.get(error.status_code) if not isinstance(error, Refusal) else None
        return answer(error.status_code, own or str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(422, _sentence(error.errors()[0]))

    @app.exception_handler(ClientDisconnect)
    async def _hung_up(_: Request, __: ClientDisconnect) -> JSONResponse:
        return answer(HUNG_UP, "The client hung up.")  # which nobody reads

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> JSONResponse:
        logger.error("unexpected failure", exc_info=error)
        return answer(500, "Something failed on the server; its log says what.")


def _sentence(first: Mapping[str, Any]) -> str:
    """What is invalid, with the value."""
    place, *rest = (str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return "The body is no JSON; check it."
    name = ".".join(rest) or place
    where = {"query": "parameter", "path": "part of the address", "body": "field", "header": "header"}.get(place, place)
    if first["type"] == "missing":
        return f"The {where} {name} is missing; give it."
    reason = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    value = _short.repr(first.get("input"))
    return f"The {where} {name[:100]} is invalid: {reason[:1].lower()}{reason[1:]}; {value} was given."
