"""Candidates: saved with their round, found by campaign, stage, composition and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import candidate_columns
from fermiloop.platform.store.inserting import insert_new
from fermiloop.platform.store.materials import made_of
from fermiloop.platform.store.ranged import first_rows
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.scores import better_high
from fermiloop.schemas.vocabulary import Stage

ORDER: Final = {"campaign": 1, "round": 1, "_id": 1}
EMPTY: Final[dict[str, Any]] = {"elements": [], "verdicts": [], "scores": {}}  # mongoengine stores no empty ones


@dataclass(frozen=True)
class CandidateQuery:
    """Filters; those left out do not filter. `scores` are ranges of what `Candidate.scores` holds."""

    campaign: str | None = None
    round: int | None = None
    stage: str | None = None
    generator: str | None = None
    preset: str | None = None
    formula: str | None = None
    elements: tuple[str, ...] = ()
    chemical_system: str | None = None
    n_sites: tuple[int, int] | None = None
    scores: dict[str, tuple[float, float]] = field(default_factory=dict)
    ids: tuple[str, ...] | None = None
    limit: int = 50


def save_many(proposals: Sequence[Candidate]) -> list[str]:
    """Ids of the candidates, those saved that are new; a repeat of a sampling changes nothing."""
    for candidate in proposals:
        candidate.check()
    insert_new(proposals)
    return [candidate.id for candidate in proposals]


def get(candidate_id: str) -> Candidate:
    """The candidate of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = Candidate.objects(id=candidate_id).first()
    if found is None:
        raise NotFoundError(
            f"The store holds no candidate {candidate_id}; fermiloop candidates find lists what it holds."
        )
    return found


def of_round(campaign: str, number: int) -> list[Candidate]:
    """All candidates of a round, by generator and place."""
    return list(Candidate.objects(campaign=campaign, round=number).order_by("generator", "preset", "index", "id"))


def of_campaign(campaign: str) -> list[Candidate]:
    """All candidates of a campaign, by round, generator and place."""
    return list(Candidate.objects(campaign=campaign).order_by("round", "generator", "preset", "index", "id"))


def of_ids(ids: Iterable[str]) -> list[Candidate]:
    """Candidates of these ids, in order; unknown ones are left out."""
    return list(Candidate.objects(id__in=sorted(set(ids))).order_by("round", "generator", "preset", "index", "id"))


def of_calculation(calculation: str) -> list[Candidate]:
    """Candidates that a calculation is the evaluation of; several campaigns may share it."""
    return list(Candidate.objects(calculation=calculation).order_by("campaign", "id"))


def outlines(campaign: str) -> list[Candidate]:
    """The same without crystals, verdicts and details, which are most of a candidate: for counts and scores."""
    found = Candidate.objects(campaign=campaign).exclude("structure", "verdicts", "detail")
    return list(found.order_by("round", "generator", "preset", "index", "id"))


def update(candidate_id: str, **fields: Any) -> None:
    """Set fields of a candidate, in one write."""
    if fields:
        Candidate.objects(id=candidate_id).update(**{f"set__{name}": value for name, value in fields.items()})


def update_proposed(candidate_id: str, **fields: Any) -> bool:
    """Set fields of a candidate that nobody has judged yet, in one write; whether it was one."""
    proposed = Candidate.objects(id=candidate_id, stage=Stage.PROPOSED)
    return bool(proposed.update(**{f"set__{name}": value for name, value in fields.items()}))


def find(query: CandidateQuery) -> list[Candidate]:
    """Candidates that pass every filter, whole, by campaign, round and id; with ranges by the first score, best first.

    Raises
    ------
    InputError
        If the limit is not positive, or the stage is unknown.
    """
    return [Candidate._from_son(row) for row in _found(query, None)]  # noqa: SLF001


def rows(query: CandidateQuery, fields: Sequence[str] = candidate_columns.NAMES) -> list[dict[str, Any]]:
    """What `find` finds as plain rows of the fields asked for: for lists, several times as fast.

    Raises
    ------
    InputError
        If the limit is not positive, or the stage is unknown.
    """
    found = _found(query, dict.fromkeys(fields, 1))
    return [{"id": row["_id"], **{name: row.get(name, EMPTY.get(name)) for name in fields}} for row in found]


def _found(query: CandidateQuery, projection: dict[str, int] | None) -> list[dict[str, Any]]:
    """Documents that pass, in the order of `find`."""
    if query.limit < 1:
        raise InputError(f"The limit must be at least 1, not {query.limit}.")
    collection, match = Candidate._get_collection(), _match(query)  # noqa: SLF001
    shown = None if projection is None else projection | {f"scores.{name}": 1 for name in _unshown(query, projection)}
    if not query.scores:
        order = [{"$sort": ORDER}, {"$limit": query.limit}, *([{"$project": shown}] if shown else [])]
        return list(collection.aggregate(_stages(query, match, {}) + order))
    name, (low, high) = next(iter(query.scores.items()))
    descending = better_high(name)
    field, then = f"scores.{name}", [{"$project": shown}] if shown else []

    def fetch(window: dict[str, float]) -> list[dict[str, Any]]:
        return list(collection.aggregate(_stages(query, match, {field: window}) + then))

    found = first_rows(fetch, low, high, query.limit, descending=descending)
    found.sort(key=lambda row: (-row["scores"][name] if descending else row["scores"][name], row["_id"]))
    return found[: query.limit]


def _unshown(query: CandidateQuery, projection: dict[str, int]) -> list[str]:
    """Score that the rows are sorted by, where the projection would leave it out."""
    return [] if "scores" in projection else list(query.scores)[:1]


def _stages(query: CandidateQuery, match: dict[str, Any], window: dict[str, Any]) -> list[dict[str, Any]]:
    """What one index serves, a first element with a window of a score, before all the rest.

    On the embedded server `$all` alone scans the collection, and of two ranges it may take the wider one's index.
    """
    every = {"elements": {"$all": list(query.elements)}} if len(query.elements) > 1 else {}
    first = {"elements": match["elements"]} | window if query.elements and window else window
    rest = {name: wish for name, wish in match.items() if name not in first}
    parts = [first, rest | every] if first else [rest, every]
    return [{"$match": part} for part in parts if part]


def _match(query: CandidateQuery) -> dict[str, Any]:
    match: dict[str, Any] = {}
    for name in ("campaign", "round", "generator", "preset"):
        if getattr(query, name) is not None:
            match[name] = getattr(query, name)
    if query.stage:
        if query.stage not in set(Stage):
            raise InputError(f"The stage {query.stage!r} is unknown; known are {', '.join(Stage)}.")
        match["stage"] = query.stage
    match |= made_of(query.elements, query.formula, query.chemical_system, query.n_sites)
    for name, (low, high) in query.scores.items():
        if not name.isidentifier():
            raise InputError(f"The score {name!r} is no name of a score.")
        match[f"scores.{name}"] = {"$gte": low, "$lte": high}
    if query.ids is not None:
        match["_id"] = {"$in": list(query.ids)}
    return match


def page(query: CandidateQuery, offset: int, fields: Sequence[str]) -> list[dict[str, Any]]:
    """What `find` finds after the first `offset`, as plain rows of the fields asked for.

    Raises
    ------
    InputError
        If the stage is unknown or the formula cannot be read.
    """
    found = Candidate.objects.aggregate(
        [
            {"$match": _match(query)},
            *([{"$match": {"elements": {"$all": list(query.elements)}}}] if len(query.elements) > 1 else []),
            {"$sort": {"campaign": 1, "round": 1, "_id": 1}},
            {"$skip": offset},
            {"$limit": query.limit},
            {"$project": dict.fromkeys(fields, 1)},
        ]
    )
    return [{"id": row["_id"], **{name: row.get(name) for name in fields}} for row in found]


def stages_of(campaign: str) -> dict[str, int]:
    """How many candidates of a campaign are at each stage."""
    counted = Candidate.objects.aggregate(
        [{"$match": {"campaign": campaign}}, {"$group": {"_id": "$stage", "n": {"$sum": 1}}}]
    )
    return {str(row["_id"]): int(row["n"]) for row in counted}
