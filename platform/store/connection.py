"""The one connection: where the database is, whether it answers, and coming back after it went away."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import mongoengine
from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from fermiloop.platform.errors import AwayError, DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import address, embedded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.database import Database

T = TypeVar("T")

SCHEMA_VERSION: Final = 11
RESTORING: Final = "restoring"
"""Id of the mark beside the schema version of a database into which a dump is being restored."""
SELECTION_MS: Final = 5000
RETRY_SECONDS: Final = 900.0
NOT_ALLOWED: Final = 13
WRONG_USER: Final = (18, 8000)  # codes of MongoDB and of Atlas
WHY: Final = (  # words of the driver, and what they mean
    ("certificate verify failed", "its certificate is not accepted, see the option tlsCAFile"),
    ("SSL", "it does not answer by TLS as the options ask"),
    ("Name or service not known", "its host name is unknown"),
    ("name resolution", "its host name cannot be looked up"),
    ("nodename nor servname", "its host name is unknown"),
    ("replica set", "it has no member of that replica set which can be written to"),
)
_connected: dict[str, str] = {}


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
    return address.checked(given)


def connect(*, half_restored: bool = False) -> None:
    """Connect mongoengine; a repeat costs nothing unless the server moved.

    Parameters
    ----------
    half_restored
        Whether a database will do into which a dump was restored in part, as for restoring it.

    Raises
    ------
    DatabaseError
        If there is no server, it refuses, or its database is of a newer version of fermiloop, or restored in part.
    """
    where, name = uri(), settings().database
    if _connected == {"uri": where, "name": name}:
        return
    disconnect()
    shown = address.redact(where)
    try:
        client = _client(where)
        # mongoengine would take the database in the URI for ours, and ask the DNS again
        mongoengine.connect(db=name, uuidRepresentation="standard", mongo_client_class=lambda **_: client)
        client.admin.command("hello")
        client[name]["schema_version"].find_one({})
    except OperationFailure as error:
        disconnect()
        raise DatabaseError(f"The database at {shown} refuses: {_refusal(error, name)}.") from None
    except PyMongoError as error:
        disconnect()
        raise AwayError(
            f"No database answers at {shown}{_why(error, where)}; start it, or correct FERMILOOP_MONGODB_URI."
        ) from None
    _connected.update(uri=where, name=name)
    if not half_restored:
        _check_whole(name)
    check_version()


def _client(where: str) -> MongoClient[dict[str, Any]]:
    """Client of a URI; it connects at the first command.

    Raises
    ------
    DatabaseError
        If an option is invalid, or names a file that cannot be read.
    AwayError
        If the DNS has no servers under the name.
    """
    own: dict[str, Any] = (
        {} if "serverselectiontimeoutms=" in where.lower() else {"serverSelectionTimeoutMS": SELECTION_MS}
    )
    try:
        return MongoClient(where, **own, uuidRepresentation="standard", tz_aware=True)
    except (InvalidURI, ConfigurationError, ValueError, TypeError) as error:
        if where.startswith("mongodb+srv://") and "DNS" in str(error):
            raise AwayError(
                f"The DNS names no servers for {address.redact(where)}; check the host, or the network."
            ) from None
        raise DatabaseError(address.NO_URI) from None
    except OSError as error:
        raise address.unreadable(error) from None


def _why(error: PyMongoError, where: str) -> str:
    """What keeps a server from answering, in brackets, where more than its silence is known."""
    by_tls = re.search(r"[?&](tls|ssl)=true", where.lower())
    known = [meaning for words, meaning in WHY if words in str(error)]
    known += ["it was asked by TLS, as the options say"] * bool(by_tls)
    return f" ({known[0]})" if known else ""


def _refusal(error: OperationFailure, name: str) -> str:
    reason = str((error.details or {}).get("errmsg", error.code)).rstrip(".")
    if error.code in WRONG_USER:
        reason += " (user, password or authSource is wrong; special characters of a password stand as %XX, a + too)"
    elif error.code == NOT_ALLOWED:
        reason = f"this account may not read the database {name}"
    return f"{reason}; correct FERMILOOP_MONGODB_URI"


def disconnect() -> None:
    """Forget the connection."""
    _connected.clear()
    mongoengine.disconnect()


def database() -> Database[dict[str, Any]]:
    """The pymongo database behind mongoengine."""
    connect()
    return mongoengine.get_db()


def _check_whole(name: str) -> None:
    mark = mongoengine.get_db()["schema_version"].find_one({"_id": RESTORING})
    if mark:
        disconnect()
        raise DatabaseError(
            f"The database {name} is restored in part only: fermiloop db restore {mark['folder']} begins that again."
        )


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
    """Result of a call that is repeated while the database is away, for a quarter of an hour at most.

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
