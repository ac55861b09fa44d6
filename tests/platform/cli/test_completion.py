"""Shell completion: the script of each shell, its installation, and what it completes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOLD = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # the shell is named, whoever runs the tests
PROGRAM = (sys.executable, "-m", "fermiloop.platform.cli.main")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    shown = run("--show-completion", shell, **TOLD)
    assert shown.returncode == 0, shown.stderr
    assert f"_FERMILOOP_COMPLETE=complete_{shell}" in shown.stdout


def test_it_is_installed_in_the_home_folder(tmp_path: Path) -> None:
    done = run("--install-completion", "bash", HOME=str(tmp_path), **TOLD)
    assert done.returncode == 0, done.stderr
    assert "fermiloop.sh" in (tmp_path / ".bashrc").read_text()
    assert (tmp_path / ".bash_completions" / "fermiloop.sh").is_file()


@pytest.mark.parametrize(("typed", "place", "found"), [("fermiloop camp", "1", "campaign"),
                                                       ("fermiloop campaign la", "2", "launch")])  # fmt: skip
def test_commands_are_completed(typed: str, place: str, found: str) -> None:
    told = run(_FERMILOOP_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=place)
    assert told.stdout.split() == [found]
