"""Every error that a person meets, in one small tree.

    FermiloopError
    ├── UserError            exit code 2: a mistake in what was asked
    │   ├── SpecError        a campaign file that is invalid
    │   ├── InputError       data from a file, a terminal or the network that is refused
    │   ├── PluginError      a declaration that cannot be used, ours or of an installed package
    │   └── NotFoundError    a name or an id that is not in the store
    └── FailureError         exit code 1: asked rightly, but it did not work
        ├── DatabaseError    no database, one that went away, or one of another version
        │   └── AwayError    nothing answers where a database should; it may come back
        ├── EngineError      a calculation that did not converge, crashed or ran out of time
        └── StoppedError     exit code 130: the user, or a signal, ended it before it was done

The message is one sentence that names the value and the remedy.
"""

from __future__ import annotations

from typing import ClassVar, Final

MAY_NOT_WRITE: Final = (
    "This database account may not do that: it may read only; "
    "give it the role readWrite, or name another account in FERMILOOP_MONGODB_URI."
)
NOT_ALLOWED: Final = 13  # MongoDB's code


class FermiloopError(Exception):
    """Base of all errors that are told in one sentence."""

    exit_code: ClassVar[int] = 1


class UserError(FermiloopError):
    """A mistake in what was asked."""

    exit_code: ClassVar[int] = 2


class SpecError(UserError):
    """A campaign file that is invalid."""


class InputError(UserError):
    """Data from outside that is refused."""


class PluginError(UserError):
    """A declaration that cannot be used, ours or of an installed package."""


class NotFoundError(UserError):
    """A name or an id that is not in the store."""


class FailureError(FermiloopError):
    """Asked rightly, but it did not work."""


class DatabaseError(FailureError):
    """No database, one that went away, or one of another version.

    Exit code 2: what is missing is the user's to provide.
    """

    exit_code: ClassVar[int] = 2


class AwayError(DatabaseError):
    """Nothing answers where a database should; it may come back."""


class EngineError(FailureError):
    """A calculation that did not converge, crashed or ran out of its time."""


class StoppedError(FailureError):
    """Ended by the keyboard or a signal before it was done."""

    exit_code: ClassVar[int] = 130


def may_not_write(error: BaseException | None) -> bool:
    """Whether the database refused the account, in whatever other libraries have wrapped that."""
    for _ in range(8):
        if error is None:
            return False
        details = getattr(error, "details", None) or {}
        codes = [getattr(error, "code", None), *(one.get("code") for one in details.get("writeErrors", []))]
        if type(error).__module__.startswith("pymongo") and NOT_ALLOWED in codes:
            return True
        error = error.__cause__ or error.__context__
    return False
