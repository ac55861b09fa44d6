"""What a VASP run computed by, as its task document says: functional, Hubbard U, and the corrections they allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fermiloop.platform.errors import EngineError, InputError
from fermiloop.platform.representations.functionals import functional_of, hubbard_of

COVERED: Final = "PBE"  # with or without a U; what MaterialsProject2020Compatibility was fitted to


def ran(document: Any) -> str:
    """Functional that a task document says ran."""
    calculation = document.calcs_reversed[0]
    try:
        return functional_of(_tags(calculation), _potcar(calculation))
    except InputError as error:
        raise EngineError(str(error)) from error


def hubbard_u_of(document: Any) -> dict[str, float]:
    """Effective Hubbard U by element in eV, as a task document says."""
    calculation = document.calcs_reversed[0]
    symbols = [title.split()[1] for title in _titles(calculation) if len(title.split()) > 1]
    try:
        return hubbard_of(_tags(calculation), symbols or list(document.structure.symbol_set))
    except InputError as error:
        raise EngineError(str(error)) from error


def correction_of(document: Any) -> float:
    """Energy in eV per cell that MaterialsProject2020Compatibility adds to a document's energy.

    Raises
    ------
    EngineError
        If the scheme does not cover the calculation.
    """
    from pymatgen.entries.compatibility import (  # seconds
        CompatibilityError,
        MaterialsProject2020Compatibility,
    )

    entry = document.structure_entry
    formula, functional = entry.composition.reduced_formula, ran(document)
    if functional != COVERED:
        raise EngineError(
            f"MaterialsProject2020Compatibility is for {COVERED} and {COVERED}+U, and {formula} was computed by "
            f"{functional}; set corrections: none"
        )
    entry.parameters["run_type"] = "GGA+U" if entry.parameters.get("is_hubbard") else "GGA"
    try:
        corrected, why = MaterialsProject2020Compatibility().process_entry(entry, on_error="raise"), ""
    except CompatibilityError as error:
        corrected, why = None, f" ({' '.join(str(error).split())})"
    if corrected is None:
        raise EngineError(
            f"MaterialsProject2020Compatibility does not cover {formula} as it was computed; set corrections: none{why}"
        )
    return float(corrected.correction)


def check_converged(document: Any) -> None:
    """Refuse a run that stopped short, whatever atomate2 is set to do with one.

    Raises
    ------
    EngineError
        If its electronic loop, or a relaxation's ionic one, did not converge.
    """
    state = str(getattr(document.state, "value", document.state))
    if state != "successful":
        errors = (document.analysis.errors if document.analysis else None) or []
        said = "; ".join(str(getattr(one, "value", one)) for one in errors)
        raise EngineError(f"VASP did not converge{f': {said}' if said else ', as its task document says'}")


def _tags(calculation: Any) -> Mapping[str, Any]:
    """Parameters with INCAR over them: vasprun.xml leaves some tags out of its parameters, and mangles others."""
    parameters = {str(key).upper(): value for key, value in (calculation.input.parameters or {}).items()}
    incar = {str(key).upper(): value for key, value in (calculation.input.incar or {}).items()}
    return {**parameters, **incar}


def _titles(calculation: Any) -> list[str]:
    found = []
    for one in calculation.input.potcar_spec or []:
        title = one.get("titel") if isinstance(one, Mapping) else getattr(one, "titel", None)
        found += [str(title)] if title else []
    return found


def _potcar(calculation: Any) -> str:
    return next(iter([*_titles(calculation), *(calculation.input.potcar_type or [])]), "PBE")
