"""Progress goes to stderr, and what libraries print goes nowhere."""

from __future__ import annotations

import pytest

from fermiloop.platform.cli.progress import long_work


def test_one_line_a_step_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with long_work("Training") as report:
        for step, fraction in (("read", 0.0), ("fit", 0.1), ("fit", 0.5), ("save", 1.0)):
            report(step, fraction)
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["Training: read", "Training: fit", "Training: save"]
    assert captured.out == ""


def test_libraries_that_print_spoil_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with long_work("Relaxing"):
        print("CHGNet v0.3.0 initialized with 412,525 parameters")
    print("mine")
    assert capsys.readouterr().out == "mine\n"


def test_what_ends_at_once_needs_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with long_work("Loading", quiet_for=30.0) as report:
        report("one", 0.5)
    assert capsys.readouterr().err == ""
