"""The one connection: where the database is, whether it answers, and coming back after it went away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import mongoengine
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import embedded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.database import Database

T = TypeVar("T")

SCHEMA_VERSION: Final = 2
SELECTION_MS: Final = 5000
RETRY_SECONDS: Final = 60.0
SCHEMES: Final = ("mongodb", "mongodb+srv")
# The driver's own words may hold a piece of the password.
NO_URI: Final = (
    "FERMILOOP_MONGODB_URI is no MongoDB URI such as mongodb://user:password@host:27017; "
    "correct it, with special characters of the password as %XX."
)
_connected: dict[str, str] = {}


class AwayError(DatabaseError):
    """Nothing answers where a database should; it may come back."""


def uri() -> str:
    """URI of the configured MongoDB, or of the embedded server, which is started on demand.

    A database that the URI names is where its user is looked up; documents go into the one of
    FERMILOOP_DATABASE.

    Raises
    ------
    DatabaseError
        If the configured one is no MongoDB URI, or the embedded server does not start.
    """
    given = settings().mongodb_uri
    if given is None:
        return embedded.ensure(settings().data_dir)
    scheme, _, rest = given.partition("://")
    if scheme not in SCHEMES or not rest:
        raise DatabaseError(NO_URI)
    hosts, _, tail = rest.partition("/")
    path, _, options = tail.partition("?")
    if path and "@" in hosts and "authsource=" not in options.lower():
        options = "&".join(filter(None, (options, f"authSource={path}")))
    return f"{scheme}://{hosts}/" + f"?{options}" * bool(options)


def connect() -> None:
    """Connect mongoengine; a repeat costs nothing unless the server moved.

    Raises
    ------
    DatabaseError
        If there is no server, it refuses, or its database is of a newer version of fermiloop.
    """
    address, name = uri(), settings().database
    if _connected == {"uri": address, "name": name}:
        return
    disconnect()
    try:
        client = mongoengine.connect(
            db=name, host=address, serverSelectionTimeoutMS=SELECTION_MS, uuidRepresentation="standard", tz_aware=True
        )
        client.admin.command("hello")
        client[name]["schema_version"].find_one({})
    except (InvalidURI, ConfigurationError, ValueError):
        disconnect()
        raise DatabaseError(NO_URI) from None
    except OperationFailure as error:
        disconnect()
        reason = str((error.details or {}).get("errmsg", error.code)).rstrip(".")
        raise DatabaseError(
            f"The database at {embedded.redact(address)} refuses: {reason}; correct FERMILOOP_MONGODB_URI."
        ) from None
    except PyMongoError:
        disconnect()
        raise AwayError(
            f"No database answers at {embedded.redact(address)}; start it, or correct FERMILOOP_MONGODB_URI."
        ) from None
    _connected.update(uri=address, name=name)
    check_version()


def disconnect() -> None:
    """Forget the connection."""
    _connected.clear()
    mongoengine.disconnect()


def database() -> Database[dict[str, Any]]:
    """The pymongo database behind mongoengine."""
    connect()
    return mongoengine.get_db()


def check_version() -> None:
    """Refuse a database that a newer fermiloop wrote.

    Raises
    ------
    DatabaseError
        If its schema version is above ours.
    """
    found = mongoengine.get_db()["schema_version"].find_one({"_id": "schema"})
    if found and int(found["version"]) > SCHEMA_VERSION:
        disconnect()
        raise DatabaseError(
            f"The database has schema version {found['version']}, "
            f"and this fermiloop knows {SCHEMA_VERSION}: upgrade fermiloop."
        )


def retrying(call: Callable[[], T]) -> T:
    """Result of a call that is repeated while the database is away, for a minute at most.

    The call must be one that may run twice.

    Raises
    ------
    DatabaseError
        If the database does not come back, or at once if it is none that can be used.
    """
    deadline, wait = time.monotonic() + RETRY_SECONDS, 0.1
    while True:
        try:
            connect()
            return call()
        except (AutoReconnect, ServerSelectionTimeoutError, AwayError):
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"The database went away and did not come back in {RETRY_SECONDS:.0f} s; see fermiloop doctor."
                ) from None
        time.sleep(wait)
        wait = min(2 * wait, 3.0)
