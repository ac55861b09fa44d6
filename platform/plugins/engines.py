"""Engines by name: what computes the chosen crystals, as it is known before any of its code is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fermiloop.platform.errors import PluginError, UserError
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import PLACE, Declaration

# Counted from free atoms: the strongest bonds (W, C) give 13 eV per atom, magnetic energies and corrections some more.
LOWEST_ENERGY: Final = -40.0  # eV per atom
ENERGY: Final = "energy_per_atom"
DOS: Final = "dos"
FROM_ENERGY: Final = ("formation_energy_per_atom", "energy_above_hull")
"""What follows from energies, once the elements have references by the same Method."""
ENERGIES: Final = (ENERGY, *FROM_ENERGY)
ELECTRONIC: Final = (*ENERGIES, "band_gap", "fermi_level", "magnetic_moment")
"""What a calculation with a density of states gives."""
CORRECTIONS: Final = "reference_corrections"
"""Setting of every engine: eV per atom, by element, that is added to its energy where it is a reference."""


@dataclass(frozen=True)
class CurveRule:
    """Which settings of an engine change its densities of states.

    Parameters
    ----------
    family
        Name that is common to all engines whose curves may be compared.
    spin
        Which crystals are spin-polarised, in words.
    ignored
        Settings that change no curve.
    enough
        Settings that change none above a value, in their units: larger ones count as that.
    """

    family: str
    spin: str
    ignored: tuple[str, ...] = ()
    enough: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineDeclaration(Declaration):
    """One engine.

    Parameters
    ----------
    code
        Place of its `EngineEntry`, ``"package.module:ENGINE"``; empty where nothing here computes by it.
    settings
        Place of the dataclass of its settings; empty where it has none.
    gives
        Names of the properties that its results hold.
    gives_dos
        Whether its results hold a density of states.
    gives_curves
        Names of other kinds of curves that its results hold.
    curve_named_by
        Setting that names which of these; empty where that never varies.
    named_by
        Setting whose keys are the names of what it gives, in place of `gives`; empty where that never varies.
    dos_named_by
        Setting that, where it is given, says that there is a density of states.
    last_step
        Step whose output holds the labels: in the flow's output and in the calculation's folder.
    lowest_energy
        eV per atom below which no result is believed.
    by_element
        Whether what it refuses follows from the elements, so that a space can be looked at before any crystal.
    at_once
        Whether its steps are so short that a whole evaluation is one job of the queue.
    chosen
        Whether campaign files may name it; others only mark where numbers came from.
    names_code
        Whether its settings name code that is then run; such a campaign is not taken over the network unless allowed.
    names_file
        Setting that names a file of the machine; a campaign from the network that has one is refused likewise.
    cutoff_unit
        Unit of its setting ``cutoff``.
    comparable
        What makes densities of states of its Methods comparable with one another, see `curve_key`; None where each
        Method's curves stand alone.
    """

    code: str = ""
    settings: str = ""
    gives: tuple[str, ...] = ENERGIES
    gives_dos: bool = False
    gives_curves: tuple[str, ...] = ()
    curve_named_by: str = ""
    named_by: str = ""
    dos_named_by: str = ""
    last_step: str = "static"
    lowest_energy: float = LOWEST_ENERGY
    by_element: bool = True
    at_once: bool = False
    chosen: bool = True
    names_code: bool = False
    names_file: str = ""
    cutoff_unit: str = "eV"
    comparable: CurveRule | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.chosen and not PLACE.fullmatch(self.code):
            raise PluginError(f"The code of {self.name} lies at {self.code!r}; write package.module:ENGINE.")

    def properties(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Names of what it gives by these settings, with what follows from energies."""
        if not self.named_by:
            return self.gives
        named = settings.get(self.named_by)
        names = tuple(map(str, named)) if isinstance(named, Mapping) else ()
        return names + tuple(name for name in FROM_ENERGY if ENERGY in names and name not in names)

    def has_dos(self, settings: Mapping[str, Any]) -> bool:
        """Whether it gives a density of states by these settings."""
        return bool(settings.get(self.dos_named_by)) if self.dos_named_by else self.gives_dos

    def curves(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Names of the kinds of curves that it gives by these settings."""
        named = settings.get(self.curve_named_by) if self.curve_named_by else None
        others = tuple(name for name in self.gives_curves if not self.curve_named_by or name == named)
        return (DOS, *others) if self.has_dos(settings) else others


ENGINES: Final = Catalogue(
    "engines",
    EngineDeclaration,
    (
        "fermiloop.flows.engines.gpaw.declaration",
        "fermiloop.flows.engines.gpaw_hydrogen.declaration",
        "fermiloop.flows.engines.chgnet.declaration",
        "fermiloop.flows.engines.chgnet_phonon.declaration",
        "fermiloop.flows.engines.analytic.declaration",
        "fermiloop.flows.engines.external.declaration",
        "fermiloop.flows.engines.vasp.declaration",
        "fermiloop.flows.engines.cp2k.declaration",
        "fermiloop.flows.engines.recorded.declaration",
        "fermiloop.flows.engines.flow.declaration",
        "fermiloop.flows.engines.*.declaration",
    ),
)


def chosen_engines() -> tuple[str, ...]:
    """Names that campaign files may choose."""
    return tuple(name for name, one in ENGINES.items() if one.chosen)


def engine(name: str) -> EngineDeclaration:
    """Declaration of an engine that is installed here.

    Raises
    ------
    UserError
        If it is not, with what to do about it.
    """
    found = ENGINES.get(name)
    if found is not None:
        return found
    if ENGINES.fault(name):
        raise UserError(ENGINES.missing(name, "engine"))
    raise UserError(
        f"The engine {name} is not installed here; install the package that declares it, or choose one of "
        f"{', '.join(chosen_engines())}."
    )
