"""Tokens of the REST API: made once, shown once, kept as a hash, revoked by name.

A token reads ``fermiloop_PREFIX_SECRET``. The prefix is random and public: it is looked up and listed. The secret
is 256 random bits, so that one SHA-256 of it cannot be inverted by guessing and a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Final

from mongoengine import NotUniqueError

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.schemas.base import now
from fermiloop.schemas.token import Token
from fermiloop.schemas.vocabulary import Role

MARK: Final = "fermiloop"
SECRET_BYTES: Final = 32
PREFIX_BYTES: Final = 4
MOST_DAYS: Final = 3650
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
TOKEN: Final = re.compile(rf"{MARK}_([0-9a-f]{{{2 * PREFIX_BYTES}}})_([A-Za-z0-9_-]{{43}})")


def create(name: str, role: Role | str, days: int | None = None) -> str:
    """The text of a new token, which is told this once.

    Raises
    ------
    InputError
        If the name or the number of days is invalid, the role is unknown, or the name is taken.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"The name {name!r} is invalid; write small letters, digits and hyphens, such as laptop.")
    if role not in set(Role):
        raise InputError(f"The role {role!r} is unknown; known are {', '.join(Role)}.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise InputError(f"A token cannot hold for {days} days; ask for 1 to {MOST_DAYS}.")
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    expiry = now() + timedelta(days=days) if days is not None else None
    token = Token(id=name, role=Role(role), prefix=prefix, digest=_digest(secret), expires_at=expiry)
    token.check()
    try:
        token.save(force_insert=True)
    except NotUniqueError:
        raise InputError(f"A token named {name} exists or existed; give this one another name.") from None
    return f"{MARK}_{prefix}_{secret}"


def find() -> list[Token]:
    """All tokens, revoked and expired ones too, newest first."""
    return list(Token.objects.order_by("-created_at", "id"))


def revoke(name: str) -> bool:
    """Let a token open nothing any more; False where it was revoked already.

    Raises
    ------
    NotFoundError
        If there is no such token.
    """
    if Token.objects(id=name, revoked_at=None).update(set__revoked_at=now()):
        return True
    if Token.objects(id=name).first() is None:
        raise NotFoundError(f"There is no token {name}; fermiloop token list shows all.")
    return False


def role_of(text: str) -> Role | None:
    """The role that a token gives now; None where it is unknown, revoked or expired."""
    match = TOKEN.fullmatch(text)
    if match is None:
        return None
    given = _digest(match[2])
    for token in Token.objects(prefix=match[1]):
        if hmac.compare_digest(given, token.digest) and state_of(token) == "valid":
            return Role(token.role)
    return None


def state_of(token: Token) -> str:
    """``valid``, ``expired`` or ``revoked``."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now() else "valid"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
