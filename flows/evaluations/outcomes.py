"""What became of calculations: state, energies, gap, cost, curve, and the reason of a failure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pymatgen.core import Structure

from fermiloop.platform.screening.hull import Hulls
from fermiloop.platform.store import calculations, labels, methods, spectra
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import FINISHED_CALCULATIONS, CalculationState, Property


@dataclass(frozen=True)
class Outcome:
    """One crystal that was handed over.

    Parameters
    ----------
    formula
        Reduced.
    handed_over
        What it was read from.
    material, method
        Ids of its material, None where there is none yet, and of the Method.
    relaxed
        Whether it was relaxed.
    energy_per_atom, formation_energy_per_atom
        eV; the latter where the Method has an energy of every element.
    gap
        eV.
    core_seconds
        Processor time of all its steps.
    has_curve
        Whether the store has a density of states of it by the Method.
    reason
        Why it failed.
    missing
        Why a property that the engine gives could not be computed, by its name.
    """

    calculation: str
    formula: str
    handed_over: str
    state: str
    material: str | None
    method: str
    relaxed: bool
    energy_per_atom: float | None
    formation_energy_per_atom: float | None
    gap: float | None
    core_seconds: float
    has_curve: bool
    reason: str | None
    missing: dict[str, str]

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.state in FINISHED_CALCULATIONS


def outcomes(ids: Sequence[str]) -> list[Outcome]:
    """Outcome of each calculation, once each, in the order given; unknown ids are left out."""
    found, hulls = {one.id: one for one in calculations.of_ids(ids)}, _Hulls()
    return [_outcome(found[key], hulls) for key in dict.fromkeys(ids) if key in found]


def open_of(ids: Iterable[str]) -> list[str]:
    """Those that have not ended, sorted."""
    return [one.id for one in calculations.of_ids(ids) if one.state not in FINISHED_CALCULATIONS]


class _Hulls:
    """Formation energies by the hulls as they are now: references may have come after a calculation."""

    def __init__(self) -> None:
        self._known: dict[tuple[frozenset[str], str], Hulls] = {}

    def formation(self, structure: Structure, energy_per_atom: float, method: str) -> float | None:
        """EV per atom; None where an element has no energy by the Method."""
        symbols = frozenset(element.symbol for element in structure.composition.elements)
        if (symbols, method) not in self._known:
            self._known[symbols, method] = Hulls(labels.hull_entries(symbols, method))
        hulls = self._known[symbols, method]
        if hulls.missing(symbols):
            return None
        shift = labels.correction(symbols, methods.corrections(method))
        return float(hulls.above(structure.composition, energy_per_atom + shift)[1])


def _outcome(one: Calculation, hulls: _Hulls) -> Outcome:
    structure = Structure.from_dict(one.structure)
    done = one.state is CalculationState.COMPLETED
    material = str(one.result["material"]) if done and one.result.get("material") else None
    energy = one.result.get("energy_per_atom") if done else None
    return Outcome(
        calculation=str(one.id),
        formula=structure.composition.reduced_formula,
        handed_over=str(one.handed_over or ""),
        state=str(one.state),
        material=material,
        method=str(one.method),
        relaxed=bool(one.relaxed),
        energy_per_atom=energy,
        formation_energy_per_atom=None if energy is None else hulls.formation(structure, float(energy), one.method),
        gap=None if material is None else _gap(one, material),
        core_seconds=round(float(one.core_seconds or 0.0), 2),
        has_curve=material is not None and spectra.of_material(material, method=one.method) is not None,
        reason=one.error if one.state is CalculationState.FAILED else None,
        missing=calculations.missing(one),
    )


def _gap(one: Calculation, material: str) -> float | None:
    own = one.result.get(str(Property.BAND_GAP))
    if own is not None:
        return float(own)
    return labels.values([material], Property.BAND_GAP, one.method).get(material)
