"""A curve on a grid: the density of states first, with room for other spectra."""

from __future__ import annotations

import numpy as np
from mongoengine import DateTimeField, EnumField, IntField, StringField, ValidationError
from numpy.typing import ArrayLike, NDArray

from fermiloop.platform.errors import InputError
from fermiloop.schemas.base import BaseDocument, content_id, now
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import ArrayField, FiniteField
from fermiloop.schemas.vocabulary import DOS_ALIGNMENTS, Alignment, Unit

UNIFORM_TOLERANCE = 1e-3  # of a step


class Spectrum(BaseDocument):
    """One curve of one material by one method, on a uniform rising grid."""

    meta = {"collection": "spectra"}

    material = StringField(required=True)
    kind = EnumField(SpectrumKind, required=True)
    lo = FiniteField(required=True)  # first point, axis_unit
    hi = FiniteField(required=True)  # last point, axis_unit
    n = IntField(required=True, min_value=2)
    axis_unit = EnumField(Unit, default=Unit.EV)
    alignment = EnumField(Alignment, default=Alignment.FERMI)  # what lies at zero
    gap = FiniteField(min_value=0.0)  # eV, 0 for a metal; of a density of states, where it is known
    values = ArrayField(required=True)  # (n,) in `unit`, spins summed
    unit = EnumField(Unit, default=Unit.STATES_PER_EV_PER_CELL)
    n_electrons = FiniteField()  # per cell
    method = StringField(required=True)
    calculation = StringField()
    created_at = DateTimeField(default=now)

    @classmethod
    def from_arrays(
        cls,
        material: str,
        x: ArrayLike,
        y: ArrayLike,
        *,
        method: str,
        kind: SpectrumKind = SpectrumKind.DOS,
        unit: str | None = None,
        calculation: str | None = None,
        n_electrons: float | None = None,
        gap: float | None = None,
        alignment: Alignment | None = None,
    ) -> Spectrum:
        """Make the document of a curve.

        Parameters
        ----------
        gap
            Width of the gap, eV, 0 for a metal; None where it is unknown.
        alignment
            What lies at zero of a density of states: the middle of the gap by default, and the level that its source
            gave where the gap is unknown.

        Raises
        ------
        InputError
            If lengths differ, numbers are not finite, the grid does not rise evenly, or the unit is not
            that of the kind.
        """
        axis_unit, usual, value_unit = kind.declared.axis_unit, kind.declared.alignment, kind.declared.unit
        if kind is SpectrumKind.DOS and alignment is None:
            alignment = usual if gap is None else Alignment.MIDGAP
        try:
            x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        except (ValueError, TypeError):
            raise InputError("A spectrum holds only numbers.") from None
        if x.ndim != 1 or x.shape != y.shape or x.size < 2:
            raise InputError(f"A spectrum needs as many values as points, at least two; got {x.shape} and {y.shape}.")
        if not (np.isfinite(x).all() and (np.abs(y) <= np.finfo(np.float32).max).all()):
            raise InputError("A spectrum holds only finite float32 numbers; this one has NaN or infinity in it.")
        steps = np.diff(x)
        if not (steps > 0).all():
            raise InputError("The grid of a spectrum must rise from each point to the next.")
        if np.ptp(steps) > UNIFORM_TOLERANCE * steps.mean():
            raise InputError("The grid of a spectrum must be even; resample it first.")
        if unit not in (None, value_unit):
            raise InputError(f"A spectrum of the kind {kind} is in {value_unit}, not in {unit!r}.")
        return cls(
            id=content_id("s", material, str(kind), method),
            material=material,
            kind=kind,
            lo=float(x[0]),
            hi=float(x[-1]),
            n=len(x),
            axis_unit=axis_unit,
            alignment=alignment or usual,
            gap=gap,
            values=ArrayField.pack(y),
            unit=value_unit,
            n_electrons=n_electrons,
            method=method,
            calculation=calculation,
        )

    def clean(self) -> None:
        """Refuse a curve whose length is not that of its grid."""
        if None in (self.lo, self.hi, self.n, self.values, self.kind):
            return  # told by the fields themselves
        if self.hi <= self.lo:
            raise ValidationError(f"the grid goes from {self.lo} to {self.hi}")
        if len(self.values) != 4 * self.n:
            raise ValidationError(f"{len(self.values) // 4} values on {self.n} points")
        kind = self.kind.declared
        possible = DOS_ALIGNMENTS if self.kind is SpectrumKind.DOS else {kind.alignment}
        if (self.axis_unit, self.unit) != (kind.axis_unit, kind.unit) or self.alignment not in possible:
            raise ValidationError(f"a curve of the kind {self.kind} in {self.unit} over {self.axis_unit}")
        if self.alignment in (Alignment.MIDGAP, Alignment.VBM) and self.gap is None:
            raise ValidationError(f"zero is {self.alignment}, but the gap is missing")

    def points(self) -> NDArray[np.float64]:
        """(n,) grid points, in `axis_unit`."""
        return np.linspace(self.lo, self.hi, self.n)

    def array(self) -> NDArray[np.float64]:
        """(n,) values, in `unit`."""
        return ArrayField.unpack(self.values)
