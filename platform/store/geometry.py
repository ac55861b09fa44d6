"""Which crystal stands for a candidate: what its evaluation gave, or what was proposed (as the funnel relaxed it)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from pymatgen.core import Structure

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import connection, materials
from fermiloop.schemas.candidate import Candidate


class Geometry(StrEnum):
    """Where a candidate's crystal comes from."""

    COMPUTED = "computed"
    PROPOSED = "proposed"


LABELS: Final = {
    Geometry.COMPUTED: "Computed structure: the geometry that the evaluation gave",
    Geometry.PROPOSED: "Proposed structure, as the funnel's potential relaxed it",
}


def computed(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By id of a candidate, pymatgen's dictionary of the crystal that its evaluation gave.

    The cell is that of the calculation, moments included, where it is kept; else the canonical one of the material.

    Parameters
    ----------
    rows
        Raw candidates with ``_id`` and ``material``; those that became no material are left out.
    """
    became = {str(row["_id"]): str(row["material"]) for row in rows if row.get("material")}
    if not became:
        return {}
    fields = {"candidate": 1, "structure": 1}
    cells = connection.database()["settings"].find({"candidate": {"$in": sorted(became)}}, fields)
    found = {row["candidate"]: row["structure"] for row in cells}
    known = materials.get_many(key for candidate, key in became.items() if candidate not in found)
    return {
        candidate: found[candidate] if candidate in found else known[key].structure
        for candidate, key in became.items()
        if candidate in found or key in known
    }


def crystal_of(candidate: Candidate, wanted: str | None = None) -> tuple[Geometry, Structure]:
    """Crystal of a candidate and where it is from: without a wish the computed one, once there is one.

    Raises
    ------
    NotFoundError
        If the computed one is asked for and there is none.
    """
    if wanted != Geometry.PROPOSED:
        found = computed([{"_id": candidate.id, "material": candidate.material}])
        if candidate.id in found:
            return Geometry.COMPUTED, Structure.from_dict(found[candidate.id])
        if wanted is not None:
            raise NotFoundError(
                f"The candidate {candidate.id} has no computed structure; ask for the proposed geometry, or wait "
                "for its evaluation."
            )
    return Geometry.PROPOSED, candidate.to_structure()
