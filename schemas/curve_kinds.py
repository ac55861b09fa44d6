"""Kinds of curves, each declared once: a new one is an entry of `SpectrumKind`, and nothing else.

A kind that is declared can be stored and imported, is a target of campaign files under its name (of a stored material,
of a file, or pasted), is what engines give under its name, and has its axes in reports and pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fermiloop.schemas.vocabulary import Alignment, Unit


@dataclass(frozen=True)
class CurveKind:
    """What a kind of curve is.

    Parameters
    ----------
    title
        In a sentence.
    lo, hi, n
        Grid on which curves of the kind are compared, in the unit of the axis.
    axis_unit, unit
        Of its points and of its values; of what grows with the cell it ends with ``/cell``.
    points
        What its points are called: the key in campaign files and in what engines give.
    points_are
        What a campaign file says about them.
    axis, values
        What stands at the axes of a picture, whose curves have unit area; an empty axis says what lies at zero.
    alignment
        What lies at zero of the axis, where that may differ.
    line
        Where a picture has a vertical line.
    of_crystals
        Place of the function that computes the curves of crystals, for a kind that follows from the crystal alone:
        structures and grid to (n, grid.n) of unit area, NaN for a crystal without one. Empty where curves are computed
        by engines and stored.
    """

    title: str
    lo: float
    hi: float
    n: int
    axis_unit: Unit
    unit: Unit
    points: str
    points_are: str
    axis: str
    values: str
    alignment: Alignment = Alignment.NONE
    line: float | None = None
    of_crystals: str = ""


class SpectrumKind(StrEnum):
    """Kinds of curves by the names that are stored."""

    declared: CurveKind

    def __new__(cls, value: str, declared: CurveKind | None = None) -> SpectrumKind:
        """A name with its declaration; a name alone finds its kind and comes not here."""
        assert declared is not None, f"the kind of curve {value} is not declared"
        made = str.__new__(cls, value)
        made._value_ = value
        made.declared = declared
        return made

    DOS = "dos", CurveKind(
        "density of states", -7.5, 7.5, 151, Unit.EV, Unit.STATES_PER_EV_PER_CELL,
        points="energies", points_are="eV about the Fermi level, rising",
        axis="", values="DOS of unit area (1/eV)", alignment=Alignment.FERMI, line=0.0,
    )  # fmt: skip
    # step 0.2 THz; the area over all frequencies is three times the atoms; imaginary modes lie outside
    PHONON_DOS = "phonon_dos", CurveKind(
        "phonon density of states", 0.0, 25.0, 126, Unit.THZ, Unit.STATES_PER_THZ_PER_CELL,
        points="frequencies", points_are="THz, rising",
        axis="Frequency (THz)", values="Phonon DOS of unit area (1/THz)",
    )  # fmt: skip
    # step 0.2°
    XRD = "xrd", CurveKind(
        "powder pattern", 10.0, 90.0, 401, Unit.DEGREE, Unit.DIMENSIONLESS,
        points="angles", points_are="2θ in degrees for Cu Kα, rising",
        axis="2θ for Cu Kα (degrees)", values="Intensity of unit area (1/degree)",
        of_crystals="fermiloop.platform.representations.diffraction:xrd_patterns",
    )  # fmt: skip
    # step 0.05 eV; what most measured tables cover
    ABSORPTION = "absorption", CurveKind(
        "absorption", 1.5, 6.0, 91, Unit.EV, Unit.PER_CM,
        points="photon_energies", points_are="eV, rising",
        axis="Photon energy (eV)", values="Absorption of unit area (1/eV)",
    )  # fmt: skip


def other_stored_kinds() -> tuple[SpectrumKind, ...]:
    """Kinds that engines compute, without the density of states."""
    return tuple(one for one in SpectrumKind if one is not SpectrumKind.DOS and not one.declared.of_crystals)
