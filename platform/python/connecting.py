"""Which database is used: said once, or found in the environment at the first use."""

from __future__ import annotations

import os
from pathlib import Path

from fermiloop.platform.settings import PREFIX, settings
from fermiloop.platform.store import connection


def connect(uri: str | None = None, *, database: str | None = None, data_dir: str | Path | None = None) -> None:
    """Connect to a database; whatever is left out is what the environment or an earlier call says.

    Without any call, the first use of the API connects by the environment. Processes that this one starts (workers,
    calculations) use the same.

    Parameters
    ----------
    uri
        URI of a MongoDB server, such as ``"mongodb://user:password@host:27017"``. Without one, and without
        ``FERMILOOP_MONGODB_URI``, an embedded server is started in the data directory.
    database
        Name of the database.
    data_dir
        Folder of everything that is kept on disk: the embedded database, calculations, reports.

    Raises
    ------
    DatabaseError
        If nothing answers there, it refuses, or its database is of a newer version of fermiloop.
    InputError
        If a setting is invalid.
    """
    folder = None if data_dir is None else Path(data_dir).expanduser().absolute()  # processes have other folders
    given = {"MONGODB_URI": uri, "DATABASE": database, "DATA_DIR": folder}
    before = {name: os.environ.get(PREFIX + name) for name in given}
    os.environ.update({PREFIX + name: str(value) for name, value in given.items() if value is not None})
    settings.cache_clear()
    try:
        connection.connect()
    except Exception:
        for name, value in before.items():
            os.environ.pop(PREFIX + name, None)
            if value is not None:
                os.environ[PREFIX + name] = value
        settings.cache_clear()
        raise


def connected() -> None:
    """Connect unless that was done; every function of the API begins with it."""
    connection.connect()
