"""The connection: where it goes, what it refuses and in which words, how it comes back."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import mongoengine
import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from fermiloop.platform.cli.failures import explain
from fermiloop.platform.errors import MAY_NOT_WRITE, DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, embedded, leases, materials, methods, sequence


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
        ("mongodb+srv://u:p@h/users?tls=true", "mongodb+srv://u:p@h/users?tls=true"),
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


def test_special_characters_of_a_password_reach_the_server(
    at: Callable[[str], None], server_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERMILOOP_DATABASE", "specials")
    password, host = "p@:/?#[]% +ü", server_uri.rpartition("@")[2].partition("/")[0]
    with MongoClient(server_uri) as client:
        client["specials"].command("createUser", "us@er", pwd=password, roles=["readWrite"])
        at(f"mongodb://{quote('us@er', safe='')}:{quote(password, safe='')}@{host}/specials?directConnection=true")
        try:
            assert connection.database().client.admin.command("ping")
        finally:
            connection.disconnect()
            client["specials"].command("dropUser", "us@er")


def test_several_hosts_of_a_replica_set(at: Callable[[str], None], server_uri: str) -> None:
    credentials, _, rest = server_uri.removeprefix("mongodb://").rpartition("@")
    host = rest.partition("/")[0]
    with MongoClient(server_uri) as client:
        name = client.admin.command("hello").get("setName")
    if name is None:
        pytest.skip("the server is no replica set")
    at(f"mongodb://{credentials}@{host},127.0.0.1:{closed_port()}/?authSource=admin&replicaSet={name}")
    try:
        assert connection.database().client.admin.command("ping")
    finally:
        connection.disconnect()
    at(f"mongodb://{credentials}@{host}/?authSource=admin&replicaSet=another")
    with pytest.raises(DatabaseError, match=r"No database answers at .*; start it") as told:
        connection.connect()
    assert credentials.partition(":")[2] not in str(told.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("tls=true", " by TLS, as the options|by TLS as the options"),
        ("tls=true&tlsCAFile=/nowhere/ca.pem", "/nowhere/ca.pem .*No such file.*check tlsCAFile"),
        ("tls=perhaps", "is no MongoDB URI"),
    ],
)
def test_options_of_tls_are_told(at: Callable[[str], None], server_uri: str, options: str, says: str) -> None:
    host = server_uri.rpartition("@")[2].partition("/")[0]
    at(f"mongodb://user:s3cret@{host}/?directConnection=true&{options}")
    with pytest.raises(DatabaseError, match=says) as told:
        connection.connect()
    assert "s3cret" not in str(told.value)


def test_a_host_that_nobody_knows_is_told(at: Callable[[str], None]) -> None:
    at("mongodb://user:s3cret@no-such-host.invalid/")
    with pytest.raises(DatabaseError, match="its host name"):
        connection.connect()
    at("mongodb+srv://user:s3cret@no-such-host.invalid/")
    with pytest.raises(DatabaseError, match=r"The DNS names no servers for mongodb\+srv://user:\*\*\*@no-such") as told:
        connection.connect()
    assert "s3cret" not in str(told.value)


def test_an_account_that_may_only_read_reads_and_is_told_where_it_may_not_write(
    database: str, server_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = server_uri.rpartition("@")[2].partition("/")[0]
    connection.database()["materials"].insert_one({"_id": "m-1"})
    with MongoClient(server_uri) as client:
        client[database].command("createUser", "reader", pwd="s3cret", roles=[{"role": "read", "db": database}])
        monkeypatch.setenv("FERMILOOP_MONGODB_URI", f"mongodb://reader:s3cret@{host}/{database}?directConnection=true")
        settings.cache_clear()
        try:
            connection.connect()
            assert materials.count() == 1
            writes = (
                lambda: connection.database()["x"].insert_one({}),
                lambda: connection.database()["x"].insert_many([{}, {}]),
                lambda: methods.save("gpaw", "PBE", {}, {}),
                lambda: leases.take("scheduler", "me", 60),
                sequence.take,
            )
            for write in writes:
                with pytest.raises(Exception) as refusal:
                    write()
                assert explain(refusal.value) == (MAY_NOT_WRITE, 2)
        finally:
            connection.disconnect()
            client[database].command("dropUser", "reader")


@pytest.mark.faults
def test_a_server_that_goes_away_and_comes_back_is_waited_for(at: Callable[[str], None], tmp_path: Path) -> None:
    at(embedded.ensure(tmp_path))  # by its address: nothing of ours starts it again
    try:
        connection.connect()
        embedded.stop(tmp_path)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(connection.retrying, materials.count)
            time.sleep(1.5)
            assert not waiting.done()
            embedded.ensure(tmp_path)
            assert waiting.result(30) == 0
    finally:
        connection.disconnect()
        embedded.stop(tmp_path)
