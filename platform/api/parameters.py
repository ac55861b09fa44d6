"""What may stand in an address: typed values, bounded in length and size. A query operator is a name like any other.

Nothing from an address reaches the store but values that were checked here: symbols, formulas, names, numbers.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection
from typing import Annotated, Any, Final

from fastapi import Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pymatgen.core import Element

from fermiloop.platform.api.problems import Refusal
from fermiloop.platform.errors import InputError
from fermiloop.platform.store.exports import Form
from fermiloop.platform.store.materials import reduced
from fermiloop.schemas.vocabulary import CrystalSystem, Origin, Stage

MOST_ROWS: Final = 500
MOST_EXPORTED: Final = 1_000_000
MOST_OFFSET: Final = 10_000
MOST_SITES: Final = 1_000_000
NUMBER: Final = r"[-+]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20})(?:[eE][-+]?\d{1,3})?"
WINDOW: Final = re.compile(rf"(\w{{1,60}})=({NUMBER})?:({NUMBER})?", re.ASCII)
SITES: Final = re.compile(r"(\d{1,6})?:(\d{1,6})?|(\d{1,6})", re.ASCII)
FORMULA: Final = re.compile(r"(?!.*\d{5})[A-Za-z0-9.()]{1,60}", re.ASCII)


def _symbols(text: str) -> str:
    for symbol in text.split(","):
        if not Element.is_valid_symbol(symbol):
            raise ValueError(f"{symbol[:20]!r} is no element, write symbols such as Ni,Al")
    return text


def _system(text: str) -> str:
    _symbols(text.replace("-", ","))
    return "-".join(sorted(set(text.split("-"))))


def _formula(text: str) -> str:
    if not FORMULA.fullmatch(text):
        raise ValueError("it is no formula, write one such as NiAl or Fe2O3")
    try:
        return reduced(text)
    except (InputError, ArithmeticError, AttributeError, IndexError):
        raise ValueError("it is no formula, write one such as NiAl or Fe2O3") from None


def _sites(text: str) -> str:
    match = SITES.fullmatch(text)
    if match is None or text == ":":
        raise ValueError("write LO:HI, such as 1:8")
    low, high = sites(text)
    if high < low:
        raise ValueError("it runs backwards, write the smaller number first")
    return text


def _ranges(texts: list[str]) -> list[str]:
    for text in texts:
        match = WINDOW.fullmatch(text)
        if match is None or match[2] is match[3] is None:
            raise ValueError("write NAME=LO:HI with either side open, such as band_gap=0.5:2")
        low, high = _bounds(match)
        if high < low or (math.isinf(low) and low > 0):
            raise ValueError("it runs backwards, write the smaller value first")
    given = [text.partition("=")[0] for text in texts]
    if len(set(given)) < len(given):
        raise ValueError("a name has two ranges, give one")
    return texts


def _bounds(match: re.Match[str]) -> tuple[float, float]:
    return float(match[2] or "-inf"), float(match[3] or "inf")


def windows(texts: list[str], known: Collection[str]) -> dict[str, tuple[float, float]]:
    """Name to lowest and highest value, of ranges that were checked already.

    Raises
    ------
    InputError
        If a name is not known, with the nearest that is.
    """
    found = {}
    for text in texts:
        match = WINDOW.fullmatch(text)
        assert match is not None
        if match[1] not in known:
            raise InputError(f"There is no range of {match[1]!r}; {_nearest(match[1], known)}")
        found[match[1]] = _bounds(match)
    return found


def sites(text: str) -> tuple[int, int]:
    """Fewest and most sites of a range that was checked already."""
    low, colon, high = text.partition(":")
    return int(low or 0), int(high or (MOST_SITES if colon else low))


Elements = Annotated[str, StringConstraints(max_length=120), AfterValidator(_symbols)]
Formula = Annotated[str, StringConstraints(max_length=60), AfterValidator(_formula)]
System = Annotated[str, StringConstraints(max_length=60), AfterValidator(_system)]
Sites = Annotated[str, StringConstraints(max_length=13), AfterValidator(_sites)]
Ranges = Annotated[
    list[Annotated[str, StringConstraints(max_length=120)]], Field(max_length=8), AfterValidator(_ranges)
]
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

    def atoms(self) -> dict[str, Any]:
        """Fields of a store's query."""
        return {
            "elements": tuple(dict.fromkeys(self.elements.split(","))) if self.elements else (),
            "formula": self.formula,
            "chemical_system": self.chemical_system,
            "n_sites": sites(self.sites) if self.sites else None,
        }


class Crystals(Paged, Atoms):
    """Filters of a list of what is made of atoms."""

    def crystal(self) -> dict[str, Any]:
        """Fields of a store's query."""
        return {**self.atoms(), "limit": self.limit + 1}  # one more tells whether there is a next page


class OfCandidates(BaseModel):
    """Filters of candidates beside what they are made of."""

    campaign: CampaignName | None = Field(default=None, description="Of this campaign.")
    round: int | None = Field(default=None, ge=1, le=1_000_000, description="Of this round.")
    stage: Stage | None = Field(default=None, description="That came so far.")
    generator: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_/-]{1,80}$")] | None = Field(
        default=None, description="Of this generator, with its preset: dos_composer/paper."
    )


class OfMaterials(BaseModel):
    """Filters of materials beside what they are made of."""

    crystal_system: CrystalSystem | None = Field(default=None, description="One of the seven.")
    origin: Origin | None = Field(default=None, description="Where it came from.")


class CandidateFilters(Crystals, OfCandidates):
    """Filters of a list of candidates."""


class MaterialFilters(Crystals, OfMaterials):
    """Filters of a list of materials."""


class Exported(BaseModel):
    """What is exported, and how."""

    format: Form = Field(default=Form.JSONL, description="Of the file.")
    limit: int = Field(default=MOST_EXPORTED, ge=1, le=MOST_EXPORTED, description="Most of them; all by default.")


class MaterialExport(Exported, Atoms, OfMaterials):
    """Filters of an export of materials."""


class CandidateExport(Exported, Atoms, OfCandidates):
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
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
