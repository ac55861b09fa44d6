"""What a campaign file says is looked for: a curve of one of the declared kinds, conditions on properties, or both."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, create_model, model_validator

from fermiloop.platform.campaign import hits
from fermiloop.platform.campaign.curve_file import curve_problem, read_pattern
from fermiloop.platform.campaign.property_spec import PropertySpec
from fermiloop.platform.campaign.spec_fields import AnyNumber, Number, Part, Text, formula
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import METAL, Edges, Zeroed, about_zero
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.curve_files.reading import Wish
from fermiloop.platform.representations.curve_files.registry import lowered, read_curve_file
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectral_search import Window as GridWindow
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import Alignment, Property

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_OBJECTIVES: Final = 3


class CurveTarget(Part):
    """A curve, named in one of three ways."""

    kind: ClassVar[SpectrumKind]

    material: Text | None = Field(default=None, description="formula or id of a stored material")
    file: Text | None = Field(default=None, description="path of a curve file, relative to the campaign file")
    values: tuple[AnyNumber, ...] | None = Field(default=None, description="as many as points, any normalisation")
    remarks: tuple[Text, ...] = Field(default=(), description="what was assumed when its file was read")

    @property
    def points(self) -> tuple[float, ...] | None:
        """Points of a pasted curve."""
        found: tuple[float, ...] | None = getattr(self, self.axis())
        return found

    @classmethod
    def axis(cls) -> str:
        """Key of the points of a pasted curve."""
        return cls.kind.declared.points

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        name = f"target.{self.kind}"
        pasted = self.points is not None or self.values is not None
        if sum((self.material is not None, self.file is not None, pasted)) != 1:
            raise ValueError(f"{name} must name one of material, file, or {self.axis()} with values, and only one")
        if pasted and (self.points is None or self.values is None):
            missing = self.axis() if self.points is None else "values"
            raise ValueError(f"{name}.{missing} is missing; pasted curves need {self.axis()} and values")
        return self

    @abstractmethod
    def read(self, path: Path) -> Self:
        """The same with the numbers of its file.

        Raises
        ------
        InputError
            If the file holds no curve of the kind.
        """

    def zeroed(self, alignment: Alignment = Alignment.MIDGAP) -> Zeroed:  # noqa: ARG002 of a density of states
        """Points of a curve whose values are here, with what is wanted at zero."""
        return Zeroed(np.asarray(self.points, dtype=float), None)


class DosTarget(CurveTarget):
    """A density of states."""

    kind = SpectrumKind.DOS
    energies: tuple[AnyNumber, ...] | None = Field(default=None, description="eV about the Fermi level, rising")
    fermi: Number | None = Field(default=None, description="Fermi level in eV as the file, or energies, count")
    one_spin: bool = Field(default=False, strict=True, description="a file of one spin is half of two alike")
    gap: Number | None = Field(default=None, ge=0, description="eV, where zero is known to be the middle of the gap")
    alignment: Literal["midgap", "vbm", "fermi"] | None = Field(
        default=None,
        description="what lies at zero of insulators: midgap, vbm, or fermi, which is midgap; else the store's setting",
    )

    def read(self, path: Path) -> DosTarget:
        """The same with the numbers of its file, about the middle of the gap where that is known."""
        found = read_curve_file(path, Wish(self.fermi, self.one_spin))
        zeroed = found.about()
        said = (*found.remarks, *([zeroed.remark] if zeroed.remark else []))
        return DosTarget(
            energies=tuple(zeroed.energies.tolist()),
            values=tuple(found.density.tolist()),
            gap=zeroed.gap,
            alignment=self.alignment,
            remarks=tuple(remark[:500] for remark in said),
        )

    def zeroed(self, alignment: Alignment = Alignment.MIDGAP) -> Zeroed:
        """Energies with what is wanted at zero; the gap is the one that is given, or found in the curve."""
        edges = None
        if self.gap is not None:
            edges = Edges(-self.gap / 2, self.gap / 2) if self.gap > METAL else Edges()
        return about_zero(np.asarray(self.energies), np.asarray(self.values), self.fermi or 0.0, edges, alignment)


class OtherTarget(CurveTarget):
    """A curve of another kind than a density of states; made for each kind by `_other`."""

    def read(self, path: Path) -> Self:
        """The same with the numbers of its file."""
        points, values = read_pattern(path, self.axis())
        return self.model_validate({self.axis(): tuple(points.tolist()), "values": tuple(values.tolist())})


def _other(kind: SpectrumKind) -> type[OtherTarget]:
    points = Field(default=None, description=kind.declared.points_are)
    made: type[OtherTarget] = create_model(
        f"{kind.name.title()}Target", __base__=OtherTarget, __module__=__name__, __doc__=kind.declared.title,
        **{kind.declared.points: (tuple[AnyNumber, ...] | None, points)},  # type: ignore[call-overload]
    )  # fmt: skip
    made.kind = kind
    return made


class Curves(Part):
    """A key for each kind of curve that is declared, of which a target has at most one."""

    dos: DosTarget | None = Field(default=None, description="a density of states")


OTHERS: Final = {
    str(kind): (_other(kind) | None, Field(default=None, description=f"{kind.declared.title}, in place of dos"))
    for kind in SpectrumKind
    if kind is not SpectrumKind.DOS
}
if not TYPE_CHECKING:
    Curves = create_model("Curves", __base__=Curves, __module__=__name__, **OTHERS)


class TargetSpec(Curves):
    """What is looked for."""

    window: tuple[Number, Number] | None = Field(
        default=None, description="first and last energy of the density of states that count, eV"
    )
    hit_similarity: Number = Field(default=0.9, gt=0, le=1, description="cosine similarity that counts as a hit")
    exclude: tuple[Annotated[Text, AfterValidator(formula)], ...] = Field(
        default=(), description="formulas that may not be proposed"
    )
    properties: tuple[PropertySpec, ...] = Field(
        default=(), description="conditions on properties, which must all hold, and objectives"
    )
    stable_within: Number | None = Field(
        default=0.1, ge=0, le=10, description="eV/atom above the hull that a hit may lie; null where that is no matter"
    )

    @model_validator(mode="after")
    def _something(self) -> TargetSpec:
        given = [str(kind) for kind in SpectrumKind if getattr(self, kind) is not None]
        if len(given) > 1:
            raise ValueError(f"target names both {given[0]} and {given[1]}; a campaign looks for one curve")
        if self.curve is None and not self.properties:
            curves = ", ".join(SpectrumKind)
            raise ValueError(
                f"target names nothing to look for; give it {curves}, properties, or a curve with properties"
            )
        return self

    @model_validator(mode="after")
    def _each_once(self) -> TargetSpec:
        named = [one.name for one in self.properties]
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"target.properties names {twice} twice; put all that is asked of it into one entry")
        wishes = [one.name for one in self.properties if one.objective]
        if len(wishes) > MOST_OBJECTIVES:
            raise ValueError(
                f"target.properties has {len(wishes)} objectives, but at most {MOST_OBJECTIVES} can be traded off; "
                f"give {wishes[-1]} a bound in place of minimise or maximise"
            )
        return self

    @model_validator(mode="after")
    def _window(self) -> TargetSpec:
        if self.window is not None and self.dos is None:
            raise ValueError("target.window says where a density of states counts, but target.dos is missing")
        try:
            self.part(SpectrumKind.DOS)
        except InputError as error:
            raise ValueError(f"target.window cannot be used: {str(error).rstrip('.')}") from None
        return self

    @model_validator(mode="after")
    def _curve_holds(self) -> TargetSpec:
        curve = self.curve
        if curve is not None and curve.values is not None:
            try:
                self.check_curve(curve)
            except InputError as error:
                raise ValueError(f"target.{curve.kind} cannot be used: {str(error).rstrip('.')}") from None
        return self

    def part(self, kind: SpectrumKind) -> GridWindow:
        """Part of the grid of a kind in which curves are compared.

        Raises
        ------
        InputError
            If the window leaves the grid, or holds too few of its points.
        """
        return GridWindow.of(GRIDS[kind], self.window)

    def check_curve(self, curve: CurveTarget) -> None:
        """Refuse a curve, whose values are here, that is none or does not cover what is compared.

        Raises
        ------
        InputError
            Saying what is wrong.
        """
        part = self.part(curve.kind).as_grid()
        points, values = curve.points or (), curve.values or ()
        problem = curve_problem(points, values, part, curve.axis())
        if problem is None:
            zeroed = curve.zeroed()
            problem = curve_problem(zeroed.energies, values, part, curve.axis())
            if problem:
                raise InputError(f"{problem}, or target.window must say less; {lowered(zeroed.remark or '')}")
        if problem:
            raise InputError(f"{problem}.")

    def told(self, alignment: Alignment) -> tuple[str, ...]:
        """How the curve was read, and what is done to its energies, a sentence each."""
        curve = self.curve
        if curve is None or curve.values is None:
            return ()
        moved = curve.zeroed(alignment).remark
        return (*curve.remarks, *([moved] if moved and moved not in curve.remarks else []))

    def unit_curve(self, alignment: Alignment = Alignment.MIDGAP) -> Array | None:
        """Curve on the grid of its kind where the values are here, None where a material is named.

        It is of unit area inside the window and 0 outside of it.

        Raises
        ------
        InputError
            If it does not cover the window with what is wanted at zero.
        """
        curve = self.curve
        if curve is None or curve.values is None:
            return None
        return GRIDS[curve.kind].normalise(self.part(curve.kind).whole(curve.zeroed(alignment).energies, curve.values))

    @property
    def curve(self) -> CurveTarget | None:
        """The curve that is looked for, of whatever kind."""
        given: list[CurveTarget | None] = [getattr(self, kind) for kind in SpectrumKind]
        return next((one for one in given if one is not None), None)

    @property
    def of_crystals(self) -> str:
        """Place of what computes the curves of crystals; empty where they are stored, or none is looked for."""
        return self.curve.kind.declared.of_crystals if self.curve is not None else ""

    def alignment(self, usual: Alignment) -> Alignment:
        """What lies at zero of densities of states, where the file does not say so what is usual.

        The Fermi level of an insulator is the middle of its gap, here as in GPAW: programs put it anywhere.
        """
        asked = self.dos.alignment if self.dos is not None else None
        if asked is None:
            return usual
        return Alignment.VBM if asked == "vbm" else Alignment.MIDGAP

    def windows(self) -> tuple[Condition, ...]:
        """Conditions and objectives of properties as the generators and the screening take them."""
        return tuple(one.condition() for one in self.properties)

    def stability(self) -> Condition | None:
        """Condition on the energy above the hull that is part of every hit unless the file says otherwise.

        A bound on that energy among the properties takes its place.
        """
        named = any(one.name == Property.ENERGY_ABOVE_HULL and one.bounded for one in self.properties)
        if self.stable_within is None or named:
            return None
        return Condition(str(Property.ENERGY_ABOVE_HULL), high=self.stable_within)

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of the properties that are minimised or maximised."""
        return tuple(one.name for one in self.properties if one.objective)

    @property
    def has_hits(self) -> bool:
        """Whether it says what a hit is: by a curve, or by a bound of a property."""
        return hits.are_defined(self.curve, self.windows())
