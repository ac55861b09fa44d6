"""What the lineage of a candidate holds, by name and type; JSON-ready."""

from __future__ import annotations

from typing import TypedDict


class CheckpointLineage(TypedDict):
    """A trained generator; `config` is what it was made by."""

    id: str
    generator: str
    preset: str | None
    seed: int
    config: dict[str, object]
    package: str | None
    metrics: dict[str, float]
    files: dict[str, str]


class ResultRow(TypedDict):
    """A result of a campaign that was learned from."""

    material: str
    formula: str
    candidate: str | None
    calculation: str | None


class SnapshotLineage(TypedDict):
    """What a generator has learned from."""

    id: str
    n: int
    content_hash: str
    method: str  # of the labels
    curve_methods: list[str]
    campaign_results: list[ResultRow]


class LabelLineage(TypedDict):
    """A value that an evaluation gave."""

    id: str
    property: str
    value: float
    unit: str
    method: str
    version: int
    calculation: str | None


class CalculationLineage(TypedDict):
    """An evaluation."""

    id: str
    engine: str
    method: str
    state: str
    core_seconds: float | None
    attempts: int
    error: str | None


class LearnedRow(TypedDict):
    """A checkpoint that has learned from a result."""

    id: str
    generator: str
    snapshot: str


class ProposedRow(TypedDict):
    """A candidate that such a checkpoint proposed."""

    id: str
    formula: str
    round: int


class Descendants(TypedDict):
    """What a calculation led to."""

    calculation: str
    material: str | None
    labels: list[str]
    snapshots: list[str]
    checkpoints: list[LearnedRow]
    candidates: list[ProposedRow]


class VerdictRow(TypedDict, total=False):
    """What a stage of the funnel said."""

    stage: str
    passed: bool
    kind: str
    reason: str | None
    value: float | None


class Lineage(TypedDict):
    """Chain of a candidate: seed ← checkpoint ← snapshot ← labels ← calculations."""

    candidate: str
    formula: str
    campaign: str
    round: int
    generator: str
    preset: str | None
    seed: int
    parent: str | None
    stage: str
    reason: str | None
    generator_score: float
    detail: dict[str, object]
    scores: dict[str, float]
    verdicts: list[VerdictRow]
    checkpoint: CheckpointLineage | None
    snapshot: SnapshotLineage | None
    material: str | None
    labels: list[LabelLineage]
    calculations: list[CalculationLineage]


class Explained(Lineage):
    """A lineage with what learned from each calculation."""

    descendants: list[Descendants]
