"""Times on the pages: the same in whatever zone the server's process runs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fermiloop.platform.store import schedules
from fermiloop.platform.web.parts import ago, in_utc
from fermiloop.schemas.schedule import Schedule

SCRIPT = """
from datetime import timedelta
from fermiloop.platform.store import connection, schedules
from fermiloop.platform.web.parts import ago
from fermiloop.platform.web.schedules import _moment
from fermiloop.platform.cli.output import plain
from fermiloop.schemas.base import now
connection.connect()
found = schedules.get("nightly")
print(ago(now() - timedelta(hours=3)), ago(found.created_at), _moment(found.next_look_at), plain(found.next_look_at))
"""


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_ages_and_times_are_those_of_utc_in_any_zone(zone: str, database: str, server_uri: str) -> None:
    made = Schedule(id="nightly", generator="ftcp", method="m", trigger="cron", value="0 3 * * *")
    made.created_at = datetime.now(UTC) - timedelta(hours=2)
    made.next_look_at = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    schedules.add(made)
    environment = {
        **os.environ, "TZ": zone, "FERMILOOP_MONGODB_URI": server_uri, "FERMILOOP_DATABASE": database,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }  # fmt: skip
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], env=environment, capture_output=True)
    assert told.stdout.decode().strip() == "3 h ago 2 h ago 2026-03-29 01:00 UTC 2026-03-29T01:00:00+00:00", told.stderr


def test_an_age_counts_from_utc_whatever_the_zone_of_the_moment() -> None:
    moment = datetime.now(UTC) - timedelta(minutes=5)
    kolkata = timezone(timedelta(hours=5, minutes=30))
    assert ago(moment) == ago(moment.astimezone(kolkata)) == ago(moment.replace(tzinfo=None)) == "5 min ago"
    assert in_utc(moment.astimezone(kolkata)) == moment
    assert ago(datetime.now(UTC) + timedelta(minutes=5)) == "0 s ago"  # a host whose clock is fast
    assert ago(None) == "–"
