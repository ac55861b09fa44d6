"""Where would-be hits were lost: by what was predicted of the rejected, and by the hits that the library knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.parity import PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fermiloop.platform.campaign.records import KnownHit, ProposalRecord
    from fermiloop.platform.campaign.reported import KnownHits, LossRow

CHOICE: Final = "choice"  # passed the funnel and was not chosen
ENGINE: Final = "engine"  # was refused by the engine, or failed there
LEAST: Final = 0.05  # expected hits below which no stage is said to have lost any


def losses(proposals: Sequence[ProposalRecord], stages: Sequence[str]) -> list[LossRow]:
    """Hits that may have been lost at each stage.

    Parameters
    ----------
    proposals
        All candidates of a campaign.
    stages
        The funnel's stages in order; the choice and the engine come after them.

    Returns
    -------
    rows
        ``stage``, ``rejected``, ``predicted`` (how many of them a probability of a hit is known of) and
        ``expected_hits`` (the sum of these; None where it is known of none). What was known already is lost to
        nobody, and what is proposed again and again (the same formula and number of sites) counts once, where it was
        lost last, or not at all where it was evaluated in the end.
    """
    last = _last(proposals)
    rows: list[LossRow] = []
    for stage in (*stages, CHOICE, ENGINE):
        lost = [one for one in last if one.lost_at == stage]
        told = [float(one.scores[PROBABILITY]) for one in lost if PROBABILITY in one.scores]
        expected = sum(told) if told else None
        rows.append({"stage": stage, "rejected": len(lost), "predicted": len(told), "expected_hits": expected})
    return rows


def _last(proposals: Sequence[ProposalRecord]) -> list[ProposalRecord]:
    """Lost candidates, the last of those that are alike."""
    found = {(one.formula, one.n_sites): one for one in proposals if one.lost_at and not one.is_twin}
    kept = {(one.formula, one.n_sites) for one in proposals if one.lost_at is None}
    return [one for key, one in found.items() if key not in kept]


def worst(rows: Iterable[LossRow]) -> str | None:
    """The stage that lost most of what would have been hits, None where nothing worth a word was lost."""
    told = [(row["expected_hits"], row["stage"]) for row in rows if (row["expected_hits"] or 0.0) >= LEAST]
    return max(told, key=lambda pair: pair[0] or 0.0)[1] if told else None


def known_hits(known: Sequence[KnownHit], proposals: Sequence[ProposalRecord]) -> KnownHits | None:
    """What became of the hits that the library knows in the space: a proposer that works finds them again.

    Returns
    -------
    row
        ``n``, ``found_again`` (proposed, and recognised as known), ``rejected`` (stage to how many of which a crystal
        of that formula was rejected before it was compared) and ``not_proposed``. None where no hit is known.
    """
    if not known:
        return None
    again = {one.known for one in proposals if one.known}
    missed = [hit for hit in known if hit.id not in again]
    before = {one.formula: one.lost_at for one in proposals if one.lost_at and not one.is_twin and not one.compared}
    rejected: dict[str, int] = {}
    for hit in missed:
        stage = before.get(hit.formula)
        if stage is not None:
            rejected[stage] = rejected.get(stage, 0) + 1
    return {
        "n": len(known),
        "found_again": len(known) - len(missed),
        "rejected": rejected,
        "not_proposed": len(missed) - sum(rejected.values()),
    }
