"""What is newest is decided by a rising number, whatever the clocks say."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mongoengine import get_db

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import bundle_contents, calculations, campaigns, checkpoints, schedules, sequence
from fermiloop.schemas.schedule import Schedule

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TAKE = """
from fermiloop.platform.store import connection, sequence
connection.connect()
print(*[sequence.take() for _ in range(25)])
"""


def freeze(collection: str, *fields: str) -> None:
    """Give all documents the same times, as of one millisecond."""
    get_db()[collection].update_many({}, {"$set": dict.fromkeys(fields, MOMENT)})


def test_numbers_rise(database: str) -> None:
    taken = [sequence.take() for _ in range(5)]
    assert taken == sorted(set(taken))


def test_no_two_processes_take_the_same_number(database: str, server_uri: str) -> None:
    environment = {
        **os.environ, "FERMILOOP_MONGODB_URI": server_uri, "FERMILOOP_DATABASE": database,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", "-c", TAKE]
    workers = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [list(map(int, worker.communicate(timeout=120)[0].split())) for worker in workers]
    everything = [number for output in outputs for number in output]
    assert len(everything) == 75
    assert len(set(everything)) == 75
    assert all(output == sorted(output) for output in outputs)


@pytest.mark.parametrize(
    ("one", "than", "expected"),
    [
        ((5, MOMENT), (4, MOMENT), True),
        ((4, MOMENT), (5, MOMENT), False),
        ((5, MOMENT), (5, MOMENT), False),
        ((5, MOMENT - timedelta(minutes=10)), (4, MOMENT), True),  # a clock that is slow
        ((0, MOMENT), (4, MOMENT), False),  # before the counter: by time, and a tie is not after
        ((0, MOMENT + timedelta(seconds=1)), (4, MOMENT), True),
        ((None, MOMENT), (None, None), True),
        ((7, None), (4, MOMENT), False),  # it has not happened
    ],
)
def test_after_is_by_number_and_else_by_time(one: Any, than: Any, expected: bool) -> None:
    assert sequence.is_after(*one, *than) is expected


def test_campaigns_of_one_millisecond_are_listed_newest_first(database: str) -> None:
    for name in ("b", "c", "a"):
        campaigns.create(name, {"name": name}, "text")
    freeze("campaigns", "created_at")
    assert [one.id for one in campaigns.find()] == ["a", "c", "b"]


def test_firings_of_one_millisecond_keep_their_order(database: str) -> None:
    for key in ("labels-9", "labels-1", "labels-5"):
        assert schedules.begin("nightly", key, "why", "me", int(key[-1])) is not None
    freeze("schedule_runs", "started_at")
    assert [run.key for run in schedules.history("nightly")] == ["labels-5", "labels-1", "labels-9"]
    last = schedules.last_run("nightly")
    assert last is not None
    assert last.labels == 5
    assert [run.key for run in schedules.unfinished()] == ["labels-9", "labels-1", "labels-5"]


def test_a_rollback_within_a_millisecond_goes_back_one_by_one(database: str, tmp_path: Path) -> None:
    made = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "weights.safetensors").write_bytes(bytes([number]))
        made.append(
            checkpoints.save(
                folder, generator="g", preset=None, config={}, metrics={}, history=[], snapshot="snap", seed=number
            )
        )
    for one in (made[1], made[2], made[0]):
        checkpoints.promote(one)
    freeze("checkpoints", "created_at", "promoted_at")
    assert checkpoints.champion("g").id == made[0]
    assert [one.id for one in checkpoints.find("g")] == list(reversed(made))
    assert checkpoints.rollback("g").id == made[2]
    assert checkpoints.rollback("g").id == made[1]
    with pytest.raises(NotFoundError, match="no earlier champion"):
        checkpoints.rollback("g")


def test_calculations_of_one_millisecond_keep_their_order(database: str, crystal: Any) -> None:
    planned = [
        calculations.plan(
            None, crystal("Ni", "Al", volume=volume), engine="analytic", method="m", settings={}, campaign="x"
        )
        for volume in (14.0, 12.0, 13.0)
    ]
    freeze("calculations", "created_at")
    assert [one.id for one in calculations.of_campaign("x")] == planned
    assert [one.id for one in calculations.find(campaign="x")] == list(reversed(planned))


def test_numbers_of_another_store_do_not_come_in(database: str) -> None:
    row = {
        "_id": "far/1",
        "campaign": "far",
        "number": 1,
        "state": "closed",
        "sequence": 10**6,
        "closed_sequence": 10**6,
    }
    assert bundle_contents.insert("rounds", [row | {"closed_at": MOMENT, "created_at": MOMENT}]) == 1
    assert campaigns.round_of("far", 1).closed_sequence == 0
    assert campaigns.round_of("far", 1).sequence == 0


def test_a_schedule_has_a_number_of_its_own(database: str) -> None:
    schedules.add(Schedule(id="s", generator="g", method="m", trigger="new_labels", value="5"))
    assert schedules.get("s").sequence > 0
