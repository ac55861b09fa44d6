"""What the funnel is given and what it answers: plain data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Space, Target
    from fermiloop.platform.predictors.potential.protocol import CheapPotential

DUPLICATE = "duplicate within the batch"
KNOWN = "known material"
KNOWN_AS = "known as "  # the id of the material follows


@dataclass(frozen=True)
class Verdict:
    """What one stage says of one crystal.

    Parameters
    ----------
    stage
        Name of the stage.
    passed
        Whether later stages see the crystal.
    reason
        One clause for a person: why it was rejected, or what could not be judged.
    value
        The number behind it, where there is one; its unit is in the reason.
    kind
        The reason without names and numbers: what tallies count by.
    """

    stage: str
    passed: bool
    reason: str = ""
    value: float | None = None
    kind: str = ""


def looks_for_twins(stage: str) -> bool:
    """Whether a stage compares crystals; one that is no longer installed counts as not."""
    return stage in STAGES and STAGES[stage].finds_twins


def known_as(reason: str) -> str | None:
    """Id of the material in the reason of a rejection as known."""
    return reason.removeprefix(KNOWN_AS) if reason.startswith(KNOWN_AS) else None


@dataclass(frozen=True)
class Tally:
    """What one stage did to the whole batch; `reasons` counts rejections by kind."""

    stage: str
    n_in: int
    n_out: int
    reasons: Mapping[str, int]
    core_seconds: float


@dataclass(frozen=True)
class Screened:
    """One crystal at the end of the funnel, rejected ones too.

    Parameters
    ----------
    index
        Place in the batch that was given.
    structure
        Relaxed where the relaxation was reached and passed, else as given.
    verdicts
        One for each stage that saw it, in order.
    scores
        ``energy_per_atom``, ``formation_energy_per_atom`` and ``energy_above_hull`` in eV/atom by the cheap
        potential; ``similarity_mean`` and ``similarity_std`` of the target's curve, and the like of each property that
        the target asks for; only what is known.
    passed
        Whether all stages passed it.
    """

    index: int
    structure: Structure
    verdicts: tuple[Verdict, ...]
    scores: Mapping[str, float]
    passed: bool


@dataclass(frozen=True)
class Known:
    """A material that the store holds already.

    Parameters
    ----------
    id, formula
        Material id and reduced formula.
    fingerprint
        (n,) as stored; computed again where it is of another length.
    structure
        Its crystal.
    """

    id: str
    formula: str
    fingerprint: Sequence[float] | NDArray[np.float64]
    structure: Structure


class SimilarityModel(Protocol):
    """A surrogate that predicts how near the curve of a crystal comes to a target."""

    def similarity(
        self, structures: Sequence[Structure], target: Target
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation over the ensemble, (n,) each."""
        ...


class PropertyModel(Protocol):
    """Foretells one property of crystals."""

    def predict(self, structures: Sequence[Structure]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation in the property's unit, (n,) each."""
        ...


@dataclass(frozen=True)
class Context:
    """All that stages judge by.

    Parameters
    ----------
    target, space
        What is looked for, and where.
    potential
        Cheap potential of the relaxation.
    known
        Materials with the reduced formulas that may occur.
    hull_entries
        Composition, energy in eV per atom and id of every reference, all by one Method: that of `potential`.
    surrogate
        Foretells the similarity to the target; None where none is trained yet.
    ensembles
        Foretell the properties of the target's windows, by name; those without one stay unknown.
    max_energy_above_hull
        eV per atom.
    potential_error, potential_bias
        Standard deviation of the potential's energies as predictions of the engine's, and what they are too high on
        average, eV per atom.
    min_distance
        Shortest distance of two atoms, as a fraction of the sum of their atomic radii; the lowest of 1,600
        Materials Project crystals is 0.69.
    volume_per_atom
        Least and most, Å³.
    max_force, max_steps
        Convergence of the relaxation in eV/Å, and its most steps.
    rattle
        Å; above 0 every atom is first displaced at random so that a symmetric saddle point is left, and the
        symmetry is not kept.
    options
        Of stages that take some, by the stage's name.
    """

    target: Target
    space: Space
    potential: CheapPotential
    known: Sequence[Known] = ()
    hull_entries: Sequence[tuple[Mapping[str, float], float, str]] = ()
    surrogate: SimilarityModel | None = None
    ensembles: Mapping[str, PropertyModel] = field(default_factory=dict)
    max_energy_above_hull: float = 0.2
    potential_error: float = 0.0
    potential_bias: float = 0.0
    min_distance: float = 0.6
    volume_per_atom: tuple[float, float] = (3.0, 160.0)
    max_force: float = 0.1
    max_steps: int = 150
    rattle: float = 0.0
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        low, high = self.volume_per_atom
        if not 0 < low < high:
            raise InputError(f"The volume per atom must be bounded by 0 < low < high, not {low} and {high} Å³.")
        for name in ("max_energy_above_hull", "potential_error", "min_distance", "rattle"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be zero or more, not {getattr(self, name)}.")


@dataclass
class Crystal:
    """One crystal on its way through the funnel."""

    index: int
    structure: Structure
    verdicts: list[Verdict] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)


def unique_and_novel(screened: Sequence[Screened]) -> tuple[int, int]:
    """How many were unlike every earlier one of the batch, and how many of these unlike all that is known.

    Only crystals that were compared can count; the denominator of a rate is the whole batch.
    """
    unique = novel = 0
    for crystal in screened:
        found = {v.kind for v in crystal.verdicts if not v.passed}
        compared = any(
            looks_for_twins(v.stage) and (v.passed or v.kind in {DUPLICATE, KNOWN}) for v in crystal.verdicts
        )
        unique += compared and DUPLICATE not in found
        novel += compared and not found & {DUPLICATE, KNOWN}
    return unique, novel
