"""Steps of a round that were killed between two of their writes come to the same end when they are done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pytest

from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.driving.asynchronous import move
from fermiloop.flows.driving.states import close_what_ended
from fermiloop.flows.rounds import close, screen, select
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.flows.rounds.record import record_evaluation
from fermiloop.flows.rounds.sample import document
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, RoundAction, RoundState, Stage

NAME = "again"
PAIRS = (("Ti", "Cu"), ("Al", "Pt"), ("Al", "Ti"), ("Cu", "Pt"))

Begin = Callable[..., list[str]]


@pytest.fixture
def begin(library: str, campaign: Any) -> Begin:
    """Maker of a campaign whose first round has proposed four crystals; their ids in the order of the round."""

    def made(mode: str = "rounds", stage: Stage = Stage.PROPOSED) -> list[str]:
        spec, text = campaign(NAME, per_round=3)
        funnel = spec.funnel.model_copy(update={"stages": ("geometry", "duplicates")})
        blind = spec.acquisition.model_copy(update={"name": "random"})
        spec = spec.model_copy(update={"funnel": funnel, "mode": mode, "acquisition": blind})
        campaigns.create(spec.name, spec.as_dict(), text)
        campaigns.plan_round(NAME, 1)
        campaigns.mark_launched(NAME, 1)
        crystals = [PROTOTYPES["B2"].build(a, b, 14.0) for a, b in PAIRS]
        ids = candidates.save_many(
            [document(NAME, 1, "substitution", i, Proposal(one, 1.0), "ckpt", 5) for i, one in enumerate(crystals)]
        )
        for one in ids:
            candidates.update(one, stage=stage)
        return ids

    return made


def do_screen() -> int:
    return int(screen.ScreenMaker.make.original(screen.ScreenMaker(), NAME, 1))


def do_select() -> Any:
    return select.SelectMaker.make.original(select.SelectMaker(), NAME, 1)


def stages(ids: Sequence[str]) -> list[Stage]:
    return [candidates.get(one).stage for one in ids]


def killed(step: Callable[[], Any], module: ModuleType, write: str, before: int) -> None:
    """Do a step that is killed before so many calls of a function that writes have been made."""
    left, plain = [before], getattr(module, write)

    def writes(*given: Any, **named: Any) -> Any:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return plain(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, write, writes)
        with pytest.raises(KeyboardInterrupt):
            step()


@pytest.mark.parametrize("saved", [0, 2, 3])
def test_a_screening_that_was_cut_off_keeps_its_counts(begin: Begin, saved: int) -> None:
    ids = begin()
    killed(do_screen, screen, "save", saved)
    assert do_screen() == 4
    found = campaigns.round_of(NAME, 1)
    assert dict(found.counts) == {"proposed": 4, "unique": 4, "novel": 4, "passed": 4}
    assert [row["n_in"] for row in found.tallies] == [4, 4]
    assert stages(ids) == [Stage.PASSED] * 4


def test_a_screening_that_was_cut_off_before_its_counts_has_them_in_the_end(begin: Begin) -> None:
    begin("asynchronous")
    killed(do_screen, campaigns, "update_round", 0)
    assert do_screen() == 4
    close_what_ended(campaigns.round_of(NAME, 1), lambda: "it ended")
    assert campaigns.get(NAME).state is CampaignState.RUNNING
    assert campaigns.round_of(NAME, 1).decision.reason == "4 candidates joined the pool."


def test_a_screening_that_is_repeated_takes_no_result_away(begin: Begin) -> None:
    ids = begin("asynchronous")
    killed(do_screen, screen, "save", 2)
    candidates.update(ids[0], stage=Stage.EVALUATED, scores={"computed_score": 0.5})  # others select meanwhile
    candidates.update(ids[1], stage=Stage.SELECTED, calculation="calc-1")
    do_screen()
    assert stages(ids) == [Stage.EVALUATED, Stage.SELECTED, Stage.PASSED, Stage.PASSED]
    assert candidates.get(ids[0]).scores.computed_score == 0.5


def test_a_generation_whose_screening_was_given_up_in_the_middle_is_not_taken_for_a_whole_one(begin: Begin) -> None:
    begin("asynchronous")
    killed(do_screen, screen, "save", 2)
    close_what_ended(campaigns.round_of(NAME, 1), lambda: "screen: its worker was lost")
    assert campaigns.get(NAME).state is CampaignState.FAILED
    assert campaigns.broken_round(NAME) is not None


@pytest.mark.parametrize("planned", [0, 1, 2])
def test_a_selection_that_was_cut_off_chooses_as_many_and_the_same(begin: Begin, planned: int) -> None:
    ids = begin(stage=Stage.PASSED)
    wanted = [one.id for one in select.choose(spec_of(NAME), NAME, 1)]
    killed(do_select, candidates, "update", planned)
    assert sum(bool(candidates.get(one).calculation) for one in ids) == planned
    assert set(do_select().output) == set(wanted) == set(campaigns.round_of(NAME, 1).selected)
    assert {one for one in ids if candidates.get(one).stage is Stage.SELECTED} == set(wanted)
    assert len(wanted) == 3
    assert set(do_select().output) == set(wanted)


def test_an_evaluation_that_has_failed_is_not_paid_again_by_a_repeat(begin: Begin) -> None:
    ids = begin(stage=Stage.PASSED)
    first = do_select().output[0]
    calculation = candidates.get(first).calculation
    calculations.start(calculation, "me")
    calculations.finish(calculation, CalculationState.FAILED, core_seconds=5.0, error="relax: did not converge")
    (job,) = EvaluateMaker().make(NAME, 1, first).jobs
    assert job.name == "record"
    assert record_evaluation(NAME, 1, first) == Stage.FAILED
    assert calculations.get(calculation).error == "relax: did not converge"
    assert stages(ids).count(Stage.SELECTED) == 2


def test_a_round_that_has_closed_is_not_decided_again(begin: Begin) -> None:
    ids = begin(stage=Stage.PASSED)
    campaigns.close_round(NAME, 1, counts={}, decision=RoundDecision(action=RoundAction.NEXT, reason="more"))
    campaigns.plan_round(NAME, 2)
    candidates.update(ids[0], stage=Stage.SELECTED)  # run again by hand
    assert close.close_round(NAME, 1).reason == "more"
    assert campaigns.get(NAME).state is CampaignState.RUNNING
    assert candidates.get(ids[0]).stage is Stage.SELECTED
    assert campaigns.round_of(NAME, 1).state is RoundState.CLOSED


@pytest.mark.parametrize(("mode", "passed"), [("rounds", 4), ("asynchronous", 2)])
def test_what_waits_or_runs_is_not_chosen_a_second_time_under_another_name(
    begin: Begin, mode: str, passed: int
) -> None:
    ids = begin(mode, Stage.PASSED)
    candidates.update(ids[0], stage=Stage.SELECTED, calculation="calc-1")
    for one in ids[1:3]:
        candidates.update(one, stage=Stage.REJECTED)
    campaigns.plan_round(NAME, 2)
    crystals = [candidates.get(one).to_structure() for one in ids]
    later = candidates.save_many(
        [document(NAME, 2, "random_pick", i, Proposal(one, 1.0), "ckpt", 5) for i, one in enumerate(crystals)]
    )
    assert screen.ScreenMaker.make.original(screen.ScreenMaker(), NAME, 2) == passed
    if mode == "asynchronous":
        assert stages(later) == [Stage.REJECTED, Stage.PASSED, Stage.PASSED, Stage.REJECTED]
        assert candidates.get(later[0]).reason == f"known as {ids[0]}"


def test_a_generation_in_which_nothing_was_proposed_is_closed_with_its_counts(begin: Begin) -> None:
    begin("asynchronous")
    Candidate.objects(campaign=NAME).delete()
    assert do_screen() == 0
    close_what_ended(campaigns.round_of(NAME, 1), lambda: "unsaid")
    closed = campaigns.round_of(NAME, 1)
    assert (closed.state, closed.counts["proposed"], closed.counts["passed"]) == (RoundState.CLOSED, 0, 0)
    assert campaigns.get(NAME).state is CampaignState.RUNNING  # what runs beside it goes on
    move(NAME, lambda _: None)
    assert "proposed nothing" in campaigns.get(NAME).reason
