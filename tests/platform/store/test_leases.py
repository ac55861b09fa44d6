"""Leases on a server with empty files; what they are for is tested with schedules and campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, embedded, leases


@pytest.fixture
def empty_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of this test's own, which has not made a collection yet."""
    folder = tmp_path / "server"
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", embedded.ensure(folder))
    settings.cache_clear()
    connection.connect()
    yield
    connection.disconnect()
    embedded.stop(folder)


def test_what_never_began_is_ended_before_there_is_a_collection(empty_server: None) -> None:
    for number in range(20):  # the fault of the native server shows in the first deletions of each of its sessions
        leases.end(f"launch {number}")
        leases.give_back(f"turn {number}", "nobody")


def test_a_lease_that_was_given_back_is_free(database: str) -> None:
    assert leases.take("turn", "first", 60)
    assert not leases.take("turn", "second", 60)
    leases.give_back("turn", "second")
    assert leases.holder("turn") == "first"
    leases.give_back("turn", "first")
    assert leases.holder("turn") is None
    assert leases.take("turn", "second", 60)
    leases.end("turn")
    assert leases.holder("turn") is None
