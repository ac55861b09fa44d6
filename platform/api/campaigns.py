"""``/campaigns``: what runs, how far it has come, and its life."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import yaml
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from fermiloop.platform.api import views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.events import Followers
from fermiloop.platform.api.parameters import NamePath
from fermiloop.platform.api.problems import Refusal
from fermiloop.platform.api.site import Here, Site
from fermiloop.platform.app import campaigns, queue
from fermiloop.platform.app.rows import fields_of
from fermiloop.platform.errors import SpecError
from fermiloop.schemas.campaign import Campaign
from fermiloop.schemas.vocabulary import Role

MOST_SPEC_BYTES: Final = 200_000
YAML_TYPES: Final = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")

router = APIRouter(prefix="/campaigns", tags=["campaigns"])
reads, launches = Depends(needs(Role.READ)), Depends(needs(Role.LAUNCH))


class Moved(BaseModel):
    """A campaign and the state that it is in now."""

    name: str
    state: str


class Queued(Moved):
    """A campaign that was launched, or was there already, and who may take it up."""

    fresh: bool
    workers: int
    told: str


class Cancelled(Moved):
    """A campaign that was cancelled, and the evaluations that still run."""

    running: list[dict[str, object]]


@router.get("", dependencies=[reads])
async def list_(here: Here) -> dict[str, object]:
    """Every campaign with its state, newest first."""
    return {"data": await here.work.run(lambda: [_row(found) for found in campaigns.find()])}


@router.get("/{name}", dependencies=[reads])
async def show(name: NamePath, here: Here) -> dict[str, object]:
    """Everything that the report of a campaign shows, and what runs now."""
    return {"data": views.plain(await here.work.run(lambda: campaigns.status(name)))}


@router.get("/{name}/events", dependencies=[reads], response_class=EventSourceResponse)
async def events(name: NamePath, here: Here, request: Request) -> EventSourceResponse:
    """Live progress as server-sent events, until the campaign ends."""
    followers: Followers = request.app.state.followers
    await here.work.run(lambda: campaigns.get(name))
    return followers.follow(name, here)


@router.post("", status_code=201, dependencies=[launches], openapi_extra={
    "requestBody": {"required": True, "content": {
        "application/yaml": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "object"}},
    }},
})  # fmt: skip
async def launch(request: Request, here: Here) -> Queued:
    """Queue the campaign of a file, YAML or JSON; workers take it up. The same file again changes nothing."""
    text = await _text(request)
    made = await here.work.run(lambda: campaigns.enqueue(campaigns.parse(text)))
    moved, heard = await _state(made.name, here), len(await here.work.run(queue.listeners))
    told = made.sentence(heard)
    return Queued(name=moved.name, state=moved.state, fresh=made.fresh, workers=heard, told=told)


@router.post("/{name}/pause", dependencies=[launches])
async def pause(name: NamePath, here: Here) -> Moved:
    """Take no new work; evaluations that have begun go on to their end."""
    return await _move(name, campaigns.pause, here)


@router.post("/{name}/resume", dependencies=[launches])
async def resume(name: NamePath, here: Here) -> Moved:
    """Let a paused campaign go on, or one that failed in the middle of a round."""
    return await _move(name, campaigns.resume, here)


@router.post("/{name}/cancel", dependencies=[launches])
async def cancel(name: NamePath, here: Here, wait: bool = False) -> Cancelled:
    """End a campaign; what runs is told to stop, or with `wait` comes to its end; all results are kept."""
    running = await here.work.run(lambda: [dict(one.row()) for one in campaigns.cancel(name, wait=wait)])
    moved = await _state(name, here)
    return Cancelled(name=moved.name, state=moved.state, running=running)


async def _move(name: str, action: Callable[[str], None], here: Site) -> Moved:
    await here.work.run(lambda: action(name))
    return await _state(name, here)


async def _state(name: str, here: Site) -> Moved:
    return await here.work.run(lambda: Moved(name=name, state=str(campaigns.get(name).state)))


def _row(found: Campaign) -> dict[str, object]:
    return {"name": found.id, **fields_of(found, views.CAMPAIGN)}


async def _text(request: Request) -> str:
    """The campaign file of a request, as YAML.

    Raises
    ------
    Refusal
        413 if it is too large, 415 if its type is neither YAML nor JSON, 422 if it is no text.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (*YAML_TYPES, "application/json"):
        raise Refusal(415, "A campaign is YAML or JSON; send it with Content-Type: application/yaml.")
    body = await request.body()
    if len(body) > MOST_SPEC_BYTES:
        raise Refusal(413, f"A campaign file has at most {MOST_SPEC_BYTES} bytes, not {len(body)}.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(422, "The campaign is no text in UTF-8.") from None
    if kind != "application/json":
        return text
    try:
        tree = json.loads(text, object_pairs_hook=_once)
        return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
    except (ValueError, RecursionError) as error:
        raise Refusal(422, f"The campaign is no JSON: {_why(error)}.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    """A mapping in which no key stands twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise SpecError("The campaign has a key twice in one mapping; keep one of them.")
    return made


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}".lower()
    return "it is nested too deeply" if isinstance(error, RecursionError) else "a number in it has too many digits"
