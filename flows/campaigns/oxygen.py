"""How far oxygen's reference by a Method is off, from computed oxides and their measured enthalpies of formation.

PBE binds O2 too strongly, by nearly the same energy in all oxides of metals without a d shell that needs U (Wang,
Maxisch and Ceder, Phys. Rev. B 73, 195107, 2006). The mean over oxides of how far a formation energy lies above the
measured one, per atom of oxygen, is what the setting `reference_corrections` is to add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any, Final

from pymatgen.core import Composition

from fermiloop.flows.campaigns import elements
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import CORRECTIONS
from fermiloop.platform.store import labels, materials
from fermiloop.schemas.vocabulary import Property

OXYGEN: Final = "O"
MEASURED: Final = {
    "Li2O": -597.9, "Na2O": -414.2, "K2O": -361.5, "BeO": -609.4, "MgO": -601.6, "CaO": -634.9, "SrO": -592.0,
    "BaO": -548.0, "Al2O3": -1675.7, "Ga2O3": -1089.1, "In2O3": -925.8, "SiO2": -910.7, "GeO2": -580.0, "SnO2": -577.6,
    "ZnO": -350.5, "CdO": -258.4, "Sc2O3": -1908.8, "Y2O3": -1905.3, "La2O3": -1793.7, "TiO2": -944.0,
    "ZrO2": -1100.6, "HfO2": -1144.7,
}  # fmt: skip
"""kJ/mol of formula units at 298.15 K: CRC Handbook of Chemistry and Physics, standard thermodynamic properties."""
KJ_PER_MOL: Final = 96.485  # in an eV
FEWEST: Final = 3


@dataclass(frozen=True)
class Oxide:
    """One oxide.

    Parameters
    ----------
    formation, measured
        Energy of formation by the Method and the measured enthalpy, eV per formula unit.
    per_oxygen
        What the former lies above the latter, eV per atom of oxygen.
    """

    formula: str
    formation: float
    measured: float
    per_oxygen: float


@dataclass(frozen=True)
class Fitted:
    """The correction of oxygen.

    Parameters
    ----------
    correction
        eV per atom of oxygen, to be added to its reference.
    half_width
        Of its 95 % interval, by the spread of the oxides.
    """

    correction: float
    half_width: float
    oxides: tuple[Oxide, ...]

    @property
    def setting(self) -> str:
        """What is typed so that it is used."""
        return f"--settings '{CORRECTIONS}={{{OXYGEN}: {self.correction:.2f}}}'"


def fit(engine: str, settings: Mapping[str, Any]) -> Fitted:
    """The correction of oxygen's reference by an engine, from the oxides that the store has by its Method.

    Raises
    ------
    InputError
        If the settings correct it already, or fewer than three such oxides and their elements are there.
    """
    if CORRECTIONS in settings:
        raise InputError(f"The settings name {CORRECTIONS}, which is what is fitted; leave it out.")
    method = elements.method(engine, settings).id
    found = tuple(one for formula in MEASURED if (one := _oxide(formula, method)) is not None)
    if len(found) < FEWEST:
        raise InputError(
            f"{len(found)} oxides with a measured enthalpy have a formation energy by {engine} with these settings, "
            f"and {FEWEST} are needed; compute some of {', '.join(MEASURED)} and their elements (fermiloop compute, "
            "fermiloop references build)."
        )
    values = [one.per_oxygen for one in found]
    return Fitted(fmean(values), _half_width(values), found)


def _half_width(values: Sequence[float]) -> float:
    """Of the 95 % interval of a mean, by Student's distribution."""
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))


def _oxide(formula: str, method: str) -> Oxide | None:
    """The lowest phase of a formula by a Method, None where it has no energy, or an element no reference."""
    composition = Composition(formula)
    symbols = [element.symbol for element in composition.elements]
    references = {one.element: one.energy_per_atom for one in elements.references(symbols, method)}
    ids = [str(one.id) for one in materials.of_formulas([composition.reduced_formula])]
    energies = labels.values(ids, Property.ENERGY_PER_ATOM, method)
    if not energies or any(energy is None for energy in references.values()):
        return None
    parts = sum(composition[symbol] * (energy or 0.0) for symbol, energy in references.items())
    formation = min(energies.values()) * composition.num_atoms - parts
    measured = MEASURED[formula] / KJ_PER_MOL
    return Oxide(formula, formation, measured, (formation - measured) / composition[OXYGEN])
