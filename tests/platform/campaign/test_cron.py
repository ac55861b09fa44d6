"""When cron texts are due: five years of three zones against a count made with the zones alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign import cron
from fermiloop.platform.errors import InputError

BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
Wanted = Callable[[datetime], bool]
FIXED: dict[str, Wanted] = {
    "0 0 * * *": lambda t: (t.hour, t.minute) == (0, 0),
    "30 2 * * *": lambda t: (t.hour, t.minute) == (2, 30),
    "15 2 * * *": lambda t: (t.hour, t.minute) == (2, 15),
    "45 1 * * *": lambda t: (t.hour, t.minute) == (1, 45),
    "0 2,3 * * *": lambda t: t.hour in (2, 3) and t.minute == 0,
    "0,30 1-3 * * *": lambda t: t.hour in (1, 2, 3) and t.minute in (0, 30),
    "0 3 * * 1": lambda t: t.isoweekday() == 1 and (t.hour, t.minute) == (3, 0),
    "30 2 * * SUN": lambda t: t.isoweekday() == 7 and (t.hour, t.minute) == (2, 30),
    "30 2 * * 7": lambda t: t.isoweekday() == 7 and (t.hour, t.minute) == (2, 30),
    "0 9 * * MON-FRI": lambda t: t.isoweekday() <= 5 and (t.hour, t.minute) == (9, 0),
    "15 1 29 2 *": lambda t: (t.month, t.day, t.hour, t.minute) == (2, 29, 1, 15),
    "0 12 1 * *": lambda t: (t.day, t.hour, t.minute) == (1, 12, 0),
    "0 0 13 * 5": lambda t: (t.day == 13 or t.isoweekday() == 5) and (t.hour, t.minute) == (0, 0),  # or, as in cron
}
STEPS: dict[str, Wanted] = {
    "*/15 * * * *": lambda t: True,
    "0 * * * *": lambda t: t.minute == 0,
    "0 */2 * * *": lambda t: t.hour % 2 == 0 and t.minute == 0,
    "*/15 2 * * *": lambda t: t.hour == 2,
    "0 */2 * * 0": lambda t: t.isoweekday() == 7 and t.hour % 2 == 0 and t.minute == 0,
}


@cache
def quarters(zone: str) -> list[tuple[datetime, datetime]]:
    """Every quarter of an hour of the five years, in UTC and as the clock on the wall shows it."""
    place, count = ZoneInfo(zone), int((END - BEGIN) / QUARTER)
    moments = [BEGIN + i * QUARTER for i in range(-12, count)]
    return [(moment, moment.astimezone(place).replace(tzinfo=None)) for moment in moments]


def counted(zone: str, wanted: Wanted, *, every: bool) -> list[datetime]:
    """When a text is due by the clock on the wall.

    A fixed time is due when the clock first shows it or goes past it; the others whenever the clock shows them.
    """
    due, furthest = [], quarters(zone)[0][1]
    for moment, wall in quarters(zone)[1:]:
        passed = [wall]
        if not every:
            passed = [furthest + i * QUARTER for i in range(1, int((wall - furthest) / QUARTER) + 1)]
        if moment >= BEGIN and any(wanted(time) for time in passed):
            due.append(moment)
        furthest = max(furthest, wall)
    return due


@cache
def told(text: str, zone: str, begin: datetime = BEGIN, end: datetime = END) -> list[datetime]:
    """When a text is due as the module says: each time asked for from the one before, as the scheduler does."""
    due, after = [], begin - timedelta(seconds=1)
    while (following := cron.next_due(text, zone, after)) is not None and following < end:
        due.append(following)
        after = following
    return due


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", FIXED)
def test_five_years_of_fixed_times(text: str, zone: str) -> None:
    assert told(text, zone) == counted(zone, FIXED[text], every=False)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", STEPS)
def test_steps_on_the_days_about_each_change_of_five_years(text: str, zone: str) -> None:
    expected = counted(zone, STEPS[text], every=True)
    offsets = [(moment, moment - wall.replace(tzinfo=UTC)) for moment, wall in quarters(zone) if moment >= BEGIN]
    changes = [later for (_, before), (later, now) in pairwise(offsets) if before != now]
    assert len(changes) == 10
    for change in changes:
        begin, end = change - timedelta(hours=30), change + timedelta(hours=30)
        assert told(text, zone, begin, end) == [moment for moment in expected if begin <= moment < end]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["0 0 * * *", "30 2 * * *", "15 2 * * *", "45 1 * * *"])
def test_no_day_of_five_years_is_missed_and_none_comes_twice(text: str, zone: str) -> None:
    days = [due.astimezone(ZoneInfo(zone)).date() for due in told(text, zone)]
    assert len(days) == len(set(days))
    assert {later - before for before, later in pairwise(days)} == {timedelta(days=1)}
    assert len(days) in (1826, 1827, 1828)


@pytest.mark.parametrize(
    ("text", "zone", "day", "due"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-29", ["01:00"]),  # 2:30 is skipped: at 3:00, when the clocks have gone
        ("30 2 * * *", "Europe/Berlin", "2026-10-25", ["00:30"]),  # 2:30 comes twice: at the first
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-04", ["15:30 the day before"]),
        ("0 0 * * *", "America/Santiago", "2026-09-06", ["04:00"]),  # there midnight itself is skipped
        ("0,30 2 * * *", "America/New_York", "2026-03-08", ["07:00"]),  # two that fall on one moment are one
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-29", []),
        ("*/30 2 * * *", "Europe/Berlin", "2026-10-25", ["00:00", "00:30", "01:00", "01:30"]),
    ],
)
def test_days_of_23_and_25_hours(text: str, zone: str, day: str, due: list[str]) -> None:
    place = ZoneInfo(zone)
    begin = datetime.fromisoformat(day).replace(tzinfo=place).astimezone(UTC)
    found = told(text, zone, begin, begin + timedelta(hours=22))
    date = datetime.fromisoformat(day).date()
    assert [f"{t:%H:%M}" + " the day before" * (t.date() < date) for t in found] == due


def test_a_time_asked_for_in_the_second_of_two_equal_hours_is_not_in_the_past() -> None:
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 2:10 in Berlin, for the second time
    assert cron.next_due("30 2 * * *", "Europe/Berlin", second) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@given(
    st.integers(0, 15 * 365 * 86400).map(lambda seconds: BEGIN + timedelta(seconds=seconds)),
    st.sampled_from([*ZONES, "America/Santiago", "Africa/Cairo", "Africa/Casablanca", "Antarctica/Troll", "UTC"]),
    st.sampled_from([*FIXED, *STEPS]),
)
def test_the_next_time_is_later_in_utc_and_on_a_full_minute(moment: datetime, zone: str, text: str) -> None:
    due = cron.next_due(text, zone, moment)
    assert due is not None
    assert due > moment
    assert due.tzinfo is UTC
    assert (due.second, due.microsecond) == (0, 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 fields"), ("0 3 * *", "4 fields"), ("0 0 3 * * *", "6 fields"), ("@daily", "1 fields"),
        ("at three", "2 fields"), ("60 3 * * *", "no such minute"), ("0 24 * * *", "no such hour"),
        ("0 3 0 * *", "no such day-of-month"), ("0 3 * 13 *", "no such month"), ("0 3 * * 8", "no such day-of-week"),
        ("-5 3 * * *", "no such minute"), ("*/0 3 * * *", "no such minute"), ("1.5 3 * * *", "no such minute"),
        ("0 3 ? * *", "no such day-of-month"), ("5-1 3 * * *", "no such minute"), ("0 3 * * FRI-MON", "day-of-week"),
        ("٣ 3 * * *", "no such minute"), ("0 0 30 2 *", "no such day-of-month"), ("0 0 31 2,4,6 *", "day-of-month"),
        ("* * */20 * 1L", "never comes"), ("1" * 5000 + " 3 * * *", "more than 200"), ("1,,2 3 * * *", "minute"),
    ],
)  # fmt: skip
def test_what_names_no_time_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refusal:
        cron.check(text, "Europe/Berlin")
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert len(sentence) < 450


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "/etc/passwd", "Europe", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InputError, match=r"time zone .* is unknown"):
        cron.check("0 3 * * *", zone)


@given(st.text(max_size=40))
def test_nonsense_is_refused_or_due_but_never_breaks(text: str) -> None:
    try:
        cron.check(text, "UTC")
    except InputError:
        return
    assert cron.next_due(text, "UTC", BEGIN) is not None
