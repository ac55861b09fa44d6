"""What an evaluation found, into the store: material, curve and labels. Every write can be repeated."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from monty.json import jsanitize
from pymatgen.core import Composition

from fermiloop.flows.engines import sanity
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.flows.engines.steps import failures, isolation
from fermiloop.flows.queue.reasons import reason_of
from fermiloop.platform.errors import EngineError
from fermiloop.platform.plugins.engines import EngineDeclaration, engine
from fermiloop.platform.plugins.properties import PROPERTIES, grows
from fermiloop.platform.screening.hull import Hulls
from fermiloop.platform.store import calculations, labels, materials, methods, moving, spectra
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import Property

logger = logging.getLogger("fermiloop.flows")


def result_of(calculation: Calculation, outputs: Any) -> EvaluationResult | str:
    """Results of the engine, or why there are none.

    Finished work is taken from its folder where the job that did it could not tell of it any more.
    """
    declared = engine(calculation.engine)
    given = {name: value for name, value in (outputs or {}).items() if value}
    if not given:
        left = isolation.read_output(isolation.step_folder(calculation.id, declared.last_step))
        if isolation.read_failure(calculation.id) is not None or left is None:
            return reason_of(calculation.id)
        given = {declared.last_step: left}
    try:
        return _believed(declared, given)
    except Exception as error:  # noqa: BLE001  (whatever an output lacks, the evaluation has failed for that reason)
        folder = isolation.step_folder(calculation.id, declared.last_step)
        folder.mkdir(parents=True, exist_ok=True)
        return f"{declared.last_step}: {failures.write(folder, error)}"


def method_that_ran(calculation: Calculation, found: EvaluationResult) -> str:
    """Id of the Method of a result: the planned one, unless the program says that it ran another functional.

    Such a result is paid for and true, so it is kept, under a Method of its own that no hull or training set of the
    planned one is mixed with.
    """
    planned = methods.get(calculation.method)
    if found.functional is None or found.functional == planned.functional:
        return str(calculation.method)
    method = methods.save(planned.engine, found.functional, dict(planned.settings), dict(planned.code_versions))
    calculations.set_method(calculation.id, method)
    logger.warning(
        "%s was planned by %s and ran %s; its results are kept under the Method of that, %s",
        calculation.id, planned.functional, found.functional, method,
    )  # fmt: skip
    return method


def store(calculation: Calculation, material: str, found: EvaluationResult) -> dict[str, float]:
    """Save curve and labels of a result as those of a material, where it counts for it; the labels.

    What counts is the lowest energy by this Method, of relaxed crystals where there is one: another magnetic state may
    lie higher. What does not count is in the result of its calculation alone.
    """
    numbers = numbers_of(calculation, material, found)
    if not _counts(calculation, material, found):
        return numbers
    factor = materials.per_cell(material, found.structure)
    if found.energies is not None and found.density is not None:
        _make_place(calculation, material)
        spectra.save(
            material,
            found.energies,
            [factor * value for value in found.density],
            method=calculation.method,
            calculation=calculation.id,
            n_electrons=None if found.n_electrons is None else factor * found.n_electrons,
            gap=found.gap,
        )
    for kind, (points, values) in found.curves.items():
        whole = factor * values if grows(SpectrumKind(kind).declared.unit) else values
        _make_place(calculation, material, SpectrumKind(kind))
        spectra.save(
            material, points, whole, method=calculation.method, kind=SpectrumKind(kind), calculation=calculation.id
        )
    labels.save_all(material, numbers, method=calculation.method, calculation=calculation.id)
    return numbers


def numbers_of(calculation: Calculation, material: str, found: EvaluationResult) -> dict[str, float]:
    """Properties of a material by a result, each in its unit."""
    factor = materials.per_cell(material, found.structure)
    measured: dict[str, float | None] = {
        Property.ENERGY_PER_ATOM: found.energy_per_atom,
        Property.BAND_GAP: found.gap,
        Property.MAGNETIC_MOMENT: None if found.magnetic_moment is None else factor * found.magnetic_moment,
        Property.FERMI_LEVEL: found.fermi_level,
        **{name: factor * one if PROPERTIES[name].per_cell else one for name, one in found.properties.items()},
    }
    if found.energy_per_atom is not None:  # what the engine itself says of stability counts
        own = stability(found.structure.composition, found.energy_per_atom, calculation.method, material)
        measured = own | measured
    return {str(name): value for name, value in measured.items() if value is not None}


def stability(composition: Composition, energy_per_atom: float, method: str, material: str) -> dict[str, float | None]:
    """Formation energy and energy above the hull of everything else by this Method, where it has the elements."""
    symbols = frozenset(element.symbol for element in composition.elements)
    entries = [entry for entry in labels.hull_entries(symbols, method) if entry[2] != material]
    hulls = Hulls(entries)
    if hulls.missing(symbols):
        return {}
    shift = labels.correction(symbols, methods.corrections(method))
    above, formation = hulls.above(composition, energy_per_atom + shift)
    known = {Property.FORMATION_ENERGY_PER_ATOM: formation, Property.ENERGY_ABOVE_HULL: above}
    return {name: value for name, value in known.items() if PROPERTIES[name].fault(value) is None}


def told_of(material: str, found: EvaluationResult, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """What a calculation keeps as its result, beside the labels, as a document: small numbers and details.

    Between two jobs crystals among the details, which an engine gives as plain data, have become objects.
    """
    energy = {} if found.energy_per_atom is None else {"energy_per_atom": found.energy_per_atom}
    told = {"material": material, **energy, **numbers, **found.computed_by(), "computed_cell": found.per_cell()}
    return dict(jsanitize(told, strict=True))


def _counts(calculation: Calculation, material: str, found: EvaluationResult) -> bool:
    """Whether a result is what its material is known by: see `store`."""
    known = labels.latest(material, Property.ENERGY_PER_ATOM, calculation.method)
    if known is None:
        return True
    if found.energy_per_atom is not None and found.energy_per_atom <= known.value + labels.SAME:
        return True
    return calculation.relaxed and not _is_relaxed(known.calculation)


def _is_relaxed(calculation: str | None) -> bool:
    """Whether a value is of a crystal that was relaxed by its Method; those of a library were computed as they are."""
    return calculation is not None and calculations.exists(calculation) and calculations.get(calculation).relaxed


def _make_place(calculation: Calculation, material: str, kind: SpectrumKind = SpectrumKind.DOS) -> None:
    """Make place for the curve of a result that counts where another lies, which is kept among the displaced ones."""
    curve = spectra.of_material(material, kind, method=calculation.method)
    if curve is not None and curve.calculation != calculation.id:
        moving.displace(str(curve.id))


def _believed(declared: EngineDeclaration, given: Mapping[str, Any]) -> EvaluationResult:
    found = code_of(declared.name).results(given)
    fault = sanity.fault_of(found, declared.lowest_energy)
    if fault is not None:
        raise EngineError(f"its result is refused: {fault}")
    return found
