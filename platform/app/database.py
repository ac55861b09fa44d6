"""The database: made ready, filled, moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fermiloop.platform.app.progress import Progress, silent
from fermiloop.platform.store import quarantine

if TYPE_CHECKING:
    from fermiloop.db_init.importers.options import LoadOptions
    from fermiloop.db_init.importers.report import LoadReport
    from fermiloop.schemas.quarantine import Quarantine


def load(source: str, options: LoadOptions | None = None, progress: Progress | None = None) -> LoadReport:
    """Load materials; what is bad goes to quarantine with its reason, the rest goes in; a repeat adds nothing.

    Parameters
    ----------
    source
        ``seed``, ``mp``, ``optimade:URL``, ``jarvis:FILE``, ``jobstore:FILE``, a file or a folder.

    Raises
    ------
    InputError
        If the source is unknown, or cannot be read.
    """
    from fermiloop.db_init.importers import dispatch
    from fermiloop.db_init.importers import options as known

    return dispatch.load(source, progress or silent, options or known.NO_OPTIONS)


def check_source(source: str) -> None:
    """Refuse a source that nothing reads, before a server is started.

    Raises
    ------
    InputError
        With what is read.
    """
    from fermiloop.db_init.importers import dispatch

    dispatch.which(source)


def refused(source: str | None = None, limit: int = 100) -> list[Quarantine]:
    """What was refused, of one source or of all, newest first."""
    return quarantine.find(source, limit)


def init(progress: Progress | None = None) -> list[str]:
    """Make indexes and bring the schema up to date; what was done, a sentence each."""
    from fermiloop.db_init import setup

    return setup.init(progress or silent)


def migrate(*, dry_run: bool = False) -> list[str]:
    """Bring a populated database up to the schema of this version; what was, or would be, done."""
    from fermiloop.db_init import setup

    return setup.migrate(dry_run=dry_run)


def dump(folder: Path, progress: Progress | None = None) -> dict[str, int]:
    """Write everything into a folder that any server and version can restore; documents by collection.

    Raises
    ------
    InputError
        If the folder holds anything.
    """
    from fermiloop.db_init import archive

    return archive.dump(folder, progress or silent)


def restore(folder: Path, progress: Progress | None = None) -> dict[str, int]:
    """Read a dump into an empty database; documents by collection.

    Raises
    ------
    InputError
        If the folder holds no dump, or the database is not empty.
    """
    from fermiloop.db_init import archive

    return archive.restore(folder, progress or silent)
