"""What a report holds, by name and type; JSON-ready, and unknown numbers are None."""

from __future__ import annotations

from typing import TypedDict

from fermiloop.platform.campaign.explained import Lineage


class Rate(TypedDict):
    """A proportion with its 95 % Wilson interval; None without a trial."""

    hits: int
    n: int
    rate: float | None
    low: float | None
    high: float | None


class FunnelRow(TypedDict):
    """What one stage of the funnel did in one round; `reasons` counts the rejections."""

    stage: str
    n_in: int
    n_out: int
    reasons: dict[str, int]
    core_seconds: float


class RoundRow(TypedDict):
    """One round by its counts."""

    number: int
    state: str
    proposed: int
    unique: int
    novel: int
    passed: int
    selected: int
    evaluated: int
    failed: int
    ingested: int
    best_score: float | None
    checkpoints: list[str]
    hits: int
    hit_rate: float | None
    hit_low: float | None
    hit_high: float | None
    funnel: list[FunnelRow]


class GeneratorRow(TypedDict):
    """Evaluations of one generator, failed ones included, and its hits."""

    generator: str
    evaluations: int
    hits: int
    rate: float | None
    low: float
    high: float
    share: float


class EvaluatedRow(TypedDict):
    """A candidate whose evaluation has ended; `missed` says why it is no hit."""

    candidate: str
    formula: str
    generator: str
    round: int
    calculation: str
    state: str
    score: float | None
    hit: bool
    missed: list[str]
    energy_above_hull: float | None
    formation_energy_per_atom: float | None
    core_seconds: float
    failed_reason: str | None


class BestRow(EvaluatedRow):
    """The best candidate."""

    lineage: Lineage | None


class CurveRow(TypedDict):
    """A computed curve of unit area on the target's grid."""

    candidate: str
    formula: str
    score: float | None
    values: list[float]


class Baselines(TypedDict):
    """What a random pick from the library finds, and what substitution found here."""

    random: Rate
    substitution: Rate


class Cost(TypedDict):
    """What one hit cost; None without one."""

    evaluations: float | None
    core_seconds: float | None


class Pair(TypedDict):
    """A value before and after the evaluation."""

    candidate: str
    formula: str
    round: int
    predicted: float
    std: float | None
    computed: float
    hit: bool


class ParityRow(TypedDict):
    """Predicted against computed, of one part of the target."""

    part: str
    source: str
    n: int
    mean_error: float
    mean_absolute_error: float
    covered: Rate | None
    pairs: list[Pair]


class ExpectedHits(TypedDict):
    """Hits that were expected, and those that came."""

    expected: float
    found: int
    n: int


class Acceleration(TypedDict):
    """A campaign beside a baseline; see `platform.campaign.acceleration`."""

    hits: int
    evaluations: int
    baseline_hits: int
    baseline_n: int
    needed: float | None
    factor: float | None
    low: float
    high: float | None


class AccelerationRow(Acceleration):
    """The same with the baseline's name."""

    baseline: str


class LossRow(TypedDict):
    """Would-be hits that one stage lost, as predicted."""

    stage: str
    rejected: int
    predicted: int
    expected_hits: float | None


class KnownHits(TypedDict):
    """What became of the hits that the library knows."""

    n: int
    found_again: int
    rejected: dict[str, int]
    not_proposed: int


class Insight(TypedDict):
    """Predictions, baselines and losses."""

    parity: list[ParityRow]
    expected_hits: ExpectedHits | None
    acceleration: list[AccelerationRow]
    losses: list[LossRow]
    worst_stage: str | None
    known_hits: KnownHits | None


class TargetData(TypedDict):
    """What was looked for."""

    name: str
    kind: str | None
    hit_similarity: float | None
    hit_score: float | None
    grid: list[float]
    window: list[float] | None
    alignment: str | None
    values: list[float] | None
    properties: list[dict[str, object]]
    hit: str | None
    hit_remark: str | None
    stable_within: float | None


class Objective(TypedDict):
    """What is traded off."""

    name: str
    direction: str


class ParetoPoint(TypedDict):
    """An evaluated candidate by the values of the objectives."""

    candidate: str
    formula: str
    values: list[float]
    on_front: bool


class Pareto(TypedDict):
    """The Pareto front."""

    objectives: list[Objective]
    hypervolume: float
    points: list[ParetoPoint]


class HullPointRow(TypedDict):
    """A material on or above the hull of a binary system."""

    formula: str
    fraction: float
    formation_energy: float
    candidate: str | None


class HullData(TypedDict):
    """Formation energies in the best candidate's system."""

    elements: list[str]
    points: list[HullPointRow]


class BudgetData(TypedDict):
    """How much may be spent."""

    rounds: int
    evaluations: int
    per_round: int


class SpecData(TypedDict):
    """The campaign's file as `CampaignSpec.as_dict` gives it; named here is what readers of a report use."""

    name: str
    budget: BudgetData


class Summary(TypedDict):
    """A whole report."""

    name: str
    state: str
    reason: str | None
    evaluations: int
    failures: int
    core_seconds: float
    spent: dict[str, float]
    rounds: list[RoundRow]
    best: BestRow | None
    hits: Rate
    baseline: Baselines
    earned: list[GeneratorRow]
    discovery_factor: float | None
    intervals_apart: bool
    cost_per_hit: Cost
    insight: Insight
    target: TargetData
    pareto: Pareto | None
    curves: list[CurveRow]
    evaluated: list[EvaluatedRow]
    hull: HullData | None
    spec: SpecData


class RunningRow(TypedDict):
    """An evaluation that runs; `since` in ISO 8601, `energy` in eV of the last self-consistency step."""

    calculation: str
    candidate: str
    formula: str
    worker: str
    since: str | None
    seconds: float | None
    told: bool
    progress: str
    step: str
    scf: int | None
    ionic: int | None
    energy: float | None


class Status(Summary):
    """A whole report, and what runs."""

    running: list[RunningRow]
