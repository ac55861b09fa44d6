"""Addresses of databases: what is a MongoDB URI, and how one is shown without its secrets.

User and password end at the last ``@`` before the first ``/`` or ``?``. Characters that a URI reserves must be
written as %XX in them; a URI where one is not is refused, since it could be read in two ways.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from fermiloop.platform.errors import DatabaseError

SCHEMES: Final = ("mongodb", "mongodb+srv")
# The driver's own words may hold a piece of the password.
NO_URI: Final = (
    "FERMILOOP_MONGODB_URI is no MongoDB URI such as mongodb://user:password@host:27017; "
    "correct it, with special characters of the password as %XX."
)
SPECIAL: Final = (
    "FERMILOOP_MONGODB_URI is no MongoDB URI that can be read in one way: its user or password holds one of "
    "@ : / ? # [ ] % as it is; write them as %40 %3A %2F %3F %23 %5B %5D %25."
)
RESERVED: Final = re.compile(r"[@/?#\[\]]|%(?![0-9A-Fa-f]{2})")
BY_PASSWORD: Final = ("", "scram-sha-1", "scram-sha-256", "plain")  # mechanisms that look users up in a database
SECRET_OPTIONS: Final = re.compile(r"(?i)([^&?=]*(?:password|token|secret|properties)[^&=]*)=[^&]*")


def checked(uri: str) -> str:
    """The URI, refused where it is none; with the database that it names as that of its user.

    Of ``mongodb+srv`` URIs the database stays where it is: the DNS may name another ``authSource``, which goes before.

    Raises
    ------
    DatabaseError
        Without a piece of the URI in its message.
    """
    scheme, _, rest = uri.partition("://")
    if scheme not in SCHEMES or not rest or re.search(r"\s", uri):
        raise DatabaseError(NO_URI)
    authority, path, options = _parts(rest)
    user, at, hosts = authority.rpartition("@")
    name, _, password = user.partition(":")
    if at and (not name or not hosts):
        raise DatabaseError(NO_URI)
    told = "@" in path or (not at and any("@" in part and "=" not in part for part in options.split("&")))
    if told or RESERVED.search(name) or RESERVED.search(password) or ":" in password:
        raise DatabaseError(SPECIAL)
    if scheme == "mongodb+srv":
        if not hosts or re.search(r"[,:\[\]%]", hosts):
            raise DatabaseError(NO_URI)
        return uri
    _refuse_unreadable(uri)
    mechanism = _option(options, "authmechanism")
    if path and at and not _option(options, "authsource") and mechanism in BY_PASSWORD:
        options = "&".join(filter(None, (options, f"authSource={path}")))
    return f"{scheme}://{authority}/" + f"?{options}" * bool(options)


def redact(uri: str) -> str:
    """The URI without its password and the secrets among its options."""
    scheme, _, rest = uri.partition("://")
    credentials, at, host = rest.rpartition("@")
    host = SECRET_OPTIONS.sub(r"\1=***", host)
    if not at:
        return f"{scheme}://{host}"
    name, colon, _ = credentials.partition(":")
    return f"{scheme}://{re.split('[/?#]', name)[0]}{':***' * bool(colon)}@{host}"


def _parts(rest: str) -> tuple[str, str, str]:
    """Users and hosts, database, options."""
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    path, _, options = rest[len(authority) :].partition("?")
    return authority, path.removeprefix("/"), options


def _option(options: str, name: str) -> str:
    """Value of an option in lower case, empty where it is not given."""
    pairs = (part.partition("=") for part in options.split("&"))
    return next((value.lower() for key, _, value in pairs if key.lower() == name), "")


def _refuse_unreadable(uri: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_uri(uri)
    except (PyMongoError, ValueError, TypeError):
        raise DatabaseError(NO_URI) from None
    except OSError as error:
        raise unreadable(error) from None


def unreadable(error: OSError) -> DatabaseError:
    """What is the matter with a file that an option of TLS names."""
    return DatabaseError(
        f"The file {error.filename or 'of TLS'} that FERMILOOP_MONGODB_URI names cannot be used "
        f"({error.strerror or 'it is no certificate'}); check tlsCAFile and tlsCertificateKeyFile."
    )
