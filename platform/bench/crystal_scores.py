"""How good crystals are that a model rebuilds or invents: matches, validity, success, each with its interval.

Reconstruction and validity as Xie et al. define them (CDVAE, ICLR 2022): `StructureMatcher` with stol 0.5,
angle_tol 10, ltol 0.3; no two atoms closer than 0.5 Å and a cell of at least 0.1 Å³; compositions by SMACT. That
test of distances sees no atom's own images, so a second one that does stands beside it. Validity, success and
improvement of designs as Ren et al. (Matter 5, 314, 2022). Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.generators.acceptance import MIN_DISTANCE, shortest_distance
from fermiloop.platform.screening.composition import is_neutral_or_alloy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

MIN_VOLUME: Final = 0.1
"""Å³ of a valid cell."""


@dataclass(frozen=True)
class Share:
    """`hits` of `n`."""

    hits: int
    n: int

    @classmethod
    def of(cls, flags: Iterable[object]) -> Share:
        """Share of true ones."""
        values = [bool(flag) for flag in flags]
        return cls(sum(values), len(values))

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, 95 %."""
        return wilson(self.hits, self.n)

    def above(self, other: Share) -> bool:
        """Whether it is larger, with intervals apart."""
        return self.interval[0] > other.interval[1]


@dataclass(frozen=True)
class Reconstruction:
    """How well crystals were rebuilt.

    Parameters
    ----------
    matched
        Of all crystals; one that could not be built, or is invalid in its structure, is a miss.
    matched_and_neutral
        The same with SMACT's test of the rebuilt composition as well, as CDVAE's table counts.
    rmse
        Mean of the matcher's root mean square distance over the matched, in units of (V/n)^(1/3).
    rmse_interval
        Of that mean, 95 %, by the normal approximation.
    """

    matched: Share
    matched_and_neutral: Share
    rmse: float | None
    rmse_interval: tuple[float, float] | None = None


def reconstruction(truths: Sequence[Structure], found: Sequence[Structure | None]) -> Reconstruction:
    """Compare each crystal with what was rebuilt of it; None stands for a failure."""
    matcher = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
    distances = [
        _distance(matcher, truth, other) if other is not None and structurally_valid(other) else None
        for truth, other in zip(truths, found, strict=True)
    ]
    matched = [distance is not None for distance in distances]
    neutral = [
        match and other is not None and composition_valid(other) for match, other in zip(matched, found, strict=True)
    ]
    there = [distance for distance in distances if distance is not None]
    if not there:
        return Reconstruction(Share.of(matched), Share.of(neutral), None)
    mean, half = float(np.mean(there)), 1.96 * float(np.std(there)) / len(there) ** 0.5
    return Reconstruction(Share.of(matched), Share.of(neutral), mean, (max(mean - half, 0.0), mean + half))


@dataclass(frozen=True)
class Validity:
    """Shares of valid crystals among all that were drawn.

    Parameters
    ----------
    structural
        No two atoms of the cell, nor their images, closer than 0.5 Å; CDVAE's test.
    with_own_images
        And no atom closer than that to its own image.
    compositional
        SMACT finds neutral oxidation states, or all are metals.
    both
        Structural and compositional.
    """

    structural: Share
    with_own_images: Share
    compositional: Share
    both: Share


def validity(structures: Sequence[Structure | None]) -> Validity:
    """Shares of valid crystals; None stands for a draw that could not be built, which is invalid."""
    built = [structure is not None and structurally_valid(structure) for structure in structures]
    images = [
        ok and structure is not None and shortest_distance(structure) >= MIN_DISTANCE
        for ok, structure in zip(built, structures, strict=True)
    ]
    neutral = [structure is not None and composition_valid(structure) for structure in structures]
    both = [a and b for a, b in zip(built, neutral, strict=True)]
    return Validity(Share.of(built), Share.of(images), Share.of(neutral), Share.of(both))


def structurally_valid(structure: Structure) -> bool:
    """No two different atoms closer than 0.5 Å, and a cell of at least 0.1 Å³."""
    finite = np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()
    if not finite or structure.volume < MIN_VOLUME:
        return False
    apart = structure.distance_matrix + np.diag(np.full(len(structure), np.inf))
    return bool(apart.min() >= MIN_DISTANCE)


def composition_valid(structure: Structure) -> bool:
    """Whether SMACT finds a neutral combination, or all elements are metals, or there is one element only."""
    return is_neutral_or_alloy(structure.composition)


@dataclass(frozen=True)
class DesignScore:
    """How many designs hit, next to chance.

    Parameters
    ----------
    valid
        Valid and unlike each other, of all designed.
    success
        In the band, of all designed.
    random
        In the band, of the data set.
    """

    valid: Share
    success: Share
    random: Share

    @property
    def improvement(self) -> float | None:
        """(success - random) / random; None where either is unknown or nothing of the data hits."""
        if self.success.value is None or not self.random.value:
            return None
        return (self.success.value - self.random.value) / self.random.value

    @property
    def times_random(self) -> float | None:
        """How many times random."""
        return None if self.improvement is None else 1 + self.improvement


def design_score(
    n_designed: int, valid_values: Sequence[float], data_values: Sequence[float], value: float, tolerance: float
) -> DesignScore:
    """Score designs by their property.

    Parameters
    ----------
    n_designed
        How many were designed; those that failed count as misses.
    valid_values
        Property of those that are valid and unlike each other.
    data_values
        Property of the crystals of the data set, judged in the same way.
    value, tolerance
        The band.
    """
    hits = int(in_band(valid_values, value, tolerance).sum())
    random = Share.of(in_band(data_values, value, tolerance))
    return DesignScore(Share(len(valid_values), n_designed), Share(hits, n_designed), random)


def in_band(values: Sequence[float], value: float, tolerance: float) -> NDArray[np.bool_]:
    """(n,) whether each value lies within the tolerance; NaN does not."""
    return np.asarray(np.abs(np.asarray(values, dtype=float) - value) <= tolerance)


def row(
    what: str,
    ours: Share | float | None,
    *,
    published: float | None = None,
    baseline: float | None = None,
    n: int | None = None,
    seconds: float | None = None,
    note: str = "",
    interval: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """One row of a bench's table; a share brings its interval and its number.

    Parameters
    ----------
    what
        What was measured.
    ours
        The figure.
    published, baseline
        The paper's figure, and what costs nothing.
    n
        On how many; taken from a share.
    seconds
        Processor time.
    note
        What a reader must know to judge it.
    interval
        Of a figure that is no share, 95 %.
    """
    low, high = ours.interval if isinstance(ours, Share) else interval or (None, None)
    value = ours.value if isinstance(ours, Share) else ours
    return {
        "what": what,
        "published": published,
        "ours": _rounded(value),
        "ours_low": _rounded(low),
        "ours_high": _rounded(high),
        "n": ours.n if isinstance(ours, Share) else n,
        "baseline": _rounded(baseline),
        "seconds": None if seconds is None else round(seconds, 1),
        "note": note,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.4g}")


def _distance(matcher: StructureMatcher, truth: Structure, other: Structure) -> float | None:
    found = matcher.get_rms_dist(other, truth)  # type: ignore[no-untyped-call]
    return None if found is None else float(found[0])
