"""The command line as a function: arguments in, exit code and both outputs out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fermiloop.platform.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON, all of it."""
        assert self.out, self.err
        return json.loads(self.out)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def run(*argv: str) -> Outcome:
        capsys.readouterr()
        code = main(list(argv))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def make_summary(**changes: Any) -> dict[str, Any]:
    """A summary as the pure code makes it, of a campaign with one round."""
    from fermiloop.platform.campaign import records
    from fermiloop.platform.campaign.spec import parse_spec
    from fermiloop.platform.campaign.summary import summarise

    spec = parse_spec(
        "{name: pd-like, target: {dos: {material: Pd}}, space: {elements: [Ni, Pt]}, "
        "generators: [{name: substitution, proposals: 5}], budget: {rounds: 1, evaluations: 2, per_round: 2}}"
    )
    tally = records.TallyRecord("geometry", 8, 5, {"atoms overlap": 3}, 0.1)
    one = records.RoundRecord(
        number=1, proposed=10, unique=9, novel=8, passed=5, selected=2, evaluated=2, ingested=2, hits=1,
        best_score=0.91, tallies=(tally,),
    )  # fmt: skip
    done = records.EvaluationRecord("calc-1", "completed", core_seconds=60.0, score=0.91, hit=True)
    lost = records.EvaluationRecord("calc-2", "failed", core_seconds=9.0, failed_reason="the time limit")
    made = (
        records.CandidateRecord("c-1", "NiPt", "substitution", 1, done),
        records.CandidateRecord("c-2", "Ni", "substitution", 1, lost),
    )
    record = records.CampaignRecord(spec, "finished", "the budget is spent", (one,), made, spent={"evaluate": 69.0})
    return summarise(replace(record, **changes)) | {"running": []}


@pytest.fixture
def summary() -> Callable[..., dict[str, Any]]:
    """Maker of summaries."""
    return make_summary
