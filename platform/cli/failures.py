"""What went wrong, in one sentence and one exit code.

Every exception that reaches the terminal passes through `explain`: errors of fermiloop say their own
sentence, and what the libraries below throw (typer, pymongo, the operating system) is put into words
that name the value and the remedy.

    0    it worked
    1    what was asked is valid, but it did not work
    2    a mistake in what was asked, or something that is the user's to provide (a database, disk space)
    130  stopped from the keyboard
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from typing import Any, Final

from fermiloop.platform.errors import MAY_NOT_WRITE, FermiloopError, UserError, may_not_write

FAILED: Final = 1
ASKED_WRONGLY: Final = 2
INTERRUPTED: Final = 130

OF_A_USER: Final = r"(mongodb(?:\+srv)?://[^\s:@/?]*):\S*@"  # up to the last @ of the word: what a password may hold

OS_REMEDIES: Final[dict[int, str]] = {
    errno.ENOSPC: "the disk is full, so free some space or move FERMILOOP_DATA_DIR",
    errno.EDQUOT: "the disk quota is used up, so free some space or move FERMILOOP_DATA_DIR",
    errno.EACCES: "permission is denied, so choose a path that this user may read and write",
    errno.EPERM: "permission is denied, so choose a path that this user may read and write",
    errno.EROFS: "the file system is read-only, so choose another path",
    errno.ENOENT: "there is no such file or folder, so check the path",
    errno.EISDIR: "that is a folder and not a file, so name a file",
    errno.ENOTDIR: "that is a file and not a folder, so name a folder",
    errno.EEXIST: "it is there already, so choose another path",
    errno.ENAMETOOLONG: "the name is too long, so choose a shorter one",
}


def explain(error: BaseException) -> tuple[str, int]:
    """Sentence and exit code of an exception.

    Returns
    -------
    sentence, exit_code
        One line that ends with a period and shows no password.
    """
    if isinstance(error, FermiloopError):
        return one_sentence(str(error)), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "Stopped from the keyboard.", INTERRUPTED
    if hasattr(error, "format_message"):  # typer's own errors, whichever click they derive from
        return one_sentence(_usage(error)), ASKED_WRONGLY
    if may_not_write(error):
        return one_sentence(MAY_NOT_WRITE), ASKED_WRONGLY
    package = type(error).__module__.partition(".")[0]
    if package in {"pymongo", "bson", "gridfs"}:
        return one_sentence(_database(error)), ASKED_WRONGLY
    if package == "mongoengine":
        return one_sentence(f"The document is refused: {_first_line(error)}"), ASKED_WRONGLY
    if isinstance(error, OSError):
        return one_sentence(_operating_system(error)), ASKED_WRONGLY
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; ask for less at a time or use a larger machine.", FAILED
    kind = type(error).__name__
    return one_sentence(f"Unexpected {kind}: {_first_line(error)}; add --debug to see where"), FAILED


def hidden(text: str) -> str:
    """The text with what URIs say of users taken out."""
    return re.sub(r"(\w+://)[^@/\s]*@", r"\1***@", re.sub(OF_A_USER, r"\1***@", text))


def one_sentence(text: str) -> str:
    """The text on one line, passwords of URIs hidden, with a period at its end."""
    flat = " ".join(hidden(text).split())
    return flat if flat.endswith((".", "!", "?")) else f"{flat.rstrip(';:,')}."


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300].rstrip(".") if lines else "no more is known"


def _usage(error: Any) -> str:
    """A mistake in the command line, with the value and where to read on."""
    message = " ".join(str(error.format_message()).split()).rstrip(".")
    cause = error.__cause__
    if hasattr(cause, "errors"):  # typer checks values with pydantic, and its message leaves the value out
        message = f"{message}, not {cause.errors()[0]['input']!r}"
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "fermiloop"
    return f"{message}; see {command} --help"


def _database(error: BaseException) -> str:
    """What the database driver threw."""
    unreachable = {"ServerSelectionTimeoutError", "AutoReconnect", "NetworkTimeout", "NotPrimaryError"}
    kind = type(error).__name__
    if kind in unreachable:
        return "The database does not answer; start it with fermiloop db start, or check FERMILOOP_MONGODB_URI"
    if kind in {"InvalidURI", "ConfigurationError"}:
        return f"FERMILOOP_MONGODB_URI is invalid: {_first_line(error)}"
    return f"The database refused ({kind}): {_first_line(error)}; see fermiloop doctor"


def _operating_system(error: OSError) -> str:
    """What the operating system refused, with the path."""
    path = error.filename if error.filename is not None else "what was asked for"
    remedy = OS_REMEDIES.get(
        error.errno or 0, f"{error.strerror or _first_line(error)}, so check the path and try again"
    )
    return f"{path} cannot be used: {remedy}"


@contextlib.contextmanager
def optimade_wanted() -> Iterator[None]:
    """Say how OPTIMADE is installed where it is missing.

    Raises
    ------
    UserError
        If it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "optimade":
            raise
        raise UserError(
            "OPTIMADE is not installed; install it with pip install '.[server]' in fermiloop's folder."
        ) from None
