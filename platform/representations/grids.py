"""The grid of each kind of curve: what holds for the density of states holds for any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid
from fermiloop.schemas.curve_kinds import CurveKind, SpectrumKind

if TYPE_CHECKING:
    from collections.abc import Mapping


def _grid(kind: CurveKind) -> SpectrumGrid:
    return SpectrumGrid(kind.lo, kind.hi, kind.n, str(kind.axis_unit), str(kind.alignment))


GRIDS: Final[Mapping[SpectrumKind, SpectrumGrid]] = {
    kind: DOS_GRID if kind is SpectrumKind.DOS else _grid(kind.declared) for kind in SpectrumKind
}
PHONON_GRID: Final = GRIDS[SpectrumKind.PHONON_DOS]
XRD_GRID: Final = GRIDS[SpectrumKind.XRD]
