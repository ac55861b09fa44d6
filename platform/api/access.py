"""Who may do what: reads are open or need a token, writes need one of a role that grants them.

A token comes in the header ``Authorization: Bearer`` and nowhere else, so that it stands in no log, no history and
no link, and no other site can make a browser send it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException

from fermiloop.platform.api.problems import Refusal
from fermiloop.platform.api.site import site
from fermiloop.platform.app import tokens
from fermiloop.schemas.vocabulary import GRANTS, Role

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="fermiloop"'}


def needs(role: Role) -> Callable[[Request], Awaitable[None]]:
    """Dependency that refuses who may not.

    Raises
    ------
    HTTPException
        401 without a valid token, 403 with one of another role.
    """

    async def check(request: Request) -> None:
        here, given = site(request), request.headers.getlist("authorization")
        if not given:
            if role is Role.READ and here.open_reads:
                return
            raise _refused(f"This needs a token of the role {role}; send it as Authorization: Bearer TOKEN.")
        scheme, _, text = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            raise _refused("The header Authorization is invalid; send it once, as Authorization: Bearer TOKEN.")
        found = await here.work.run(lambda: tokens.role_of(text.strip()))
        if found is None:
            raise _refused("The token is unknown, expired or revoked; make one by fermiloop token create.")
        if role not in GRANTS[found]:
            raise Refusal(403, f"The token has the role {found}, and this needs {role}.")

    return check


def _refused(sentence: str) -> HTTPException:
    return Refusal(401, sentence, CHALLENGE)
