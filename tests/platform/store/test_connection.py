"""The connection: where it goes, what it refuses and in which words, how it comes back."""

from __future__ import annotations

import socket
from collections.abc import Callable

import mongoengine
import pytest
from pymongo.errors import AutoReconnect

from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, materials


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set the URI and wait for no server longer than a moment."""
    monkeypatch.setattr(connection, "SELECTION_MS", 200)

    def point(uri: str) -> None:
        monkeypatch.setenv("FERMILOOP_MONGODB_URI", uri)
        settings.cache_clear()

    return point


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_connects_once_to_the_named_database(database: str) -> None:
    client = connection.database().client
    connection.connect()
    assert connection.database().client is client
    assert connection.database().name == mongoengine.get_db().name == database


def test_another_database_is_another_connection(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.database()["x"].insert_one({})
    monkeypatch.setenv("FERMILOOP_DATABASE", f"{database}_b")
    settings.cache_clear()
    assert connection.database().name == f"{database}_b"
    assert connection.database()["x"].find_one() is None
    assert materials.count() == 0


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("mongodb://h:1", "mongodb://h:1/"),
        ("mongodb://h:1/elsewhere", "mongodb://h:1/"),
        ("mongodb://u:p@h/", "mongodb://u:p@h/"),
        ("mongodb://u:p@h/users", "mongodb://u:p@h/?authSource=users"),
        ("mongodb+srv://u:p@h/users?tls=true", "mongodb+srv://u:p@h/?tls=true&authSource=users"),
        ("mongodb://u:p@h/users?authSource=admin", "mongodb://u:p@h/?authSource=admin"),
    ],
)
def test_a_database_in_the_uri_is_where_users_are_looked_up(at: Callable[[str], None], given: str, used: str) -> None:
    at(given)
    assert connection.uri() == used


@pytest.mark.parametrize("uri", ["nonsense", "http://h:1", "mongodb://", "mongodb://h:port", "mongodb://u:s3cret/x@h"])
def test_what_is_no_uri_is_told_without_its_password(at: Callable[[str], None], uri: str) -> None:
    at(uri)
    with pytest.raises(DatabaseError, match="FERMILOOP_MONGODB_URI is no MongoDB URI") as told:
        connection.connect()
    assert "s3cret" not in str(told.value)


def test_a_closed_port_is_told_without_the_password(at: Callable[[str], None]) -> None:
    at(f"mongodb://user:s3cret@127.0.0.1:{closed_port()}/")
    with pytest.raises(DatabaseError, match=r"No database answers at mongodb://user:\*\*\*@127") as told:
        connection.connect()
    assert "s3cret" not in str(told.value)


def test_a_wrong_password_is_told_in_one_sentence(at: Callable[[str], None], server_uri: str) -> None:
    host = server_uri.rpartition("@")[2].partition("/")[0]
    at(f"mongodb://nobody:wr0ng@{host}/?authSource=admin")
    with pytest.raises(DatabaseError, match=r"nobody:\*\*\*@.* refuses: .*; correct FERMILOOP_MONGODB_URI\.$") as told:
        connection.connect()
    assert "wr0ng" not in str(told.value)
    assert "{" not in str(told.value)


def test_a_database_of_a_newer_fermiloop_is_refused(database: str) -> None:
    newer = connection.SCHEMA_VERSION + 1
    connection.database()["schema_version"].insert_one({"_id": "schema", "version": newer})
    connection.disconnect()
    with pytest.raises(DatabaseError, match=f"schema version {newer}.*upgrade fermiloop"):
        connection.connect()
    with pytest.raises(DatabaseError, match="upgrade"):  # at once: no minute of retries brings that back
        connection.retrying(materials.count)


def test_a_call_is_repeated_while_the_database_is_away(database: str) -> None:
    left = [AutoReconnect("gone"), AutoReconnect("gone")]

    def call() -> int:
        if left:
            raise left.pop()
        return materials.count()

    assert connection.retrying(call) == 0
    assert not left


def test_a_database_that_stays_away_is_told(
    database: str, monkeypatch: pytest.MonkeyPatch, at: Callable[[str], None]
) -> None:
    monkeypatch.setattr(connection, "RETRY_SECONDS", 0.0)

    def call() -> None:
        raise AutoReconnect("gone")

    with pytest.raises(DatabaseError, match="went away and did not come back"):
        connection.retrying(call)
    at(f"mongodb://127.0.0.1:{closed_port()}/")
    with pytest.raises(DatabaseError, match="did not come back"):
        connection.retrying(materials.count)


def test_an_error_of_the_call_itself_is_not_repeated(database: str) -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise KeyError("a mistake")

    with pytest.raises(KeyError):
        connection.retrying(call)
    assert len(calls) == 1
