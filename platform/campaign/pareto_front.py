"""The Pareto front of what a campaign has computed, where its target trades properties off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.acquisition.acquisitions import reference
from fermiloop.platform.search.pareto import hypervolume, ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.property_spec import PropertySpec
    from fermiloop.platform.campaign.records import CandidateRecord
    from fermiloop.platform.campaign.reported import Pareto


def front(properties: Sequence[PropertySpec], done: Sequence[CandidateRecord]) -> Pareto | None:
    """Evaluated candidates with a value of each objective, those that none dominates marked; None below two objectives.

    Only candidates that miss no condition can be on the front; the hypervolume is what they dominate, in units of their
    range of each objective, up to a tenth of it beyond the worst.
    """
    wanted = [one for one in properties if one.objective]
    if len(wanted) < 2:
        return None
    rows = [(one, one.evaluation) for one in done if one.evaluation is not None and one.evaluation.state == "completed"]
    known = [(one, found) for one, found in rows if None not in found.objectives and found.objectives]
    signs = np.array([1.0 if one.minimise else -1.0 for one in wanted])
    fit = [i for i, (_, found) in enumerate(known) if not found.missed]
    table = np.array([known[i][1].objectives for i in fit], dtype=float).reshape(-1, len(wanted)) * signs
    corner, unit = reference(table) if len(table) else (np.ones(len(wanted)), np.ones(len(wanted)))
    best = {i for i, rank in zip(fit, ranks(table), strict=True) if rank == 0}
    return {
        "objectives": [{"name": one.name, "direction": "minimise" if one.minimise else "maximise"} for one in wanted],
        "hypervolume": hypervolume(table / unit, corner / unit) if len(table) else 0.0,
        "points": [
            {
                "candidate": one.id,
                "formula": one.formula,
                "values": [float(value) for value in found.objectives if value is not None],
                "on_front": i in best,
            }
            for i, (one, found) in enumerate(known)
        ],
    }
