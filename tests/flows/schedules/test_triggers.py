"""Triggers of schedules: one class each, whose name is the option, the argument and what is stored."""

from __future__ import annotations

import inspect

import pytest
import typer

from fermiloop.flows.schedules import triggers
from fermiloop.platform.cli import schedule
from fermiloop.platform.errors import InputError
from fermiloop.schemas.schedule import Schedule


def test_names_are_stored_so_they_stay() -> None:
    assert list(triggers.TRIGGERS) == ["cron", "new_labels", "drift", "after_round"]
    assert {"cron"} == triggers.TIMED


def test_the_command_has_an_option_for_each() -> None:
    command = typer.main.get_command(schedule.app).commands["add"]  # type: ignore[attr-defined]
    options = {one.name: one for one in command.params}
    for name, trigger in triggers.TRIGGERS.items():
        assert options[name].opts == [trigger.option]
        assert options[name].help == trigger.help
    assert "given" not in options
    assert "given" not in inspect.signature(schedule.add).parameters


def test_a_trigger_of_another_version_is_told() -> None:
    with pytest.raises(InputError, match="moon is no trigger; choose one of cron"):
        triggers.of(Schedule(id="x", generator="ftcp", method="m", trigger="moon", value="full"))
