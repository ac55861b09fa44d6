"""What a campaign file says is looked for: a curve of one of two kinds, property windows, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from fermiloop.platform.campaign import names
from fermiloop.platform.campaign.curve_file import curve_problem
from fermiloop.platform.campaign.spec_fields import AnyNumber, Number, Part, Text, formula, known
from fermiloop.platform.representations.curves import GRIDS
from fermiloop.platform.representations.training import PropertyWindow
from fermiloop.schemas.vocabulary import SpectrumKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CurveTarget(Part):
    """A curve, named in one of three ways."""

    kind: ClassVar[SpectrumKind]
    axis: ClassVar[str]
    """Key of the points of a pasted curve."""

    material: Text | None = Field(default=None, description="formula or id of a stored material")
    file: Text | None = Field(default=None, description="path of a curve file, relative to the campaign file")
    values: tuple[AnyNumber, ...] | None = Field(default=None, description="as many as points, any normalisation")

    @property
    def points(self) -> tuple[float, ...] | None:
        """Points of a pasted curve."""
        found: tuple[float, ...] | None = getattr(self, self.axis)
        return found

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        name = f"target.{self.kind}"
        pasted = self.points is not None or self.values is not None
        if sum((self.material is not None, self.file is not None, pasted)) != 1:
            raise ValueError(f"{name} must name one of material, file, or {self.axis} with values, and only one")
        if pasted:
            if self.points is None or self.values is None:
                missing = self.axis if self.points is None else "values"
                raise ValueError(f"{name}.{missing} is missing; pasted curves need {self.axis} and values")
            problem = curve_problem(self.points, self.values, GRIDS[self.kind], self.axis)
            if problem:
                raise ValueError(f"{name} does not hold: {problem}")
        return self

    def curve(self) -> NDArray[np.float64] | None:
        """Unit-area curve on the grid of its kind where the values are here, None where a material is named."""
        if self.points is None or self.values is None:
            return None
        grid = GRIDS[self.kind]
        return grid.normalise(grid.resample(self.points, self.values))


class DosTarget(CurveTarget):
    """A density of states."""

    kind = SpectrumKind.DOS
    axis = "energies"
    energies: tuple[AnyNumber, ...] | None = Field(default=None, description="eV about the Fermi level, rising")


class XrdTarget(CurveTarget):
    """A powder diffraction pattern."""

    kind = SpectrumKind.XRD
    axis = "angles"
    angles: tuple[AnyNumber, ...] | None = Field(default=None, description="2θ in degrees for Cu Kα, rising")


class Window(Part):
    """A property with the values that count as a hit."""

    name: Annotated[Text, AfterValidator(known("property", names.PROPERTIES))] = Field(description="a property name")
    value: Number = Field(description="the value looked for, in the property's unit")
    tolerance: Number = Field(gt=0, description="how far from it still counts")


class TargetSpec(Part):
    """What is looked for."""

    dos: DosTarget | None = Field(default=None, description="a density of states")
    xrd: XrdTarget | None = Field(default=None, description="a powder diffraction pattern, in place of dos")
    hit_similarity: Number = Field(default=0.9, gt=0, le=1, description="cosine similarity that counts as a hit")
    exclude: tuple[Annotated[Text, AfterValidator(formula)], ...] = Field(
        default=(), description="formulas that may not be proposed"
    )
    properties: tuple[Window, ...] = Field(default=(), description="property windows, which must all hold")

    @model_validator(mode="after")
    def _something(self) -> TargetSpec:
        if self.dos is not None and self.xrd is not None:
            raise ValueError("target names both dos and xrd; a campaign looks for one curve")
        if self.curve is None and not self.properties:
            raise ValueError(
                "target names nothing to look for; give it dos, xrd, properties, or a curve with properties"
            )
        return self

    @property
    def curve(self) -> CurveTarget | None:
        """The curve that is looked for, of whatever kind."""
        return self.dos or self.xrd

    def windows(self) -> tuple[PropertyWindow, ...]:
        """Property windows as the generators and the screening take them."""
        return tuple(PropertyWindow(window.name, window.value, window.tolerance) for window in self.properties)
