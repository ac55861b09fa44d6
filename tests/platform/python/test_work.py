"""Calculations, schedules and workers from Python: what the command line does, by the same functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fermiloop
from fermiloop.platform.errors import InputError, NotFoundError, UserError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations


@pytest.fixture
def failed(store: dict[str, Any]) -> str:
    """Id of a calculation that has failed."""
    crystal = PROTOTYPES["B2"].build("Ni", "Al", 12.0)
    made = calculations.plan("c-1", crystal, engine="analytic", method="method-1", settings={}, campaign="none")
    calculations.start(made, "a worker")
    calculations.finish(made, "failed", core_seconds=1.5, error="relax: did not converge")
    return made


def test_calculations_are_found_and_set_aside(failed: str) -> None:
    (found,) = fermiloop.calculations.find(state="failed", error="CONVERGE")
    assert (found.id, found.engine, found.core_seconds, found.ignored) == (failed, "analytic", 1.5, False)
    assert fermiloop.calculations.get(failed) == found
    assert fermiloop.calculations.logs(failed) == {}
    assert fermiloop.calculations.ignore([found]) == 1
    assert fermiloop.calculations.get(failed).ignored
    assert fermiloop.calculations.find(error="no such text") == []


def test_slips_about_calculations_are_told(failed: str) -> None:
    with pytest.raises(InputError, match="The state 'done' is unknown"):
        fermiloop.calculations.find(state="done")
    with pytest.raises(NotFoundError):
        fermiloop.calculations.get("calc-none")
    with pytest.raises(NotFoundError):
        fermiloop.calculations.rerun(["calc-none"])


def test_a_schedule_from_its_adding_to_its_end(store: dict[str, Any]) -> None:
    made = fermiloop.schedules.add("nightly", "dos_composer", cron="0 3 * * *")
    assert (made.trigger, made.value, made.active) == ("cron", "0 3 * * *", True)
    assert fermiloop.schedules.find() == [made]
    fermiloop.schedules.pause("nightly")
    assert not fermiloop.schedules.find()[0].active
    assert fermiloop.schedules.look() == []
    fermiloop.schedules.resume("nightly")
    assert fermiloop.schedules.history("nightly") == []
    fermiloop.schedules.remove("nightly")
    assert fermiloop.schedules.find() == []


def test_slips_about_schedules_are_told(store: dict[str, Any]) -> None:
    for triggers in ({}, {"cron": "0 3 * * *", "drift": 0.01}):
        with pytest.raises(InputError, match="give one of cron, new_labels, drift, after_round"):
            fermiloop.schedules.add("x", "dos_composer", **triggers)
    with pytest.raises(UserError):
        fermiloop.schedules.add("x", "dos_composer", cron="whenever")
    with pytest.raises(NotFoundError):
        fermiloop.schedules.fire("none")


def test_workers_do_what_waits_and_nobody_listens_then(store: dict[str, Any]) -> None:
    assert fermiloop.workers.listening() == []
    with pytest.raises(InputError, match="0 workers do nothing"):
        fermiloop.workers.run(0)


def test_an_export_needs_its_ending(store: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tar\.gz"):
        fermiloop.Campaign("none").export(tmp_path / "none.zip")
