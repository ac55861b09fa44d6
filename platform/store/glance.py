"""Counts and short rows for pages that are looked at often: nothing here reads candidates that were only proposed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from fermiloop.platform.campaign import cost
from fermiloop.schemas.base import now
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import Campaign, Round
from fermiloop.schemas.candidate import Candidate, proposer_of
from fermiloop.schemas.vocabulary import CalculationState, RoundState, Stage

MOST_CAMPAIGNS: Final = 50
MOST_JOBS: Final = 50
MOST_POINTS: Final = 2000
SLACK: Final = 60.0  # s beyond twice the time limit before a running job is called stuck
DEFAULT_LIMIT: Final = 900.0  # s, of a calculation that belongs to no campaign


@dataclass(frozen=True)
class CampaignGlance:
    """One campaign in a line.

    Parameters
    ----------
    evaluated, failed, waiting
        Candidates whose evaluation gave a result, gave none, or is still to end.
    hits
        Of those evaluated.
    evaluations, rounds
        The budget.
    closed_rounds
        Rounds that have come to their end.
    core_seconds
        Of all evaluations and all other steps: the sum of `spent`.
    spent
        Core-seconds by step.
    core_hours
        The budget of them, None where there is none.
    created_at, closed_at
        When it began, and when it ended.
    last
        Its last activity.
    """

    name: str
    state: str
    reason: str | None
    evaluated: int
    failed: int
    waiting: int
    hits: int
    evaluations: int
    rounds: int
    closed_rounds: int
    core_seconds: float
    spent: dict[str, float]
    core_hours: float | None
    created_at: datetime | None
    closed_at: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Job:
    """A calculation that wants attention: failed, or running for far too long."""

    id: str
    campaign: str | None
    candidate: str | None
    engine: str
    state: str
    attempts: int
    error: str
    since: datetime | None


@dataclass(frozen=True)
class Outcome:
    """A candidate that was evaluated, as it was predicted and as it came out; `generator` with its preset."""

    id: str
    formula: str
    generator: str
    round: int
    material: str | None
    scores: dict[str, Any] = field(default_factory=dict)


def campaigns(limit: int = MOST_CAMPAIGNS, name: str | None = None) -> list[CampaignGlance]:
    """The newest campaigns, or the one of a name, in four queries however many candidates there are."""
    query = {"id": name} if name is not None else {}
    found = list(Campaign.objects(**query).exclude("spec_text").order_by("-sequence", "-created_at", "id").limit(limit))
    names = [one.id for one in found]
    candidates, calculations, rounds = _by_stage(names), _by_state(names), _closed(names)
    rows = []
    for one in found:
        stages, (seconds, computed) = candidates.get(one.id, {}), calculations.get(one.id, (0.0, None))
        closed, looped, costs = rounds.get(one.id, (0, None, []))
        spent = cost.spent(seconds, costs)
        budget = one.spec.get("budget", {})
        moments = [t for t in (one.created_at, one.closed_at, computed, looped) if t is not None]
        rows.append(
            CampaignGlance(
                name=one.id,
                state=str(one.state),
                reason=one.reason,
                evaluated=stages.get(Stage.EVALUATED, (0, 0))[0],
                failed=stages.get(Stage.FAILED, (0, 0))[0],
                waiting=stages.get(Stage.SELECTED, (0, 0))[0],
                hits=stages.get(Stage.EVALUATED, (0, 0))[1],
                evaluations=int(budget.get("evaluations", 0)),
                rounds=int(budget.get("rounds", 0)),
                closed_rounds=closed,
                core_seconds=cost.total(spent),
                spent=spent,
                core_hours=budget.get("core_hours"),
                created_at=one.created_at,
                closed_at=one.closed_at,
                last=max(moments, default=None),
            )
        )
    return rows


def stamp(name: str) -> str:
    """A text that changes with whatever a campaign's page shows; empty where there is no such campaign."""
    found = campaigns(name=name)
    if not found:
        return ""
    rounds = Round.objects(campaign=name).only("number", "state").order_by("-number").limit(3)
    return repr((found[0], [(one.number, str(one.state)) for one in rounds]))


def attention(limit: int = MOST_JOBS, campaign: str | None = None) -> list[Job]:
    """Failed calculations that nobody has set aside, then those that run for over twice their time; newest first."""
    own = {"campaign": campaign} if campaign else {}
    fields = (
        "campaign",
        "candidate",
        "engine",
        "state",
        "attempts",
        "error",
        "started_at",
        "finished_at",
        "time_limit",
    )
    failed = Calculation.objects(__raw__={"state": str(CalculationState.FAILED), "ignored": {"$ne": True}} | own)
    rows = [_job(row, row.error or "no reason was recorded") for row in _newest(failed.only(*fields), limit)]
    running = Calculation.objects(__raw__={"state": str(CalculationState.RUNNING)} | own)
    limits = _time_limits({row.campaign for row in running.only("campaign")})
    for row in _newest(running.only(*fields, "time_limit"), limit):
        most = 2 * float(row.time_limit or limits.get(row.campaign, DEFAULT_LIMIT)) + SLACK
        if row.started_at is not None and now() - row.started_at > timedelta(seconds=most):
            rows.append(_job(row, f"runs for more than {most:.0f} s; its worker may be gone"))
    return rows[:limit]


def outcomes(campaign: str, limit: int = MOST_POINTS) -> list[Outcome]:
    """Evaluated candidates of a campaign with their scores, best first."""
    stages: list[dict[str, Any]] = [
        {"$match": {"campaign": campaign, "stage": str(Stage.EVALUATED)}},
        {"$project": {"formula": 1, "generator": 1, "preset": 1, "round": 1, "material": 1, "scores": 1}},
        {"$sort": {"scores.computed_score": -1, "_id": 1}},
        {"$limit": limit},
    ]
    return [
        Outcome(
            row["_id"],
            row["formula"],
            proposer_of(row["generator"], row.get("preset")),
            row["round"],
            row.get("material"),
            row.get("scores", {}),
        )
        for row in Candidate.objects.aggregate(stages)
    ]


def _by_stage(names: list[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Candidates that were selected, and hits among them, by campaign and stage."""
    stages: list[dict[str, Any]] = [
        # the stage alone, so that its index is used: most candidates were only proposed or are rejected
        {"$match": {"stage": {"$in": [str(s) for s in (Stage.EVALUATED, Stage.FAILED, Stage.SELECTED)]}}},
        {"$match": {"campaign": {"$in": names}}},
        {
            "$group": {
                "_id": {"campaign": "$campaign", "stage": "$stage"},
                "n": {"$sum": 1},
                "hits": {"$sum": {"$cond": ["$scores.hit", 1, 0]}},
            }
        },
    ]
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in Candidate.objects.aggregate(stages):
        found.setdefault(row["_id"]["campaign"], {})[row["_id"]["stage"]] = (row["n"], row["hits"])
    return found


def _by_state(names: list[str]) -> dict[str, tuple[float, datetime | None]]:
    """Processor seconds of the calculations of each campaign, and when the last one ended."""
    stages: list[dict[str, Any]] = [
        {"$match": {"campaign": {"$in": names}}},
        {
            "$group": {
                "_id": "$campaign",
                "seconds": {"$sum": "$core_seconds"},
                "began": {"$max": "$started_at"},
                "ended": {"$max": "$finished_at"},
            }
        },
    ]
    rows = Calculation.objects.aggregate(stages)
    return {row["_id"]: (float(row["seconds"]), _latest(row["began"], row["ended"])) for row in rows}


def _closed(names: list[str]) -> dict[str, tuple[int, datetime | None, list[dict[str, float]]]]:
    """Closed rounds of each campaign, when one was last planned or closed, and what the steps of each cost."""
    found: dict[str, tuple[int, datetime | None, list[dict[str, float]]]] = {}
    for one in Round.objects(campaign__in=names).only("campaign", "state", "created_at", "closed_at", "costs"):
        n, last, costs = found.get(one.campaign, (0, None, []))
        found[one.campaign] = (
            n + (one.state is RoundState.CLOSED),
            _latest(last, _latest(one.created_at, one.closed_at)),
            [*costs, dict(one.costs)],
        )
    return found


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((t for t in (one, other) if t is not None), default=None)


def _newest(found: Any, limit: int) -> list[Calculation]:
    return list(found.order_by("-started_at", "-sequence", "id").limit(limit))


def _time_limits(names: set[str | None]) -> dict[str | None, float]:
    """Seconds that one calculation of each campaign may take."""
    rows = Campaign.objects(id__in=[name for name in names if name]).only("spec")
    return {one.id: float(one.spec.get("engine", {}).get("time_limit", DEFAULT_LIMIT)) for one in rows}


def _job(row: Calculation, error: str) -> Job:
    since = row.finished_at or row.started_at
    return Job(
        row.id, row.campaign, row.candidate, str(row.engine), str(row.state), int(row.attempts or 0), error, since
    )
