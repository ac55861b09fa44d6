"""How a contract is told to be broken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from fermiloop.platform.errors import FermiloopError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


def expect(condition: object, sentence: str) -> None:
    """Go on where a condition is met.

    Raises
    ------
    AssertionError
        With the sentence, where it is not.
    """
    if not condition:
        raise AssertionError(sentence)


@contextlib.contextmanager
def refused(what: str) -> Iterator[None]:
    """Expect an `InputError` of one sentence from what is done inside.

    Parameters
    ----------
    what
        What must be refused, as the beginning of a sentence.
    """
    try:
        yield
    except InputError as error:
        expect(str(error).endswith((".", "?")), f"{what} must be refused in a sentence, not by {str(error)!r}.")
    except Exception as error:  # of somebody else's package: anything may come
        said = f"{what} must be refused by an InputError, not by {type(error).__name__}: {error}."
        raise AssertionError(said) from error
    else:
        raise AssertionError(f"{what} must be refused by an InputError, and was accepted.")


@contextlib.contextmanager
def works_or_says_why_not(what: str) -> Iterator[None]:
    """Expect that what is done inside works, or ends in an error of ours with a sentence."""
    try:
        yield
    except AssertionError:
        raise
    except FermiloopError as error:
        expect(str(error).endswith((".", "?")), f"{what} must fail in a sentence, not by {str(error)!r}.")
    except Exception as error:  # of somebody else's package: anything may come
        said = f"{what} must work or fail by a FermiloopError, not by {type(error).__name__}: {error}."
        raise AssertionError(said) from error
