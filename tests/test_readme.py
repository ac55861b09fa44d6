"""The session in the README runs as printed."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from fermiloop.platform.cli.main import app
from fermiloop.platform.cli.word_lists import spread

ROOT = Path(__file__).parent.parent
README = Path(__file__).parent.parent / "README.md"


def test_readme_session() -> None:
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted >= 8
    assert result.failed == 0


def commands() -> list[str]:
    """Lines of fermiloop in the blocks of the README."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    every = "".join(text for language, text in blocks if not language)
    lines = [part for line in every.splitlines() for part in line.partition(" # ")[0].split("&&")]
    return [line.strip() for line in lines if line.strip().startswith("fermiloop ")]


@pytest.mark.parametrize("line", commands())
def test_every_command_can_be_typed_as_it_stands(line: str) -> None:
    command: Any = typer.main.get_command(app)
    parent, name, rest = None, "fermiloop", spread(shlex.split(line)[1:])
    while True:
        context = command.make_context(name, list(rest), parent=parent)
        if not getattr(command, "commands", None):
            break
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        parent = context
    for value in context.params.values():
        assert not isinstance(value, Path) or value.parts[0] != "examples" or (ROOT / value).is_file()


def test_there_are_commands_and_targets() -> None:
    assert len(commands()) > 12
    for target in sorted(set(re.findall(r"\bmake (\w+)", README.read_text())) & {"demo", "serve", "test", "clean"}):
        shown = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert shown.returncode == 0, shown.stderr
    for command in ("make demo", "make serve", "make test", ". .venv/bin/activate", "pip install '.["):
        assert command in README.read_text()
