"""``/dos/search``: the stored densities of states nearest to a posted curve."""

from __future__ import annotations

from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fermiloop.platform.api import views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.site import Here
from fermiloop.platform.app import curves
from fermiloop.platform.app.curves import MOST_POINTS, Curve
from fermiloop.platform.representations.curve_files.reading import Wish
from fermiloop.platform.representations.spectral_search import Metric
from fermiloop.schemas.vocabulary import Role

LARGEST: Final = 1e12  # of a value; far beyond any density, far below what overflows
MOST_TEXT: Final = 900_000  # characters of a file

router = APIRouter(prefix="/dos", tags=["dos"], dependencies=[Depends(needs(Role.READ))])
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]


class Wanted(BaseModel):
    """The curve to look for, and how: energies with values, or the text of a file."""

    model_config = ConfigDict(extra="forbid")

    energies: list[Finite] | None = Field(
        default=None, min_length=2, max_length=MOST_POINTS, description="Rising, in eV."
    )
    values: list[Finite] | None = Field(
        default=None, min_length=2, max_length=MOST_POINTS, description="Density, in any normalisation."
    )
    text: str | None = Field(
        default=None, max_length=MOST_TEXT, description="Content of a file that a program wrote, in place of both."
    )
    fermi: Finite | None = Field(
        default=None, description="Fermi level, eV on the same axis; 0 by default, or what the text says."
    )
    one_spin: bool = Field(default=False, strict=True, description="The text holds one spin of two alike.")
    metric: Metric = Field(default=Metric.COSINE, description="How curves are compared.")
    window: tuple[Finite, Finite] | None = Field(
        default=None, description="First and last energy that count, eV about zero; the whole grid by default."
    )
    limit: Annotated[int, Field(strict=True, ge=1, le=200)] = Field(default=10, description="Most materials.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.text is None) == (self.energies is None) or (self.energies is None) != (self.values is None):
            raise ValueError("a curve is energies with values, or a text, and only one of these")
        return self

    def curve(self) -> Curve:
        """The curve as it was sent, on the grid of stored ones; the database must be connected.

        Raises
        ------
        InputError
            If it is no density of states.
        """
        if self.text is not None:
            return curves.of_text(self.text, self.window, Wish(self.fermi, self.one_spin))
        return curves.of_columns(self.energies or [], self.values or [], self.fermi or 0.0, self.window)


@router.post("/search")
async def search(wanted: Wanted, here: Here) -> dict[str, object]:
    """Materials with the nearest curves: nearest first, value of the metric with each, and how the curve was read."""

    def found() -> dict[str, object]:
        curve = wanted.curve()
        near = curves.similar(curve, metric=wanted.metric, limit=wanted.limit)
        rows = [{"material": one.material, "formula": one.formula, "value": one.value} for one in near]
        return {
            "data": views.plain(rows),
            "metric": wanted.metric,
            "window": list(curve.window),
            "alignment": str(curves.alignment()),
            "remarks": list(curve.remarks),
        }

    return await here.work.run(found)
