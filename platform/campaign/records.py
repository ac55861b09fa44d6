"""A campaign as it went, in plain frozen dataclasses: everything that the summary needs, nothing else.

The flows fill these from the store; numbers that are unknown are None, never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fermiloop.schemas.vocabulary import Alignment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fermiloop.platform.campaign.explained import Lineage
    from fermiloop.platform.campaign.spec import CampaignSpec


@dataclass(frozen=True)
class TallyRecord:
    """What one stage of the funnel did in one round; `reasons` counts the rejections."""

    stage: str
    n_in: int
    n_out: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    core_seconds: float = 0.0


@dataclass(frozen=True)
class RoundRecord:
    """One round by its counts.

    Parameters
    ----------
    number
        Counted from 1.
    state
        A `RoundState`.
    proposed, unique, novel, passed, selected
        Candidates that came this far.
    refused
        Candidates that passed the funnel and that the engine does not compute.
    evaluated, failed
        Evaluations that gave a result, and those that did not.
    ingested
        Results written to the store.
    new_labels
        Labels that this round added.
    hits
        Evaluated candidates that are hits.
    best_score
        Highest score of the round, None without an evaluation.
    checkpoints
        Ids of the trained generators that proposed.
    tallies
        The funnel, stage by stage.
    costs
        Core-seconds by step, but for the evaluations.
    """

    number: int
    state: str = "closed"
    proposed: int = 0
    unique: int = 0
    novel: int = 0
    passed: int = 0
    selected: int = 0
    refused: int = 0
    evaluated: int = 0
    failed: int = 0
    ingested: int = 0
    new_labels: int = 0
    hits: int = 0
    best_score: float | None = None
    checkpoints: tuple[str, ...] = ()
    tallies: tuple[TallyRecord, ...] = ()
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationRecord:
    """What an evaluation gave and cost.

    Parameters
    ----------
    calculation
        Id of the calculation.
    state
        ``"completed"`` or ``"failed"``.
    core_seconds
        Processor time, of failed ones too.
    score
        As `platform.campaign.goal` defines it, in 0 to 1.
    hit
        Whether the candidate is what was looked for.
    energy_above_hull, formation_energy_per_atom
        eV/atom within the engine's Method.
    curve
        (n,) unit-area computed curve on the target's grid.
    failed_reason
        Why there is no result.
    missed
        What keeps it from being a hit, a clause each; empty for a hit.
    objectives
        Values of what is minimised or maximised, in the target's order.
    """

    calculation: str
    state: str
    core_seconds: float = 0.0
    score: float | None = None
    hit: bool = False
    energy_above_hull: float | None = None
    formation_energy_per_atom: float | None = None
    curve: tuple[float, ...] | None = None
    failed_reason: str | None = None
    missed: tuple[str, ...] = ()
    objectives: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class CandidateRecord:
    """A candidate that was selected for evaluation; `evaluation` is None while it waits."""

    id: str
    formula: str
    generator: str
    round: int
    evaluation: EvaluationRecord | None = None


@dataclass(frozen=True)
class ProposalRecord:
    """Any candidate, as far as it came.

    Parameters
    ----------
    id, formula, generator, round, n_sites
        Which one.
    scores
        What is known of it, by the names of `schemas.scores`.
    lost_at
        Stage of the funnel that rejected it, ``choice`` or ``engine``; None where it was evaluated or waits.
    known
        Id of the material that it was recognised as.
    is_twin
        Whether it was rejected as known, or as the same as another candidate.
    compared
        Whether it came as far as being compared with what is known.
    """

    id: str
    formula: str
    generator: str
    round: int
    n_sites: int
    scores: Mapping[str, Any] = field(default_factory=dict)
    lost_at: str | None = None
    known: str | None = None
    is_twin: bool = False
    compared: bool = False


@dataclass(frozen=True)
class KnownHit:
    """A library material inside the space that is what is looked for."""

    id: str
    formula: str


@dataclass(frozen=True)
class HullPoint:
    """A material of the best candidate's binary system.

    Parameters
    ----------
    formula
        Reduced formula.
    fraction
        Share of the second element, 0 to 1.
    formation_energy
        eV/atom.
    candidate
        Candidate id where it is one of this campaign.
    """

    formula: str
    fraction: float
    formation_energy: float
    candidate: str | None = None


@dataclass(frozen=True)
class HullRecord:
    """A binary system: its two elements in the order of `HullPoint.fraction`, and its points."""

    elements: tuple[str, str]
    points: tuple[HullPoint, ...]


@dataclass(frozen=True)
class HitRecord:
    """What a hit is.

    Parameters
    ----------
    definition
        In words, with what computes it.
    score
        From which a candidate is one; None where more is always better, or nothing is a hit.
    remark
        Why it need not be stable although nobody said so, None where nothing is to be said.
    stable_within
        eV/atom above the hull that it may lie without the file naming it, None where that is off.
    """

    definition: str
    score: float | None = None
    remark: str | None = None
    stable_within: float | None = None


@dataclass(frozen=True)
class CampaignRecord:
    """A campaign as it went.

    Parameters
    ----------
    spec
        Its file.
    state, reason
        A `CampaignState`, and why it is so.
    rounds
        By number.
    candidates
        All that were selected, evaluated or not.
    spent
        Core-seconds by step: retrain, sample, screen, evaluate.
    grid
        (n,) points of every curve, for a density of states eV about zero; empty without a curve as target.
    alignment
        What lies at zero of a density of states: ``midgap`` or ``vbm``.
    target_curve
        (n,) unit-area target.
    target_name
        How to call the target in pictures, such as ``"Pd"``.
    library_hits
        Whether each library material inside the space would be a hit: what a random pick finds.
    proposals
        All candidates, selected or not.
    known_hits
        Library materials inside the space that are hits.
    lineage
        Lineage of the best candidate, as ``candidates explain`` gives it.
    hull
        The best candidate's system where it is binary.
    hit
        What a hit is, in words; None where nobody asked.
    """

    spec: CampaignSpec
    state: str
    reason: str | None = None
    rounds: tuple[RoundRecord, ...] = ()
    candidates: tuple[CandidateRecord, ...] = ()
    spent: Mapping[str, float] = field(default_factory=dict)
    grid: tuple[float, ...] = ()
    target_curve: tuple[float, ...] | None = None
    target_name: str = ""
    library_hits: tuple[bool, ...] = ()
    lineage: Lineage | None = None
    hull: HullRecord | None = None
    alignment: str = str(Alignment.MIDGAP)
    proposals: tuple[ProposalRecord, ...] = ()
    known_hits: tuple[KnownHit, ...] = ()
    hit: HitRecord | None = None
