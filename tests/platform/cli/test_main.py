"""The program as a process: quick, quiet where its reader leaves, silent about itself elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-m", "fermiloop.platform.cli.main"]
HEAVY = ("torch", "pymatgen", "mongoengine", "pymongo", "matplotlib", "scipy")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / ".src")}


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys; from fermiloop.platform.cli.main import main; main(['--help']);"
        f"sys.exit(', '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    )
    began = time.process_time()
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "campaign" in run.stdout
    assert time.process_time() - began < 1.0


def test_a_reader_that_leaves_is_no_error() -> None:
    run = subprocess.run(
        f"{' '.join(PROGRAM)} version | true",
        shell=True,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stderr == ""


@pytest.mark.parametrize("noun", ["db", "materials", "candidates", "generators", "campaign", "worker", "bench"])
def test_every_noun_has_help(cli: Callable[..., Any], noun: str) -> None:
    shown = cli(noun, "--help")
    assert shown.code == 0
    assert "Commands" in shown.out
    assert shown.err == ""


def test_nothing_asked_shows_the_help(cli: Callable[..., Any]) -> None:
    shown = cli()
    assert shown.code == 0
    assert "materials" in shown.out


def test_debug_may_stand_anywhere(cli: Callable[..., Any]) -> None:
    for argv in (("--debug", "worker", "run", "-n", "0"), ("worker", "run", "-n", "0", "--debug")):
        failed = cli(*argv)
        assert failed.code == 2
        assert "Traceback" in failed.err
        assert failed.err.splitlines()[-1].startswith("0 workers")


def test_version_and_short_help(cli: Callable[..., Any]) -> None:
    told = cli("--version")
    assert told.code == 0
    assert told.out.startswith("fermiloop ")
    assert len(told.out.splitlines()) == 1
    for argv in (("-h",), ("campaign", "-h"), ("campaign", "launch", "-h")):
        assert cli(*argv).out == cli(*argv[:-1], "--help").out


def test_the_shell_completes_names() -> None:
    run = subprocess.run(
        PROGRAM,
        env={
            **environment(),
            "_FERMILOOP_COMPLETE": "complete_bash",
            "COMP_WORDS": "fermiloop campaign va",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stdout.split() == ["validate"]


SYMMETRY = """
import sys, spglib
from fermiloop.platform.cli.main import main
main(sys.argv[1:])
cell = [[4.473924, 0, 0.00003], [2.236965, 3.874021, 0.00002], [0, 0, 5.112519]]
sites = [[0, 0, 0.003214], [0.666598, 0.666704, 0.512393], [0.333302, 0.333296, 0.512393]]
spglib.get_symmetry_dataset((cell, sites, [56, 31, 31]), symprec=0.1)
"""


@pytest.mark.parametrize(("argv", "quiet"), [(["--version"], True), (["--version", "--debug"], False)])
def test_spglib_is_heard_with_debug_alone(argv: list[str], quiet: bool) -> None:
    calm = {name: value for name, value in environment().items() if name != "SPGLIB_WARNING"}
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SYMMETRY, *argv], env=calm, capture_output=True, text=True, check=True
    )
    assert ("spglib" not in told.stderr) is quiet
