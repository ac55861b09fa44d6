"""What lies at zero of a density of states: the level of a metal, the middle of the gap or the valence edge elsewhere.

Programs put the Fermi level of an insulator anywhere in its gap, so that two runs of one crystal differ by up to the
gap. Where the band edges are known, from eigenvalues, the curve is shifted by them. Where they are not, they are found
from the curve: the gap is where the density about the given level is below a hundredth of the curve's own scale. A
broadened curve has tails that reach into the gap; where the logarithm of a tail is a parabola, as a Gaussian's is, its
width says how far the tail reaches, and the edge is set back by so much.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import check_curve
from fermiloop.schemas.vocabulary import Alignment

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

METAL: Final = 1e-3  # eV; a smaller gap is none
AROUND: Final = 10.0  # eV on either side of the level; the scale of the curve is taken there
EMPTY: Final = 0.01  # of the scale: less is no state
FAINT: Final = 0.05  # of the scale: between this and `EMPTY` lies a dip that may be a narrow gap, smeared
NEAR: Final = 0.4  # eV from the gap at which a level may lie that the program put at a band edge
FEW_STATES: Final = 0.007  # of the states about the level: what may lie between it and the gap that it belongs to
SHARP: Final = 1e-4  # of the scale: where a band without a tail begins
TAIL_TOP: Final = 0.1  # of the scale: a tail is looked at from there
TAIL_END: Final = 3e-5  # of the scale: to there, since files round
FEWEST_OF_TAIL: Final = 4  # points
PARABOLA: Final = 0.25  # how far the logarithm of a Gaussian tail may lie from a parabola
FALL: Final = 4.0  # in logarithms: over how much a tail must fall
WIDEST: Final = 0.5  # eV, of a Gaussian that a tail is taken for
NEARLY: Final = 0.05  # eV; so near a zero that was found in a curve is the one that is wanted
FEWEST_STEPS: Final = 2.0  # a narrower gap is none that the curve can show


AXES: Final = {
    Alignment.FERMI: "Energy above the Fermi level, E - E_F (eV)",
    Alignment.MIDGAP: "Energy above the Fermi level, E - E_F (eV)",
    Alignment.VBM: "Energy above the valence edge, E - E_VBM (eV)",
}
"""How the axis of a density of states is called in pictures; E_F of an insulator is the middle of its gap."""


@dataclass(frozen=True)
class Edges:
    """Band edges about the Fermi level.

    Parameters
    ----------
    vbm, cbm
        Highest occupied and lowest empty level, eV as the program counts them; both None for a metal.
    """

    vbm: float | None = None
    cbm: float | None = None

    def __post_init__(self) -> None:
        if (self.vbm is None) != (self.cbm is None):
            raise InputError("Band edges are two, the valence and the conduction edge; give both or none.")
        if self.vbm is not None and self.cbm is not None and not self.cbm > self.vbm:
            raise InputError(f"The conduction edge {self.cbm:g} eV must lie above the valence edge {self.vbm:g} eV.")

    @property
    def gap(self) -> float:
        """Width of the gap, eV; 0 for a metal."""
        return 0.0 if self.vbm is None or self.cbm is None else self.cbm - self.vbm

    @property
    def middle(self) -> float | None:
        """Middle of the gap, eV; None for a metal."""
        return None if self.vbm is None or self.cbm is None else (self.vbm + self.cbm) / 2


def zero_level(level: float, edges: Edges, alignment: Alignment = Alignment.MIDGAP) -> float:
    """Energy in eV that becomes zero: the level itself for a metal.

    Parameters
    ----------
    level
        Fermi level, eV as the program counts.
    edges
        Band edges, eV as the program counts.
    alignment
        What shall lie at zero.
    """
    if alignment is Alignment.MIDGAP and edges.middle is not None and edges.gap > METAL:
        return edges.middle
    if alignment is Alignment.VBM and edges.vbm is not None and edges.gap > METAL:
        return edges.vbm
    return level


def offset(stored: Alignment, wanted: Alignment, gap: float | None) -> float:
    """Energy in eV to add to the points of a curve, so that zero is what is wanted; 0 where the gap is unknown.

    Parameters
    ----------
    stored
        What lies at zero.
    wanted
        What shall lie there.
    gap
        Width of the gap, eV; None where it is unknown.
    """
    above_valence = {Alignment.MIDGAP: (gap or 0.0) / 2, Alignment.VBM: 0.0}  # zero lies so far above the valence edge
    if stored not in above_valence or wanted not in above_valence:
        return 0.0
    return above_valence[stored] - above_valence[wanted]


@dataclass(frozen=True)
class Zeroed:
    """A curve about its zero.

    Parameters
    ----------
    energies
        (n,) eV.
    gap
        Width of the gap, eV, 0 for a metal; None where it is unknown, and zero is the level as given.
    remark
        What was done to the energies, a sentence; None where there is nothing to say.
    """

    energies: Array
    gap: float | None
    remark: str | None = None


def about_zero(
    energies: ArrayLike,
    density: ArrayLike,
    level: float,
    edges: Edges | None = None,
    alignment: Alignment = Alignment.MIDGAP,
) -> Zeroed:
    """A curve with what is wanted at zero; about the level as given where its gap is not known and cannot be found.

    Parameters
    ----------
    energies
        (n,) rising, eV as the program counts.
    density
        (n,) in any normalisation, spins summed.
    level
        Fermi level, eV on the same axis.
    edges
        Band edges, eV on the same axis, where they are known; else they are looked for in the curve, and a zero that
        lies where it should as nearly as the curve can tell is left there.
    alignment
        What shall lie at zero.
    """
    x, found = np.asarray(energies, dtype=float), edges
    if found is None:
        try:
            found = edges_about(x, density, level)
        except InputError as error:
            return Zeroed(x - level, None, f"Energies are about the Fermi level as given: {error}")
    zero = zero_level(level, found, alignment)
    if edges is None and abs(zero - level) <= max(NEARLY, float(np.median(np.diff(x)))):
        zero = level
    gap = found.gap if found.gap > METAL else 0.0
    if zero == level:
        return Zeroed(x - level, gap)
    what = "middle of the gap" if alignment is Alignment.MIDGAP else "valence edge"
    return Zeroed(
        x - zero, gap, f"Zero was moved by {zero - level:+.3f} eV to the {what}; the gap is {gap:.2f} eV wide."
    )


def edges_about(energies: ArrayLike, density: ArrayLike, level: float) -> Edges:
    """Edges of the gap that a level lies in, or beside, as the curve shows them.

    Parameters
    ----------
    energies
        (n,) rising, eV.
    density
        (n,) in any normalisation, spins summed.
    level
        Fermi level, eV on the same axis.

    Raises
    ------
    InputError
        If it is no curve, or it cannot say: the level lies outside of it, the curve ends within the gap, or the density
        has a dip at the level that may be a metal's or a narrow gap that broadening or the step fills.
    """
    x, y = np.asarray(energies, dtype=float), np.asarray(density, dtype=float)
    check_curve(x, y)
    if not x[0] < level < x[-1]:
        raise InputError(f"The curve covers {x[0]:g} to {x[-1]:g} eV, where the Fermi level {level:g} eV is not.")
    y = np.maximum(y, 0.0)
    scale = _scale(x, y, level)
    found = _empty_run(x, y, level, EMPTY * scale)
    if found is None:
        _refuse_dip(x, y, level, scale)
        return Edges()
    first, last = found
    if first == 0 or last == len(x) - 1:
        side = "below" if first == 0 else "above"
        raise InputError(f"The curve shows no states {side} the Fermi level {level:g} eV, so its gap cannot be found.")
    widths = [width for way in (-1, 1) if (width := _width(x, y, found, way, scale)) is not None]
    width = max(widths, default=None)  # one broadening made both tails, though one may be too short to tell
    if width is None and y[first : last + 1].min() > SHARP * scale:
        raise InputError(
            f"The density at the Fermi level {level:g} eV is low but never 0, as a metal's may be, so the gap cannot "
            "be found."
        )
    vbm, cbm = _edge(x, y, found, -1, scale, width), _edge(x, y, found, 1, scale, width)
    step = max(x[first] - x[first - 1], x[last + 1] - x[last])
    if cbm - vbm <= max(FEWEST_STEPS * step, METAL):
        raise InputError(
            f"The density vanishes at the Fermi level {level:g} eV over less than {FEWEST_STEPS:g} steps of {step:.3g} "
            "eV, so the curve cannot show whether there is a gap."
        )
    return Edges(vbm, cbm)


def _scale(x: Array, y: Array, level: float) -> float:
    """Mean density where there is any, near the level."""
    near = y[np.abs(x - level) <= AROUND]
    there = near[near > EMPTY * near.max(initial=0.0)]
    if not there.size:
        raise InputError(f"The curve has no states within {AROUND:g} eV of the Fermi level {level:g} eV.")
    return float(there.mean())


def _empty_run(x: Array, y: Array, level: float, empty: float) -> tuple[int, int] | None:
    """First and last point of the empty stretch that the level lies in or beside; None where there is none."""
    bare = np.flatnonzero(y <= empty)
    runs = [(int(run[0]), int(run[-1])) for run in np.split(bare, np.flatnonzero(np.diff(bare) > 1) + 1) if run.size]
    step = float(np.median(np.diff(x)))
    near = np.abs(x - level) <= AROUND
    few = FEW_STATES * float(np.trapezoid(np.where(near, y, 0.0), x))

    def apart(run: tuple[int, int]) -> float:
        return max(0.0, float(x[run[0]]) - level, level - float(x[run[1]]))

    def between(run: tuple[int, int]) -> float:
        low, high = sorted((level, float(x[run[0]] if x[run[0]] > level else x[run[1]])))
        inside = (x > low) & (x < high)
        points = np.concatenate([[low], x[inside], [high]])
        return float(np.trapezoid(np.interp(points, x, y), points))

    beside = [run for run in runs if apart(run) <= step or (apart(run) <= NEAR and between(run) <= few)]
    wide = [run for run in beside if x[run[1]] - x[run[0]] >= (FEWEST_STEPS - 1) * step or apart(run) == 0.0]
    return min(wide, key=apart, default=None)


def _refuse_dip(x: Array, y: Array, level: float, scale: float) -> None:
    near = np.abs(x - level) <= NEAR
    lowest = float(min(y[near].min(initial=np.inf), np.interp(level, x, y)))
    wide = (np.abs(x - level) <= 5 * NEAR) & (y > 5 * lowest)
    if lowest < FAINT * scale and (wide & (x < level)).any() and (wide & (x > level)).any():
        raise InputError(
            f"The density at the Fermi level {level:g} eV is {lowest / scale:.1%} of the mean, which may be a metal's "
            "or a narrow gap that broadening fills, so the gap cannot be found."
        )


def _edge(x: Array, y: Array, run: tuple[int, int], way: int, scale: float, width: float | None) -> float:
    """Band edge on one side of an empty stretch, eV.

    Parameters
    ----------
    x, y
        (n,) energies and density.
    run
        First and last point of the stretch.
    way
        Direction of the band: -1 below, 1 above the gap.
    scale
        Of the density.
    width
        Standard deviation of the Gaussian that the curve is broadened by, eV; None where there is none.
    """
    end = run[0] if way < 0 else run[1]
    if width is None:  # no tail: the band begins where the density does
        while run[0] <= end - way <= run[1] and y[end] > SHARP * scale:
            end -= way
        return _crossing(x, y, end, end + way, SHARP * scale)
    crossing = _crossing(x, y, end, end + way, EMPTY * scale)
    ahead = (x - crossing) * way
    height = float(y[(ahead >= 0) & (ahead <= 4 * width)].max(initial=EMPTY * scale))
    share = EMPTY * scale / height  # of the tail's height; the height is never below it
    return crossing + way * width * max(0.0, NormalDist().inv_cdf(1.0 - min(share, 0.5)))


def _width(x: Array, y: Array, run: tuple[int, int], way: int, scale: float) -> float | None:
    """Standard deviation of the Gaussian that a band edge is broadened by, eV; None where its tail is no Gaussian's."""
    end = run[0] if way < 0 else run[1]
    first, last = end, end
    while 0 <= first + way < len(x) and y[first] < y[first + way] <= TAIL_TOP * scale:
        first += way
    while 0 <= last - way < len(x) and TAIL_END * scale < y[last - way] < y[last]:
        last -= way
    tail = np.arange(min(first, last), max(first, last) + 1)
    if len(tail) < FEWEST_OF_TAIL or not y[tail].min() > TAIL_END * scale:
        return None
    logs, places = np.log(y[tail]), x[tail] - x[end]
    curvature, *rest = np.polyfit(places, logs, 2)
    width = float(np.sqrt(-0.5 / curvature)) if curvature < 0 else np.inf
    off = float(np.abs(np.polyval([curvature, *rest], places) - logs).max())
    return width if width <= WIDEST and off < PARABOLA and np.ptp(logs) > FALL else None


def _crossing(x: Array, y: Array, empty: int, filled: int, value: float) -> float:
    """Energy between an empty point and the filled one beside it, where the density has a value."""
    share = (value - y[empty]) / max(y[filled] - y[empty], np.finfo(float).tiny)
    return float(x[empty] + np.clip(share, 0.0, 1.0) * (x[filled] - x[empty]))
