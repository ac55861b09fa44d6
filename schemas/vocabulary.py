"""Every string that is stored, as an enumeration, with named groups beside it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

EXTERNAL: Final = "external"
"""Engine of numbers that were computed elsewhere and imported; all others are in `platform.plugins.engines`."""


class Property(StrEnum):
    """Names of our own properties that code asks for; all that are known are in `platform.plugins.properties`."""

    ENERGY_PER_ATOM = "energy_per_atom"
    FORMATION_ENERGY_PER_ATOM = "formation_energy_per_atom"
    ENERGY_ABOVE_HULL = "energy_above_hull"
    BAND_GAP = "band_gap"
    FERMI_LEVEL = "fermi_level"
    MAGNETIC_MOMENT = "magnetic_moment"
    BULK_MODULUS = "bulk_modulus"
    SHEAR_MODULUS = "shear_modulus"
    HYDROGEN_INTERSTITIAL_ENERGY = "hydrogen_interstitial_energy"
    DOS_SIMILARITY = "dos_similarity"


class Unit(StrEnum):
    """Units of our own properties and of spectra; a declared property may bear another."""

    EV_PER_ATOM = "eV/atom"
    EV = "eV"
    EV_PER_HYDROGEN = "eV/H"
    MU_B_PER_CELL = "μB/cell"
    GPA = "GPa"
    STATES_PER_EV_PER_CELL = "states/eV/cell"
    STATES_PER_THZ_PER_CELL = "states/THz/cell"
    THZ = "THz"
    DEGREE = "degree"  # of the diffraction angle 2θ
    PER_CM = "1/cm"
    DIMENSIONLESS = "1"


class Alignment(StrEnum):
    """What lies at zero of a spectrum's axis."""

    FERMI = "fermi"  # the level as its source gave it, which may lie anywhere in a gap
    MIDGAP = "midgap"  # middle of the gap; the Fermi level of a metal
    VBM = "vbm"  # valence edge; the Fermi level of a metal
    NONE = "none"


DOS_ALIGNMENTS: Final = frozenset({Alignment.FERMI, Alignment.MIDGAP, Alignment.VBM})
"""What may lie at zero of a density of states."""


class CrystalSystem(StrEnum):
    """The seven crystal systems."""

    TRICLINIC = "triclinic"
    MONOCLINIC = "monoclinic"
    ORTHORHOMBIC = "orthorhombic"
    TETRAGONAL = "tetragonal"
    TRIGONAL = "trigonal"
    HEXAGONAL = "hexagonal"
    CUBIC = "cubic"


class Origin(StrEnum):
    """Where a material came from."""

    SEED = "seed"
    IMPORT = "import"
    CAMPAIGN = "campaign"


class Stage(StrEnum):
    """How far a candidate has come."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    PASSED = "passed"
    SELECTED = "selected"
    EVALUATED = "evaluated"
    FAILED = "failed"


class CalculationState(StrEnum):
    """State of a calculation."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


OPEN_CALCULATIONS: Final = frozenset({CalculationState.WAITING, CalculationState.RUNNING})
FINISHED_CALCULATIONS: Final = frozenset({CalculationState.COMPLETED, CalculationState.FAILED})


class CampaignState(StrEnum):
    """State of a campaign."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_CAMPAIGNS: Final = frozenset({CampaignState.RUNNING, CampaignState.PAUSED})
"""States of a campaign that may go on."""

ENDED_CAMPAIGNS: Final = frozenset({CampaignState.FINISHED, CampaignState.FAILED, CampaignState.CANCELLED})

AT_REST: Final = ENDED_CAMPAIGNS | {CampaignState.PAUSED}
"""States of a campaign that no worker moves on."""


class RoundState(StrEnum):
    """State of a round."""

    PLANNED = "planned"
    LAUNCHED = "launched"
    CLOSED = "closed"
    FAILED = "failed"


class RoundAction(StrEnum):
    """What follows a round."""

    NEXT = "next"
    STOP = "stop"


OPEN_ROUNDS: Final = frozenset({RoundState.PLANNED, RoundState.LAUNCHED})
ENDED_ROUNDS: Final = frozenset({RoundState.CLOSED, RoundState.FAILED})


class CheckpointState(StrEnum):
    """Standing of a trained generator."""

    CHALLENGER = "challenger"
    CHAMPION = "champion"
    RETIRED = "retired"


class RunState(StrEnum):
    """What became of a firing of a schedule."""

    RUNNING = "running"
    PROMOTED = "promoted"
    REFUSED = "refused"
    FAILED = "failed"


class Role(StrEnum):
    """What a token of the REST API allows."""

    READ = "read"
    LAUNCH = "launch"
    ADMIN = "admin"


GRANTS: Final[dict[Role, frozenset[Role]]] = {
    Role.READ: frozenset({Role.READ}),
    Role.LAUNCH: frozenset({Role.READ, Role.LAUNCH}),
    Role.ADMIN: frozenset(Role),
}
