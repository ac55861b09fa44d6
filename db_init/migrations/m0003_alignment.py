"""What lies at zero of each density of states, and its gap, on curves that were stored before these were kept.

Engines and the seed library put zero at the middle of the gap already: their curves are marked so, with the gap of the
label, or the one that the curve shows. Imported curves lie about the Fermi level of their source; where the curve shows
its gap they are moved to the middle of it. What cannot say stays ``fermi``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np
from pymongo.database import Database

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import METAL, Edges, edges_about, zero_level
from fermiloop.schemas.base import now
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.vocabulary import EXTERNAL, Alignment, Property

TITLE: Final = "what lies at zero of densities of states"
KNOWN: Final = "alignment midgap on {} densities of states whose zero was there already"
MOVED: Final = "alignment midgap on {} imported densities of states, moved to the middle of their gaps"
LEFT: Final = "{} densities of states stay about the Fermi level of their source, since their gaps cannot be found"


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Mark and move; returns what was, or would be, done."""
    engines = {row["_id"]: row["engine"] for row in database["methods"].find({}, {"engine": 1})}
    rows = database["spectra"].find(
        {"kind": str(SpectrumKind.DOS), "alignment": str(Alignment.FERMI), "gap": {"$exists": False}}
    )
    counts: Counter[str] = Counter()
    for row in list(rows):
        own = engines.get(row["method"], EXTERNAL) != EXTERNAL
        change = _marked(database, row) if own else _moved(row)
        counts[LEFT if change is None else KNOWN if own else MOVED] += 1
        if change is not None and not dry_run:
            # the time of writing tells processes that keep curves in memory
            database["spectra"].update_one({"_id": row["_id"]}, {"$set": change | {"created_at": now()}})
    return [text.format(counts[text]) for text in (KNOWN, MOVED, LEFT) if counts[text]]


def _marked(database: Database[dict[str, Any]], row: dict[str, Any]) -> dict[str, Any] | None:
    labelled = {"material": row["material"], "property": str(Property.BAND_GAP), "method": row["method"]}
    label = database["labels"].find_one(labelled, sort=[("version", -1)])
    if label is not None:
        return {"alignment": str(Alignment.MIDGAP), "gap": float(label["value"])}
    edges = _edges(row)
    return None if edges is None else {"alignment": str(Alignment.MIDGAP), "gap": _gap(edges)}


def _moved(row: dict[str, Any]) -> dict[str, Any] | None:
    edges = _edges(row)
    if edges is None:
        return None
    zero = zero_level(0.0, edges)
    return {
        "alignment": str(Alignment.MIDGAP),
        "gap": _gap(edges),
        "lo": float(row["lo"]) - zero,
        "hi": float(row["hi"]) - zero,
    }


def _edges(row: dict[str, Any]) -> Edges | None:
    try:
        points = np.linspace(row["lo"], row["hi"], row["n"])
        return edges_about(points, ArrayField.unpack(row["values"]), 0.0)
    except InputError:
        return None


def _gap(edges: Edges) -> float:
    return edges.gap if edges.gap > METAL else 0.0
