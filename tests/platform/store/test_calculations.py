"""A calculation is planned once, finished once, ingested once, whoever asks and how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import calculations
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import CalculationState

DONE, FAILED = CalculationState.COMPLETED, CalculationState.FAILED


@pytest.fixture
def plan(method, crystal):
    """Planner of a calculation: its id."""

    def make(a: str = "Ni", b: str = "Al", candidate: str = "c-1", by: str = method) -> str:
        return calculations.plan(
            candidate, crystal(a, b), engine="gpaw", method=by, settings={"cutoff": 400}, campaign="pd-like"
        )

    return make


def test_the_same_structure_by_the_same_method_is_planned_once(plan, other_method):
    first = plan()
    assert plan(candidate="c-2") == first
    assert len({first, plan("Ni", "Ti"), plan(by=other_method)}) == 3
    kept = calculations.get(first)
    assert (kept.candidate, kept.state, kept.attempts, kept.core_seconds) == ("c-1", CalculationState.WAITING, 0, 0.0)


def test_planners_at_the_same_time(plan):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: plan(), range(16)))) == 1
    assert Calculation.objects.count() == 1


def test_what_is_no_crystal_is_not_planned(method, crystal):
    broken = crystal("Ni", "Al")
    broken.scale_lattice(0.01)
    with pytest.raises(InputError, match="structure is invalid"):
        calculations.plan(None, broken, engine="gpaw", method=method, settings={})
    assert Calculation.objects.count() == 0


def test_attempts_are_counted_until_it_is_finished(plan):
    key = plan()
    assert calculations.start(key, "one")
    assert not calculations.start(key, "one")  # its next step is no further attempt
    assert calculations.put_back(key)  # the first was killed
    assert calculations.start(key, "two")
    kept = calculations.get(key)
    assert (kept.state, kept.attempts, kept.worker) == (CalculationState.RUNNING, 2, "two")
    assert calculations.finish(key, DONE, core_seconds=12.5, result={"energy_per_atom": -5.0})
    assert not calculations.start(key, "three")
    assert calculations.get(key).attempts == 2


def test_a_result_that_lacks_a_property_is_asked_for_again_where_somebody_says_so(plan):
    key, lacking = plan(), {"missing": {"hydrogen_interstitial_energy": "1 of 2 sites did not end"}}
    assert calculations.missing(calculations.get(key)) == {}
    calculations.finish(key, DONE, core_seconds=1.0, result={"energy_per_atom": -5.0, **lacking})
    assert calculations.missing(calculations.get(key)) == lacking["missing"]
    assert not calculations.put_back(key, failed_too=True)
    assert not calculations.change_settings(key, {"cutoff": 400})
    assert calculations.change_settings(key, {"cutoff": 400, "hydrogen_steps": 60})
    kept = calculations.get(key)
    assert (kept.state, calculations.missing(kept)) == (CalculationState.WAITING, {})
    assert calculations.finish(key, DONE, core_seconds=2.0, result={"energy_per_atom": -5.0})
    assert not calculations.put_back(key, failed_too=True, lacking_too=True)
    assert not calculations.change_settings(key, {"cutoff": 400})


def test_its_end_and_that_it_is_in_the_store_are_one_write(plan):
    key = plan()
    assert calculations.finish(key, DONE, core_seconds=1.0, result={"energy_per_atom": -5.0}, late=True)
    kept = calculations.get(key)
    assert (kept.state, kept.ingested, kept.late) == (DONE, True, True)
    assert kept.ingested_sequence
    assert not calculations.mark_ingested(key)


def test_it_is_finished_once(plan):
    key = plan()
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: calculations.finish(key, DONE, core_seconds=float(i)), range(8)))
    assert sum(won) == 1
    assert calculations.get(key).core_seconds == won.index(True)
    assert not calculations.finish(key, FAILED, core_seconds=99.0, error="late")
    assert (calculations.get(key).state, calculations.get(key).error) == (DONE, None)


def test_a_failure_keeps_its_reason_and_cost_and_may_be_repaired(plan):
    key = plan()
    assert calculations.finish(key, FAILED, core_seconds=30.0, error="did not converge")
    assert not calculations.finish(key, FAILED, core_seconds=31.0, error="again")
    kept = calculations.get(key)
    assert (kept.state, kept.error, kept.core_seconds) == (FAILED, "did not converge", 30.0)
    assert calculations.finish(key, DONE, core_seconds=40.0, result={"material": "m-1"})
    kept = calculations.get(key)
    assert (kept.state, kept.error, kept.result) == (DONE, None, {"material": "m-1"})


def test_it_is_ingested_once(plan):
    key = plan()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: calculations.mark_ingested(key), range(8))) == 1
    assert not calculations.mark_ingested(key, late=True)
    kept = calculations.get(key)
    assert (kept.ingested, kept.late) == (True, False)
    assert kept.ingested_at is not None


def test_they_are_found(plan):
    keys = [plan(a) for a in ("Ni", "Ti", "Cu")]
    calculations.finish(keys[1], DONE, core_seconds=1.0, result={"material": "m-1"})
    assert [c.id for c in calculations.of_campaign("pd-like")] == keys
    assert [c.id for c in calculations.find(state=DONE)] == [keys[1]]
    assert [c.id for c in calculations.find(campaign="pd-like", limit=2)] == keys[:0:-1]
    assert calculations.find(campaign="other") == []
    assert [c.id for c in calculations.of_ids([*keys, "calc-none"])] == sorted(keys)
    assert [c.id for c in calculations.of_material("m-1")] == [keys[1]]
    with pytest.raises(NotFoundError, match="calc-none"):
        calculations.get("calc-none")
