"""The grid of each kind of curve: what holds for the density of states holds for any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid
from fermiloop.schemas.vocabulary import SpectrumKind

if TYPE_CHECKING:
    from collections.abc import Mapping

PHONON_GRID: Final = SpectrumGrid(lo=0.0, hi=25.0, n=126, unit="THz", alignment="none")
"""Step 0.2 THz; imaginary modes lie outside."""
XRD_GRID: Final = SpectrumGrid(lo=10.0, hi=90.0, n=401, unit="degree", alignment="none")
"""2θ for Cu Kα, step 0.2°."""
ABSORPTION_GRID: Final = SpectrumGrid(lo=0.0, hi=10.0, n=201, unit="eV", alignment="none")
"""Photon energy, step 0.05 eV."""

GRIDS: Final[Mapping[SpectrumKind, SpectrumGrid]] = {
    SpectrumKind.DOS: DOS_GRID,
    SpectrumKind.PHONON_DOS: PHONON_GRID,
    SpectrumKind.XRD: XRD_GRID,
    SpectrumKind.ABSORPTION: ABSORPTION_GRID,
}
