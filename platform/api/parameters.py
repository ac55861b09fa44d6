"""What may stand in an address: typed values, bounded in length and size. A query operator is a name like any other.

Nothing from an address reaches the store but values that were checked here: symbols, formulas, names, numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Final

from fastapi import Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from fermiloop.platform.api.problems import Refusal
from fermiloop.platform.app import filters, texts
from fermiloop.platform.errors import InputError
from fermiloop.platform.store.exports import Form
from fermiloop.schemas.vocabulary import CrystalSystem, Origin, Stage

MOST_ROWS: Final = 500
MOST_EXPORTED: Final = 1_000_000
MOST_OFFSET: Final = 10_000


def _checked(check: Callable[[str], object]) -> AfterValidator:
    """The check of `fermiloop.platform.app.texts`, so that a refusal names the parameter."""

    def checked(text: str) -> str:
        try:
            check(text)
        except InputError as error:
            raise ValueError(str(error)) from None
        return text

    return AfterValidator(checked)


Elements = Annotated[
    str, StringConstraints(max_length=120, pattern=r"^[A-Za-z]+(,[A-Za-z]+)*$"), _checked(texts.elements)
]
Formula = Annotated[str, StringConstraints(max_length=60), _checked(texts.formula)]
System = Annotated[
    str, StringConstraints(max_length=60, pattern=r"^[A-Za-z]+(-[A-Za-z]+)*$"), _checked(texts.chemical_system)
]
Sites = Annotated[str, StringConstraints(max_length=13), _checked(texts.sites)]
Ranges = Annotated[list[Annotated[str, StringConstraints(max_length=120)]], Field(max_length=8)]
CampaignName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
MethodId = Annotated[str, StringConstraints(pattern=r"^method-[0-9a-f]{16}$")]
CalculationId = Annotated[str, StringConstraints(pattern=r"^calc-[0-9a-f]{16}$")]
NamePath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Name.")]
CandidatePath = Annotated[str, Path(pattern=r"^c-[0-9a-f]{16}$", description="Id of a candidate.")]
MaterialPath = Annotated[str, Path(pattern=r"^m-[0-9a-f]{16}$", description="Id of a material.")]
CalculationPath = Annotated[str, Path(pattern=r"^calc-[0-9a-f]{16}$", description="Id of a calculation.")]


class Paged(BaseModel):
    """Which rows of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=MOST_ROWS, description="Most rows.")
    offset: int = Field(default=0, ge=0, le=MOST_OFFSET, description="Rows passed over; `next` of the page before.")


class Atoms(BaseModel):
    """Filters of anything made of atoms."""

    model_config = ConfigDict(extra="forbid")

    elements: Elements | None = Field(default=None, description="All of these: Ni,Al.")
    formula: Formula | None = Field(default=None, description="This reduced formula, in any order.")
    chemical_system: System | None = Field(default=None, description="Exactly these elements: Al-Ni.")
    sites: Sites | None = Field(default=None, description="Fewest and most sites of the cell: 1:8.")
    range: Ranges = Field(default=[], description="NAME=LO:HI, a side may be open; repeatable.")


class OfCandidates(Atoms):
    """Filters of candidates."""

    campaign: CampaignName | None = Field(default=None, description="Of this campaign.")
    round: int | None = Field(default=None, ge=1, le=1_000_000, description="Of this round.")
    stage: Stage | None = Field(default=None, description="That came so far.")
    generator: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_/-]{1,80}$")] | None = Field(
        default=None, description="Of this generator, of any preset or with one: dos_composer/paper."
    )

    def filters(self, limit: int) -> filters.CandidateFilters:
        """As the application takes them.

        Raises
        ------
        InputError
            If one is invalid.
        """
        return filters.of_candidates(
            campaign=self.campaign, round=self.round, stage=self.stage, generator=self.generator,
            elements=self.elements, formula=self.formula, chemical_system=self.chemical_system, sites=self.sites,
            ranges=self.range, limit=limit,
        )  # fmt: skip


class OfMaterials(Atoms):
    """Filters of materials."""

    crystal_system: CrystalSystem | None = Field(default=None, description="One of the seven.")
    origin: Origin | None = Field(default=None, description="Where it came from.")

    def filters(self, limit: int) -> filters.MaterialFilters:
        """As the application takes them.

        Raises
        ------
        InputError
            If one is invalid.
        """
        return filters.of_materials(
            elements=self.elements, formula=self.formula, chemical_system=self.chemical_system, sites=self.sites,
            ranges=self.range, crystal_system=self.crystal_system, origin=self.origin, limit=limit,
        )  # fmt: skip


class CandidateFilters(Paged, OfCandidates):
    """Filters of a list of candidates."""


class MaterialFilters(Paged, OfMaterials):
    """Filters of a list of materials."""


class Exported(BaseModel):
    """What is exported, and how."""

    format: Form = Field(default=Form.JSONL, description="Of the file.")
    limit: int = Field(default=MOST_EXPORTED, ge=1, le=MOST_EXPORTED, description="Most of them; all by default.")


class MaterialExport(Exported, OfMaterials):
    """Filters of an export of materials."""


class CandidateExport(Exported, OfCandidates):
    """Filters of an export of candidates."""


async def known_only(request: Request) -> None:
    """Refuse parameters that an address does not take, and ones that are given twice.

    Raises
    ------
    Refusal
        422, with the nearest parameter that there is.
    """
    path = request.scope["route"].path
    operation = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    several = {one["name"]: one["schema"].get("type") == "array" for one in operation.get("parameters", ())
               if one["in"] == "query"}  # fmt: skip
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in several:
            raise Refusal(422, f"There is no parameter {name[:60]!r} here; {_nearest(name[:60], tuple(several))}")
        if given.count(name) > 1 and not several[name]:
            raise Refusal(422, f"The parameter {name} is given twice; give it once.")


def _nearest(name: str, known: Collection[str]) -> str:
    if not known:
        return "this address takes none."
    near = texts.nearest(name, known)
    return f"did you mean {near}?" if near else f"known are {', '.join(known)}."
