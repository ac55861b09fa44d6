"""What materials and candidates are found by: one model, filled from texts of any source and checked as it is made.

Command line, REST API and pages give what a person wrote (``Pd,Ni``, ``1:8``, ``band_gap=0.5:2eV``), programs give
values (a tuple of symbols, a pair of numbers, a mapping). Either is taken, and nothing reaches the store unchecked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fermiloop.platform.app import texts
from fermiloop.platform.app.texts import MOST_ROWS, one_of
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import CrystalSystem, Origin, Stage

if TYPE_CHECKING:
    from fermiloop.platform.store.candidates import CandidateQuery
    from fermiloop.platform.store.materials import MaterialQuery

Bounds = tuple[float, float]
Ranges = Mapping[str, Bounds]


@dataclass(frozen=True, kw_only=True)
class Atoms:
    """Filters of anything made of atoms; those left out pass everything.

    Parameters
    ----------
    elements
        All of these must be present.
    formula
        Reduced formula.
    chemical_system
        Exactly these elements, as ``Al-Ni``.
    sites
        Fewest and most sites of the cell.
    crystal_system, space_group
        Of the crystal: of a candidate as it was proposed, which is found out for each.
    ranges
        Lowest and highest value by name, in the unit of the name.
    limit
        Most rows.
    """

    elements: tuple[str, ...] = ()
    formula: str | None = None
    chemical_system: str | None = None
    sites: tuple[int, int] | None = None
    crystal_system: str | None = None
    space_group: int | None = None
    ranges: Ranges = field(default_factory=dict)
    limit: int = 20

    @property
    def asks_symmetry(self) -> bool:
        """Whether anything is asked of the symmetry."""
        return (self.crystal_system, self.space_group) != (None, None)


@dataclass(frozen=True, kw_only=True)
class MaterialFilters(Atoms):
    """Filters of materials; `ranges` are of labels by any Method.

    Parameters
    ----------
    origin
        Where they came from.
    """

    origin: str | None = None

    def query(self) -> MaterialQuery:
        """As the store takes it."""
        from fermiloop.platform.store.materials import MaterialQuery

        return MaterialQuery(
            elements=self.elements, formula=self.formula, chemical_system=self.chemical_system, n_sites=self.sites,
            properties=dict(self.ranges), crystal_system=self.crystal_system, space_group=self.space_group,
            origin=self.origin, limit=self.limit,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CandidateFilters(Atoms):
    """Filters of candidates; `ranges` are of scores.

    Parameters
    ----------
    campaign, round
        Where they were proposed.
    stage
        How far they came.
    generator
        What proposed them.
    preset
        Of the generator; any where it is None.
    """

    campaign: str | None = None
    round: int | None = None
    stage: str | None = None
    generator: str | None = None
    preset: str | None = None

    def query(self) -> CandidateQuery:
        """As much of it as the store takes: it does not keep the symmetry."""
        from fermiloop.platform.store.candidates import CandidateQuery

        return CandidateQuery(
            campaign=self.campaign, round=self.round, stage=self.stage, formula=self.formula, elements=self.elements,
            chemical_system=self.chemical_system, n_sites=self.sites, scores=dict(self.ranges), limit=self.limit,
            generator=self.generator, preset=self.preset,
        )  # fmt: skip


def of_materials(
    *,
    elements: str | Iterable[str] | None = None,
    formula: str | None = None,
    chemical_system: str | None = None,
    sites: str | tuple[float | None, float | None] | None = None,
    ranges: Sequence[str] | Ranges | None = None,
    crystal_system: str | None = None,
    space_group: str | int | None = None,
    origin: str | None = None,
    limit: int = 20,
) -> MaterialFilters:
    """Filters of materials, as texts or as values.

    Raises
    ------
    InputError
        If one is invalid, in one sentence.
    """
    return MaterialFilters(
        ranges=texts.ranges(ranges, PROPERTIES),
        sites=texts.sites(sites),
        crystal_system=None if crystal_system is None else one_of("crystal system", crystal_system, CrystalSystem),
        space_group=texts.space_group(space_group),
        origin=None if origin is None else one_of("origin", origin, Origin),
        limit=texts.limit(limit),
        elements=texts.elements(elements),
        chemical_system=texts.chemical_system(chemical_system),
        formula=texts.formula(formula),
    )


def of_candidates(
    *,
    campaign: str | None = None,
    round: int | None = None,  # noqa: A002  (the field's name)
    stage: str | None = None,
    generator: str | None = None,
    elements: str | Iterable[str] | None = None,
    formula: str | None = None,
    chemical_system: str | None = None,
    sites: str | tuple[float | None, float | None] | None = None,
    ranges: Sequence[str] | Ranges | None = None,
    crystal_system: str | None = None,
    space_group: str | int | None = None,
    limit: int = 20,
) -> CandidateFilters:
    """Filters of candidates, as texts or as values; a generator may bear its preset, as ``dos_composer/paper``.

    Raises
    ------
    InputError
        If one is invalid, in one sentence.
    """
    name, preset = (None, None) if generator is None else texts.generator(generator, _once_installed)
    return CandidateFilters(
        campaign=campaign,
        round=round,
        stage=None if stage is None else one_of("stage", stage, Stage),
        generator=name,
        preset=preset,
        ranges=texts.ranges(ranges, tuple(SCORES)),
        sites=texts.sites(sites),
        crystal_system=None if crystal_system is None else one_of("crystal system", crystal_system, CrystalSystem),
        space_group=texts.space_group(space_group),
        limit=texts.limit(limit),
        elements=texts.elements(elements),
        chemical_system=texts.chemical_system(chemical_system),
        formula=texts.formula(formula),
    )


def _once_installed() -> list[str]:
    """Generators that the store has checkpoints of, installed or not; no database is started to look."""
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import checkpoints, connection, embedded

    if settings().mongodb_uri is None and not embedded.status(settings().data_dir)["running"]:
        return []
    try:
        connection.connect()
    except DatabaseError:  # the name is what is wrong
        return []
    return checkpoints.kept_names(())


def everything(limit: int = MOST_ROWS) -> MaterialFilters:
    """All materials."""
    return MaterialFilters(limit=limit)
