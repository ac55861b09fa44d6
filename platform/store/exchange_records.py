"""What an export holds, read from the store batch by batch: Methods first, then materials, then candidates, by id.

Never more than a batch is in memory, beside the ids of what was asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from fermiloop.platform.errors import FailureError
from fermiloop.platform.store import connection, exchange, geometry
from fermiloop.platform.store.batches import in_batches
from fermiloop.schemas.scores import GENERATOR

BATCH: Final = 200  # materials at once, with their labels and curves

Row = dict[str, Any]


class Kind(StrEnum):
    """What an export is of."""

    MATERIALS = "materials"
    CANDIDATES = "candidates"


@dataclass(frozen=True)
class Selection:
    """What to export.

    Parameters
    ----------
    kind
        Materials, or candidates with the materials that they became.
    materials, candidates
        Ids, sorted.
    """

    kind: Kind
    materials: tuple[str, ...]
    candidates: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """How many of its kind there are."""
        return len(self.materials if self.kind is Kind.MATERIALS else self.candidates)


def of_materials(ids: Iterable[str]) -> Selection:
    """These materials."""
    return Selection(Kind.MATERIALS, tuple(sorted(set(ids))))


def of_candidates(ids: Iterable[str]) -> Selection:
    """These candidates, and the materials that they became."""
    wanted, became = sorted(set(ids)), set()
    for batch in in_batches(wanted, BATCH):
        rows = connection.database()["candidates"].find({"_id": {"$in": batch}}, {"material": 1})
        became |= {row["material"] for row in rows if row.get("material")}
    return Selection(Kind.CANDIDATES, tuple(sorted(became)), tuple(wanted))


def methods(selection: Selection) -> list[Row]:
    """Records of all Methods that labels and curves of the materials name.

    Raises
    ------
    FailureError
        If the store lacks one.
    """
    named: set[str] = set()
    for batch in in_batches(selection.materials, BATCH):
        for collection in ("labels", "spectra"):
            rows = connection.database()[collection].find({"material": {"$in": batch}}, {"method": 1})
            named |= {row["method"] for row in rows}
    found = {row["_id"]: row for row in connection.database()["methods"].find({"_id": {"$in": sorted(named)}})}
    if lost := sorted(named - found.keys()):
        raise FailureError(f"The Method {lost[0]} of labels or curves is not in the store; restore it, then export.")
    return [exchange.write(found[key], exchange.METHOD) for key in sorted(found)]


def materials(selection: Selection) -> Iterator[Row]:
    """Records of the materials, with their settings, labels and curves.

    Raises
    ------
    FailureError
        If one was removed meanwhile.
    """
    for batch in in_batches(selection.materials, BATCH):
        parts = [_by_material(name, batch) for name in ("settings", "labels", "spectra")]
        for row in _rows("materials", batch):
            settings, labels, spectra = (part[row["_id"]] for part in parts)
            yield exchange.of_material(row, settings, labels, spectra)


def candidates(selection: Selection) -> Iterator[Row]:
    """Records of the candidates, with the preset of their generator and the crystal that was computed.

    Raises
    ------
    FailureError
        If one was removed meanwhile.
    """
    for batch in in_batches(selection.candidates, BATCH):
        rows = _rows("candidates", batch)
        crystals = geometry.computed(rows)
        learned = {row["checkpoint"] for row in rows if row.get("checkpoint")}
        presets = {row["_id"]: row.get("preset") for row in _found("checkpoints", learned, {"preset": 1})}
        for row in rows:
            preset = row.get("preset") or presets.get(row.get("checkpoint"))
            more = {"preset": preset, "evaluated": crystals.get(row["_id"]), GENERATOR: row["score"]}
            yield exchange.write({**row, **more}, exchange.CANDIDATE)


def _rows(collection: str, ids: list[str]) -> list[Row]:
    found = {row["_id"]: row for row in _found(collection, ids)}
    if lost := [key for key in ids if key not in found]:
        raise FailureError(f"{lost[0]} was removed from the store during the export; export again.")
    return [found[key] for key in ids]


def _found(collection: str, ids: Iterable[str], fields: dict[str, int] | None = None) -> Iterator[Row]:
    wanted = sorted(ids)
    yield from connection.database()[collection].find({"_id": {"$in": wanted}}, fields) if wanted else ()


def _by_material(collection: str, ids: list[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in connection.database()[collection].find({"material": {"$in": ids}}):
        found[row["material"]].append(row)
    return found
