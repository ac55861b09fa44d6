"""Tokens: told once, kept as a hash, bound to role, time and revocation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import connection, tokens
from fermiloop.schemas.vocabulary import Role


@pytest.mark.usefixtures("database")
def test_a_token_gives_its_role_and_the_store_holds_no_secret() -> None:
    text = tokens.create("laptop", Role.LAUNCH)
    assert tokens.role_of(text) is Role.LAUNCH
    (stored,) = connection.database()["tokens"].find()
    _, prefix, secret = text.split("_", 2)
    assert stored["prefix"] == prefix
    assert len(stored["digest"]) == 64
    assert secret not in str(stored)


@pytest.mark.usefixtures("database")
def test_another_secret_under_the_same_prefix_opens_nothing() -> None:
    text = tokens.create("laptop", Role.ADMIN)
    last = "A" if text[-1] != "A" else "B"
    for wrong in (text[:-1] + last, text + "A", text[:-1], text.upper(), "", "fermiloop__", text.replace("_", "$")):
        assert tokens.role_of(wrong) is None


@pytest.mark.usefixtures("database")
def test_revoked_and_expired_tokens_are_kept_and_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tokens.create("first", Role.READ), tokens.create("second", "read", days=2)
    assert tokens.revoke("first")
    assert not tokens.revoke("first")
    assert tokens.role_of(first) is None
    later = tokens.now() + timedelta(days=2, seconds=1)
    assert tokens.role_of(second) is Role.READ
    monkeypatch.setattr(tokens, "now", lambda: later)
    assert tokens.role_of(second) is None
    assert {one.id: tokens.state_of(one) for one in tokens.find()} == {"first": "revoked", "second": "expired"}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("name", "role", "days"),
    [("A", "read", None), ("", "read", None), ("$ne", "read", None), ("x", "root", None), ("x", "read", 0)],
)
def test_what_makes_no_token(name: str, role: str, days: int | None) -> None:
    with pytest.raises(InputError):
        tokens.create(name, role, days)
    assert tokens.find() == []


@pytest.mark.usefixtures("database")
def test_a_name_is_used_once_and_unknown_ones_are_told() -> None:
    tokens.create("laptop", Role.READ)
    tokens.revoke("laptop")
    with pytest.raises(InputError, match="another name"):
        tokens.create("laptop", Role.READ)
    with pytest.raises(NotFoundError):
        tokens.revoke("desktop")
