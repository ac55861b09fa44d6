"""Every exception becomes one sentence and one exit code."""

from __future__ import annotations

import errno

import pytest
import typer
from pymongo.errors import DuplicateKeyError, ServerSelectionTimeoutError

from fermiloop.platform.cli.failures import explain, one_sentence
from fermiloop.platform.errors import DatabaseError, EngineError, InputError


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (InputError("The value 3 is too much; give 2."), 2, "The value 3"),
        (EngineError("It did not converge."), 1, "converge"),
        (DatabaseError("No database."), 2, "No database"),
        (KeyboardInterrupt(), 130, "keyboard"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 2, "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), 2, "/root/x"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.yaml"), 2, "a.yaml"),
        (OSError("odd"), 2, "odd"),
        (ServerSelectionTimeoutError("localhost:1: refused\nmore"), 2, "does not answer"),
        (DuplicateKeyError("E11000 duplicate"), 2, "DuplicateKeyError"),
        (typer.BadParameter("'x' is no number"), 2, "'x' is no number"),
        (MemoryError(), 1, "memory"),
        (KeyError("k"), 1, "--debug"),
        (ValueError(), 1, "no more is known"),
    ],
)
def test_sentences(error: BaseException, code: int, says: str) -> None:
    sentence, got = explain(error)
    assert got == code
    assert says in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_passwords_are_hidden() -> None:
    sentence = one_sentence("cannot reach mongodb://root:s3cret@host:27017/x")
    assert "s3cret" not in sentence
    assert "host:27017" in sentence
