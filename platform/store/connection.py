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

SCHEMA_VERSION: Final = 1
SELECTION_MS: Final = 5000
RETRY_SECONDS: Final = 60.0
_connected: dict[str, str] = {}


def uri() -> str:
    """URI of the configured MongoDB, or of the embedded server, which is started on demand."""
    return settings().mongodb_uri or embedded.ensure(settings().data_dir)


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
    except (InvalidURI, ConfigurationError, ValueError) as error:
        disconnect()
        raise DatabaseError(f"FERMILOOP_MONGODB_URI is no MongoDB URI: {embedded.redact(str(error))}.") from None
    except OperationFailure as error:
        disconnect()
        raise DatabaseError(f"The database at {embedded.redact(address)} refuses: {error.details}.") from None
    except PyMongoError:
        disconnect()
        raise DatabaseError(
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
    """
    deadline, wait = time.monotonic() + RETRY_SECONDS, 0.1
    while True:
        try:
            connect()
            return call()
        except (AutoReconnect, ServerSelectionTimeoutError, DatabaseError) as error:
            if time.monotonic() > deadline:
                if isinstance(error, DatabaseError):
                    raise
                raise DatabaseError(
                    f"The database went away and did not come back in {RETRY_SECONDS:.0f} s; see fermiloop doctor."
                ) from None
        time.sleep(wait)
        wait = min(2 * wait, 3.0)
