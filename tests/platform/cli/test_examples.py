"""Examples in the help: every command has one, and each can be typed as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer

from fermiloop.platform.cli import examples
from fermiloop.platform.cli.main import app
from fermiloop.platform.cli.word_lists import spread

PROGRAM: Any = typer.main.get_command(app)


def tree(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from tree(below, (*path, name))


PATHS = list(tree(PROGRAM))


def parsed(words: list[str]) -> tuple[str, ...]:
    """Words of the command that a line leads to; its options and arguments are checked on the way."""
    command, path, parent, rest = PROGRAM, [], None, spread(words)
    while True:
        context = command.make_context(path[-1] if path else "fermiloop", list(rest), parent=parent)
        if not getattr(command, "commands", None):
            return tuple(path)
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        path, parent = [*path, name], context


@pytest.mark.parametrize("path", PATHS, ids=[" ".join(path) or "fermiloop" for path in PATHS])
def test_every_command_has_an_example_that_parses(path: tuple[str, ...]) -> None:
    found = examples.of(path)
    assert found, f"no example of fermiloop {' '.join(path)} in platform/cli/examples.py"
    for example in found:
        leads_to = parsed(shlex.split(example))
        assert leads_to[: len(path)] == path, f"{example!r} is no example of {' '.join(path)}"
        assert leads_to in PATHS


def test_no_example_is_of_a_command_that_is_gone() -> None:
    assert {" ".join(path) for path in PATHS} >= set(examples.EXAMPLES)


def test_what_cannot_be_typed_is_noticed() -> None:
    for wrong in ("campaign launch", "campaign launch x.yaml --wrokers 2", "worker run -n many", "nothing"):
        with pytest.raises(Exception, match=r"Missing|No such|valid integer"):
            parsed(shlex.split(wrong))


@pytest.mark.parametrize("argv", ["", "campaign", "campaign cancel", "bench dos", "materials find"])
def test_the_help_ends_with_its_examples(cli: Callable[..., Any], argv: str) -> None:
    shown = cli(*argv.split(), "--help")
    last = examples.of(tuple(argv.split()))[-1]
    assert " ".join(shown.out.split()).endswith(f"fermiloop {last}")
