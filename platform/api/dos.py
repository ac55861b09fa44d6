"""``/dos/search``: the stored densities of states nearest to a posted curve."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Depends
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from fermiloop.platform.api import views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.actions import Site, site
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID, check_curve
from fermiloop.schemas.vocabulary import Role

MOST_POINTS: Final = 20_000
LARGEST: Final = 1e12  # of a value; far beyond any density, far below what overflows
SLACK: Final = 1e-6  # eV
NEGATIVE_SHARE: Final = 1e-3  # of the highest value: ringing of an interpolation, not a wrong curve

router = APIRouter(prefix="/dos", tags=["dos"], dependencies=[Depends(needs(Role.READ))])
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]


class Metric(StrEnum):
    """How two curves are compared; values of `fermiloop.platform.store.dos_search`."""

    COSINE = "cosine"
    WASSERSTEIN = "wasserstein"
    FINGERPRINT = "fingerprint"


class Wanted(BaseModel):
    """The curve to look for, and how."""

    model_config = ConfigDict(extra="forbid")

    energies: list[Finite] = Field(
        min_length=2, max_length=MOST_POINTS, description="Rising, in eV about the Fermi level."
    )
    values: list[Finite] = Field(min_length=2, max_length=MOST_POINTS, description="Density, in any normalisation.")
    metric: Metric = Field(default=Metric.COSINE, description="How curves are compared.")
    window: tuple[Finite, Finite] | None = Field(
        default=None, description="First and last energy that count, eV; the whole grid by default."
    )
    limit: Annotated[int, Field(strict=True, ge=1, le=200)] = Field(default=10, description="Most materials.")


@router.post("/search")
async def search(wanted: Wanted, here: Annotated[Site, Depends(site)]) -> dict[str, Any]:
    """Materials with the nearest curves: nearest first, value of the metric with each."""
    window = wanted.window or (DOS_GRID.lo, DOS_GRID.hi)

    def found() -> dict[str, Any]:
        curve = on_grid(np.asarray(wanted.energies), np.asarray(wanted.values), window)
        near = here.actions.dos_search(curve, str(wanted.metric), window, wanted.limit)
        rows = [{"material": one.material, "formula": one.formula, "value": one.value} for one in near]
        return {"data": views.plain(rows), "metric": wanted.metric, "window": list(window)}

    return await here.work.run(found)


def on_grid(x: NDArray[Any], y: NDArray[Any], window: tuple[float, float]) -> NDArray[Any]:
    """(151,) values of a curve on `DOS_GRID`, 0 where it does not reach; it must cover the window.

    Parameters
    ----------
    x
        (n,) energies in eV.
    y
        (n,) values.
    window
        First and last energy that count, eV.

    Raises
    ------
    InputError
        If it is no curve, does not cover the window, is negative, or vanishes in it; or the window is none.
    """
    low, high = window
    if not DOS_GRID.lo - SLACK <= low < high <= DOS_GRID.hi + SLACK:
        raise InputError(
            f"The window {low:g} to {high:g} eV does not hold; it must rise within {DOS_GRID.lo} to {DOS_GRID.hi} eV."
        )
    check_curve(x, y)
    if x[0] > low + SLACK or x[-1] < high - SLACK:
        raise InputError(f"The curve covers {x[0]:g} to {x[-1]:g} eV, but the window is {low:g} to {high:g} eV.")
    if y.min() < -NEGATIVE_SHARE * abs(y.max()):
        raise InputError(f"A density of states is not negative, but {y.min():g} is among the values.")
    points = DOS_GRID.points
    curve = np.interp(points, x, np.maximum(y, 0.0), left=0.0, right=0.0)
    inside = (points >= low - SLACK) & (points <= high + SLACK)
    if not (curve[inside] > 0).any():
        raise InputError(f"The curve is 0 between {low:g} and {high:g} eV, so nothing can be like it.")
    return np.asarray(curve)
