"""What was predicted of the evaluated candidates when they were chosen, against what was computed of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.counting import Share
from fermiloop.schemas.scores import HIT, PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.records import ProposalRecord
    from fermiloop.platform.campaign.reported import ExpectedHits, Pair, ParityRow

SOURCES: Final = ("predicted", "potential")  # of a value before the evaluation; the surrogate's first
OWN_ZERO: Final = frozenset({("potential", "energy_per_atom")})  # energies about another zero than the engine's
Z_90: Final = 1.6449  # quantile of the normal distribution: 90 % lie within so many standard deviations
PROBABILITY: Final = "predicted_probability"


def parity(proposals: Sequence[ProposalRecord]) -> list[ParityRow]:
    """Each part of the target that was predicted and computed.

    Returns
    -------
    rows
        ``part`` (a name of `schemas.scores`), ``source`` (who predicted it), ``n``, ``mean_error`` (predicted less
        computed) and ``mean_absolute_error`` in the part's unit, ``covered`` (how many computed values lie within the
        predicted 90 % interval; None where nothing tells an uncertainty) and ``pairs``.
    """
    rows = []
    for part in PLAIN:
        for source in SOURCES:
            pairs = [pair for one in proposals if (pair := _pair(one, part, source)) is not None]
            if pairs and (source, part) not in OWN_ZERO:
                rows.append(_row(part, source, pairs))
                break
    return rows


def expected_hits(proposals: Sequence[ProposalRecord]) -> ExpectedHits | None:
    """Hits that were expected of the evaluated candidates, and those that came; None where nothing was predicted."""
    told = [one for one in proposals if HIT in one.scores and PROBABILITY in one.scores]
    if not told:
        return None
    expected = sum(float(one.scores[PROBABILITY]) for one in told)
    return {"expected": expected, "found": sum(bool(one.scores[HIT]) for one in told), "n": len(told)}


def _pair(one: ProposalRecord, part: str, source: str) -> Pair | None:
    before, after = one.scores.get(f"{source}_{part}"), one.scores.get(f"computed_{part}")
    if before is None or after is None or not (math.isfinite(before) and math.isfinite(after)):
        return None
    return {
        "candidate": one.id, "formula": one.formula, "round": one.round, "predicted": before,
        "std": one.scores.get(f"{source}_{part}_std"), "computed": after, "hit": bool(one.scores.get(HIT)),
    }  # fmt: skip


def _row(part: str, source: str, pairs: Sequence[Pair]) -> ParityRow:
    errors = [pair["predicted"] - pair["computed"] for pair in pairs]
    sure = [(error, pair["std"]) for error, pair in zip(errors, pairs, strict=True) if pair["std"] is not None]
    inside = sum(abs(error) <= Z_90 * std for error, std in sure)
    return {
        "part": part,
        "source": source,
        "n": len(pairs),
        "mean_error": sum(errors) / len(errors),
        "mean_absolute_error": sum(map(abs, errors)) / len(errors),
        "covered": Share(inside, len(sure)).as_dict() if sure else None,
        "pairs": list(pairs),
    }
