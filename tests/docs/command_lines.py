"""Command lines of documents, parsed and not run."""

from __future__ import annotations

from typing import Any, Final

import typer

from fermiloop.platform.cli.main import app
from fermiloop.platform.cli.word_lists import spread

PROGRAM: Final[Any] = typer.main.get_command(app)


def refuse_unknown(words: list[str], *, whole: bool = True) -> None:
    """Raise what typer raises of a command, option or argument that is not there, or is missing from a whole line."""
    command, parent, rest = PROGRAM, None, spread(words)
    while rest or whole:
        context = command.make_context("fermiloop", list(rest), parent=parent)
        if not getattr(command, "commands", None):
            return
        _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        parent = context
