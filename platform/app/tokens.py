"""Tokens of the REST API: made, listed, revoked."""

from __future__ import annotations

from fermiloop.platform.app.texts import one_of
from fermiloop.platform.store import tokens
from fermiloop.schemas.token import Token
from fermiloop.schemas.vocabulary import GRANTS, Role


def create(name: str, role: str, days: int | None = None) -> str:
    """The text of a new token, which is told this once.

    Raises
    ------
    InputError
        If the name or the number of days is invalid, the role is unknown, or the name is taken.
    """
    return tokens.create(name, one_of("role", role, Role), days)


def find() -> list[Token]:
    """All tokens, revoked and expired ones too, newest first."""
    return tokens.find()


def state_of(token: Token) -> str:
    """``valid``, ``expired`` or ``revoked``."""
    return tokens.state_of(token)


def revoke(name: str) -> bool:
    """Let a token open nothing any more; False where it was revoked already.

    Raises
    ------
    NotFoundError
        If there is no such token.
    """
    return tokens.revoke(name)


def role_of(text: str) -> Role | None:
    """The role that a token gives now; None where it is unknown, revoked or expired."""
    return tokens.role_of(text)


def refusal(text: str | None, role: Role) -> str | None:
    """Why a token does not allow what a role allows, None where it does."""
    if not text:
        return f"This needs a token of the role {role}; fermiloop token create makes one."
    found = tokens.role_of(text.strip())
    if found is None:
        return "The token is unknown, expired or revoked; make one by fermiloop token create."
    return None if role in GRANTS[found] else f"The token has the role {found}, and this needs {role}."
