"""``/tokens``: who may do what, for the role admin. Tokens are made on the command line alone."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from fermiloop.platform.api.access import needs
from fermiloop.platform.api.parameters import NamePath
from fermiloop.platform.api.site import Here
from fermiloop.platform.app import tokens
from fermiloop.platform.app.rows import fields_of
from fermiloop.schemas.vocabulary import Role

router = APIRouter(prefix="/tokens", tags=["tokens"], dependencies=[Depends(needs(Role.ADMIN))])
FIELDS = ("role", "prefix", "created_at", "expires_at", "revoked_at")


@router.get("")
async def list_(here: Here) -> dict[str, object]:
    """Every token, without its secret."""

    def found() -> list[dict[str, object]]:
        return [{"name": one.id, "state": tokens.state_of(one), **fields_of(one, FIELDS)} for one in tokens.find()]

    return {"data": await here.work.run(found)}


@router.delete("/{name}")
async def revoke(name: NamePath, here: Here) -> dict[str, object]:
    """Let a token open nothing any more; a repeat changes nothing."""
    changed = await here.work.run(lambda: tokens.revoke(name))
    return {"name": name, "state": "revoked", "changed": changed}
