"""How far each candidate of a stored campaign came, and why."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.flows.campaigns.proposals import proposal_records
from fermiloop.platform.campaign.records import ProposalRecord
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.twins import Register
from fermiloop.platform.screening.verdicts import Crystal, Known
from fermiloop.platform.store import candidates
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Stage

CRYSTAL = PROTOTYPES["B2"].build("Al", "Ni", 12.0)
PASSED = {"stage": "geometry", "passed": True, "reason": "", "kind": ""}


def judged(known: list[Known], crystals: int = 1) -> dict[str, Any]:
    """The verdict on the last of equal crystals, as it is stored."""
    register = Register(known)
    verdict = [register.judge(Crystal(i, CRYSTAL), CRYSTAL, "duplicates") for i in range(crystals)][-1]
    return {"stage": verdict.stage, "passed": verdict.passed, "reason": verdict.reason, "kind": verdict.kind}


@pytest.fixture
def read(database: str) -> Any:
    def read(stage: Stage, *verdicts: dict[str, Any]) -> ProposalRecord:
        scores = {"predicted_similarity": 0.5}
        made = Candidate(
            id="c-1", campaign="x", round=2, generator="dos_composer", preset="factorised", index=0, seed=1, score=0.0,
            structure=CRYSTAL.as_dict(), formula="AlNi", formula_lower="alni", elements=["Al", "Ni"],
            chemical_system="Al-Ni", n_sites=2, stage=stage, verdicts=list(verdicts), scores=scores,
        )  # fmt: skip
        candidates.save_many([made])
        (found,) = proposal_records("x")
        assert (found.id, found.formula, found.generator, found.round, found.n_sites) == (
            "c-1", "AlNi", "dos_composer", 2, 2,
        )  # fmt: skip
        assert found.scores == scores
        return found

    return read


def test_a_rejected_one_was_lost_at_the_stage_that_rejected_it(read: Any) -> None:
    found = read(Stage.REJECTED, {"stage": "geometry", "passed": False, "reason": "too close", "kind": "too close"})
    assert (found.lost_at, found.known, found.is_twin, found.compared) == ("geometry", None, False, False)


def test_a_known_one_names_its_material(read: Any) -> None:
    known = Known("m-1", "AlNi", [], CRYSTAL)
    found = read(Stage.REJECTED, PASSED, judged([known]))
    assert (found.lost_at, found.known, found.is_twin, found.compared) == ("duplicates", "m-1", True, True)


def test_a_repeated_one_is_a_twin_of_no_material(read: Any) -> None:
    found = read(Stage.REJECTED, PASSED, judged([], crystals=2))
    assert (found.known, found.is_twin) == (None, True)


@pytest.mark.parametrize(
    ("stage", "lost_at"),
    [
        (Stage.PASSED, "choice"),
        (Stage.FAILED, "engine"),
        (Stage.REJECTED, "engine"),  # by the engine, after it had passed
        (Stage.SELECTED, None),
        (Stage.EVALUATED, None),
    ],
)
def test_what_passed_the_funnel(read: Any, stage: Stage, lost_at: str | None) -> None:
    found = read(stage, PASSED, judged([]))
    assert (found.lost_at, found.compared) == (lost_at, True)
