"""All candidates of a campaign out of the store, as the report's insight takes them: how far each came, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from fermiloop.platform.campaign.losses import CHOICE, ENGINE
from fermiloop.platform.campaign.records import ProposalRecord
from fermiloop.platform.screening.verdicts import DUPLICATE, KNOWN, known_as, looks_for_twins
from fermiloop.platform.store.candidates import CandidateQuery, rows
from fermiloop.schemas.vocabulary import Stage

FIELDS: Final = ("formula", "generator", "round", "n_sites", "stage", "verdicts", "scores")
MOST: Final = 1_000_000


def proposal_records(name: str) -> Iterable[ProposalRecord]:
    """Every candidate of a campaign, by round and id."""
    return (_proposal(row) for row in rows(CandidateQuery(campaign=name, limit=MOST), FIELDS))


def _proposal(row: dict[str, Any]) -> ProposalRecord:
    verdicts = row["verdicts"]
    last = verdicts[-1] if verdicts and not verdicts[-1]["passed"] else None
    kind = last["kind"] if last else ""
    return ProposalRecord(
        id=row["id"],
        formula=row["formula"],
        generator=row["generator"],
        round=row["round"],
        n_sites=row["n_sites"],
        scores=row["scores"],
        lost_at=_lost_at(Stage(row["stage"]), last),
        known=known_as(last["reason"]) if last and kind == KNOWN else None,
        is_twin=kind in (KNOWN, DUPLICATE),
        compared=any(looks_for_twins(verdict["stage"]) for verdict in verdicts),
    )


def _lost_at(stage: Stage, last: dict[str, Any] | None) -> str | None:
    """Where a candidate was lost; None where it was not, or not yet."""
    if stage is Stage.REJECTED:
        return str(last["stage"]) if last else ENGINE  # refused after it had passed the funnel
    return {Stage.PASSED: CHOICE, Stage.FAILED: ENGINE}.get(stage)
