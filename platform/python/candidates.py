"""Candidates: what was proposed, how far it came, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from fermiloop.platform.app import candidates as app
from fermiloop.platform.app import filters
from fermiloop.platform.app.rows import Order, Row
from fermiloop.platform.python import projections
from fermiloop.platform.python.connecting import connected
from fermiloop.platform.python.dos import Bounds, from_store
from fermiloop.platform.python.found import Entry, Found
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES

if TYPE_CHECKING:
    from pymatgen.core import Structure
    from pymatgen.electronic_structure.dos import Dos

    from fermiloop.platform.campaign.explained import Explained


COLUMNS: Final = (*(name for name in app.STORED if name not in ("score", "scores")), GENERATOR, HIT)  # then the scores


class Candidate(Entry):
    """A candidate: its values and scores by name, its crystal, and the density of states that its evaluation gave."""

    def dos(self) -> Dos:
        """Density of states that its evaluation gave.

        pymatgen's `CompleteDos`, with the program's own energies and Fermi level, where the files of its calculation
        are on this machine and have projections on atoms and orbitals (VASP's); else the stored curve, spins summed,
        with zero where the store's is.

        Raises
        ------
        NotFoundError
            If it has none.
        """
        return super().dos()

    def explain(self) -> Explained:
        """Where it came from, see `explain`."""
        return explain(self.id)


class Candidates(Found[Candidate]):
    """Candidates that were found."""


def find(
    *,
    campaign: str | None = None,
    round: int | None = None,  # noqa: A002 - the field's name
    stage: str | None = None,
    generator: str | None = None,
    elements: str | Iterable[str] | None = None,
    formula: str | None = None,
    chemical_system: str | None = None,
    sites: tuple[int | None, int | None] | None = None,
    ranges: Mapping[str, Bounds] | None = None,
    crystal_system: str | None = None,
    space_group: str | int | None = None,
    sort: str | None = None,
    descending: bool = False,
    limit: int = 1000,
) -> Candidates:
    """Candidates by where they came from, how far they came, what they are made of and their scores.

    Parameters
    ----------
    campaign, round
        Where they were proposed.
    stage
        ``"proposed"``, ``"rejected"``, ``"passed"``, ``"selected"``, ``"evaluated"`` or ``"failed"``.
    generator
        What proposed them, with or without its preset: ``"dos_composer"``, ``"dos_composer/paper"``.
    elements, formula, chemical_system, sites, crystal_system, space_group
        As in `fermiloop.materials.find`, of the crystal as it was proposed.
    ranges
        Score to lowest and highest value, such as ``{"computed_score": (0.8, 1.0)}``; docs/scores.md lists them.
    sort, descending
        Column that the rows are sorted by; those without a value come last.
    limit
        Most candidates.

    Raises
    ------
    InputError
        If a filter is invalid, in one sentence.
    """
    connected()
    chosen = filters.of_candidates(
        campaign=campaign, round=round, stage=stage, generator=generator, elements=elements, formula=formula,
        chemical_system=chemical_system, sites=sites, ranges=ranges, crystal_system=crystal_system,
        space_group=space_group, limit=limit,
    )  # fmt: skip
    order = None if sort is None else Order(sort, descending)
    return Candidates([_entry(row) for row in app.find(chosen, order=order)], "candidates", (*COLUMNS, *SCORES))


def get(identifier: str) -> Candidate:
    """The candidate of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    return _entry(app.row(app.get(identifier)))


def explain(identifier: str) -> Explained:
    """Where a candidate came from: seed, checkpoint, snapshot, labels, calculations; and what learned from it.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    return app.explain(identifier)


def _entry(row: Row) -> Candidate:
    return Candidate(row, _crystal, _curve)


def _crystal(identifier: str) -> Structure:
    """As its evaluation relaxed it, or as it was proposed where it has none."""
    connected()
    return app.crystal(identifier)[1]


def _curve(identifier: str) -> Dos:
    """Projected where the files of its calculation are here and have projections, total otherwise."""
    connected()
    candidate = app.get(identifier)
    projected = projections.of_calculation(candidate.calculation) if candidate.calculation else None
    return projected or from_store(app.dos(identifier))
