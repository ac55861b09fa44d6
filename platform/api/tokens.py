"""``/tokens``: who may do what, for the role admin. Tokens are made on the command line alone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from fermiloop.platform.api import views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.actions import Site, site
from fermiloop.platform.api.parameters import NamePath
from fermiloop.platform.store import tokens
from fermiloop.schemas.vocabulary import Role

router = APIRouter(prefix="/tokens", tags=["tokens"], dependencies=[Depends(needs(Role.ADMIN))])
Here = Annotated[Site, Depends(site)]
FIELDS = ("role", "prefix", "created_at", "expires_at", "revoked_at")


@router.get("")
async def list_(here: Here) -> dict[str, Any]:
    """Every token, without its secret."""

    def found() -> list[dict[str, Any]]:
        return [{"name": one.id, "state": tokens.state_of(one), **views.fields(one, FIELDS)} for one in tokens.find()]

    return {"data": await here.work.run(found)}


@router.delete("/{name}")
async def revoke(name: NamePath, here: Here) -> dict[str, Any]:
    """Let a token open nothing any more; a repeat changes nothing."""
    changed = await here.work.run(lambda: tokens.revoke(name))
    return {"name": name, "state": "revoked", "changed": changed}
