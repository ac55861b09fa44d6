"""Candidates: found, looked at, explained, exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.app.filters import CandidateFilters
from fermiloop.platform.app.rows import Order, Row, fields_of
from fermiloop.platform.app.texts import MOST_ROWS
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import candidate_rows, candidates, exchange_records, geometry, lineage, spectra
from fermiloop.platform.store.candidate_columns import LISTED as FIELDS
from fermiloop.platform.store.candidate_rows import flat
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from fermiloop.platform.app.curves import Nearness
    from fermiloop.platform.campaign.explained import Explained
    from fermiloop.platform.store.exchange_records import Selection
    from fermiloop.platform.store.geometry import Geometry
    from fermiloop.schemas.candidate import Candidate
    from fermiloop.schemas.spectrum import Spectrum

SYMMETRY_TOLERANCE: Final = 0.01  # Å, as for materials
STORED: Final = FIELDS[1:]  # an id always comes


def find(filters: CandidateFilters, *, near: Nearness | None = None, order: Order | None = None) -> list[Row]:
    """Rows of the candidates that pass: by campaign, round and id, in the order asked for, or nearest first.

    Each holds the fields of `FIELDS`, every score under its name, and the value of the nearness.
    """
    if order is not None:
        return _first(filters, order)
    rows = [flat(row) for row in _found(filters, STORED, sifted=near is not None)]
    if near is not None:
        values = near.ranking(MOST_ROWS, {row["material"] for row in rows if row["material"]})
        place = {material: i for i, material in enumerate(values)}
        rows = [{**row, near.key: values[row["material"]]} for row in rows if row["material"] in values]
        rows.sort(key=lambda row: (place[row["material"]], row["id"]))
    return [dict(row) for row in rows[: filters.limit]]


def page(filters: CandidateFilters, offset: int, fields: Sequence[str]) -> list[Row]:
    """Rows of what passes after the first `offset`, by campaign, round and id, of the fields asked for."""
    return [dict(flat(row)) for row in candidates.page(filters.query(), offset, fields)]


def documents(filters: CandidateFilters) -> list[Candidate]:
    """Whole documents of what passes, with the range's best first."""
    return candidates.find(filters.query())


def get(identifier: str) -> Candidate:
    """The candidate of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return candidates.get(identifier)


def row(candidate: Candidate, fields: Iterable[str] = FIELDS) -> Row:
    """A candidate as `find` gives it."""
    return dict(flat(fields_of(candidate, fields)))


def explain(identifier: str) -> Explained:
    """Where a candidate came from (seed, checkpoint, snapshot, labels, calculations), and what learned from it.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return lineage.explained(identifier)


def crystal(identifier: str, wanted: str | None = None) -> tuple[Geometry, Structure]:
    """Crystal of a candidate and where it is from: computed where there is one, unless `proposed` is asked for.

    Raises
    ------
    NotFoundError
        If the candidate is not in the store, or has no computed crystal and that is asked for.
    """
    return geometry.crystal_of(candidates.get(identifier), wanted)


def dos(identifier: str, method: str | None = None) -> Spectrum:
    """Computed density of states of a candidate.

    Raises
    ------
    NotFoundError
        If there is none by the method.
    """
    material = candidates.get(identifier).material
    found = spectra.of_material(material, method=method) if material else None
    if found is None:
        raise NotFoundError(f"The candidate {identifier} has no computed density of states.")
    return found


def export(filters: CandidateFilters) -> Selection:
    """What passes, to be written to a file or sent: with lineage, verdicts, scores and the materials they became."""
    found = _found(filters, (), sifted=False)
    return exchange_records.of_candidates(row["id"] for row in found[: filters.limit])


def _first(filters: CandidateFilters, order: Order) -> list[Row]:
    """The first rows of an order: all are asked for the value to sort by alone, and then those for the rest."""
    stored = "score" if order.name == GENERATOR else "scores" if order.name in (HIT, *SCORES) else order.name
    light = _found(filters, tuple({stored} - {"id"}), sifted=True)
    first = tuple(str(row["id"]) for row in order.sorted(flat(row) for row in light)[: filters.limit])
    found = candidates.rows(candidates.CandidateQuery(ids=first, limit=filters.limit), STORED)
    return order.sorted(candidate_rows.flat(row) for row in found)


def _found(filters: CandidateFilters, fields: Sequence[str], *, sifted: bool) -> list[dict[str, Any]]:
    """Stored rows that pass, more than the limit where some are sifted out here, or later."""
    symmetry = _Symmetry(filters.crystal_system, filters.space_group) if filters.asks_symmetry else None
    query = replace(filters.query(), limit=MOST_ROWS) if sifted or symmetry else filters.query()
    found = candidates.rows(query, (*fields, "structure") if symmetry else fields)
    return [row for row in found if symmetry.holds(row.pop("structure"))] if symmetry else found


@dataclass(frozen=True)
class _Symmetry:
    """What is asked of the symmetry of a crystal as it was proposed; the store does not keep it."""

    system: str | None
    group: int | None

    def holds(self, structure: Mapping[str, Any]) -> bool:
        from pymatgen.core.structure import Structure
        from pymatgen.symmetry.analyzer import SpacegroupAnalyzer  # heavy

        found = SpacegroupAnalyzer(Structure.from_dict(dict(structure)), symprec=SYMMETRY_TOLERANCE)
        return self.system in (None, found.get_crystal_system()) and self.group in (
            None,
            found.get_space_group_number(),
        )
