"""A batch is shared out by measured hit rates, none starves, and the same seed gives the same places."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.bandit import allocate, earned
from fermiloop.platform.errors import InputError

RECORDS = st.dictionaries(
    st.sampled_from(["ftcp", "imatgen", "ccdcgan", "substitution"]),
    st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
)


@given(st.integers(0, 40), RECORDS, st.integers(0, 3))
def test_places_add_up_and_the_floor_holds(batch: int, records: dict[str, tuple[int, int]], floor: int):
    places = allocate(batch, records, np.random.default_rng(0), floor)
    assert set(places) == set(records)
    assert sum(places.values()) == batch
    if batch >= floor * len(records):
        assert min(places.values()) >= floor


def test_the_same_seed_gives_the_same_places_whatever_the_order():
    records = {"a": (3, 10), "b": (1, 10), "c": (0, 0)}
    first = allocate(20, records, np.random.default_rng(5))
    assert allocate(20, dict(reversed(records.items())), np.random.default_rng(5)) == first


def test_the_better_one_gets_most():
    places = allocate(50, {"good": (40, 100), "bad": (2, 100)}, np.random.default_rng(1))
    assert places == {"good": 49, "bad": 1}


def test_equals_share():
    totals = np.zeros(2)
    for seed in range(40):
        places = allocate(10, {"a": (10, 50), "b": (10, 50)}, np.random.default_rng(seed), floor=0)
        totals += [places["a"], places["b"]]
    assert totals.min() / totals.sum() > 0.4


def test_a_newcomer_is_tried_but_does_not_take_all():
    given = [
        allocate(20, {"old": (20, 100), "new": (0, 0)}, np.random.default_rng(seed), floor=0)["new"]
        for seed in range(60)
    ]
    assert 3 < np.mean(given) < 17


def test_too_small_a_batch_goes_to_the_least_evaluated():
    places = allocate(2, {"a": (9, 9), "b": (0, 1), "c": (0, 3)}, np.random.default_rng(0))
    assert places == {"a": 0, "b": 1, "c": 1}


def test_over_rounds_the_best_earns_the_budget():
    rng, rates = np.random.default_rng(3), {"a": 0.3, "b": 0.1, "c": 0.05}
    records = dict.fromkeys(rates, (0, 0))
    for _ in range(20):
        for name, n in allocate(10, records, rng).items():
            hits, evaluated = records[name]
            records[name] = (hits + int(rng.binomial(n, rates[name])), evaluated + n)
    rows = earned(records)
    assert rows[0].generator == "a"
    assert rows[0].share > 0.5
    assert min(row.evaluations for row in rows) >= 20
    assert sum(row.share for row in rows) == pytest.approx(1)


def test_rows_tell_rate_and_interval():
    best, idle = earned({"idle": (0, 0), "busy": (5, 20)})
    assert (best.generator, best.rate, best.share) == ("busy", 0.25, 1.0)
    assert best.low < 0.25 < best.high
    assert (idle.rate, idle.low, idle.high, idle.share) == (None, 0.0, 1.0, 0.0)
    assert earned({}) == []


@pytest.mark.parametrize(
    ("batch", "records", "floor", "named"),
    [
        (5, {}, 1, "at least one"),
        (-1, {"a": (0, 0)}, 1, "-1"),
        (5, {"a": (0, 0)}, -2, "-2"),
        (5, {"a": (3, 2)}, 1, "3 of 2"),
    ],
)
def test_what_makes_no_sense_is_refused(batch: int, records: dict[str, tuple[int, int]], floor: int, named: str):
    with pytest.raises(InputError, match=named):
        allocate(batch, records, np.random.default_rng(0), floor)


def one_by_one(rates: dict[str, float], window: int, most: int, flying: int) -> dict[str, int]:
    """Evaluations of each where every result frees one place, with so many in flight."""
    rng = np.random.default_rng(7)
    records = dict.fromkeys(rates, (0, 0))
    running: list[str] = []
    for _ in range(most):
        if len(running) > flying:
            ended = running.pop(0)
            hits, evaluated = records[ended]
            records[ended] = (hits + int(rng.random() < rates[ended]), evaluated + 1)
        places = allocate(1, records, rng, window=window, running=Counter(running))
        (name,) = (name for name, n in places.items() if n)
        running.append(name)
    return {name: records[name][1] + running.count(name) for name in rates}


@pytest.mark.parametrize("flying", [0, 3])
def test_one_place_at_a_time_the_better_one_gets_most_and_none_starves(flying: int):
    given = one_by_one({"bad": 0.02, "good": 0.6}, window=8, most=160, flying=flying)
    assert given["good"] > 110
    assert given["bad"] >= 160 // 8


def test_in_a_window_too_small_for_all_the_least_evaluated_comes_first():
    places = allocate(1, {"a": (9, 9), "b": (0, 3), "c": (0, 2)}, np.random.default_rng(0), window=2, running={"c": 2})
    assert places == {"a": 0, "b": 1, "c": 0}
