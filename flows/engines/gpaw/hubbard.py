"""PBE+U of GPAW: which U each element of a crystal gets, and how GPAW is told.

The rotationally invariant form of Dudarev et al., Phys. Rev. B 57, 1505 (1998), of which U is the effective U - J. GPAW
adds it within the atomic spheres, so that forces and stresses of plane waves follow from the same Hamiltonian.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pymatgen.core import Element

from fermiloop.platform.errors import InputError

MATERIALS_PROJECT: Final = "materials_project"
U_OF_MATERIALS_PROJECT: Final = {
    "Co": 3.32, "Cr": 3.7, "Fe": 5.3, "Mn": 3.9, "Mo": 4.38, "Ni": 6.2, "V": 3.25, "W": 6.2,
}  # fmt: skip
"""eV: Jain et al., Comput. Mater. Sci. 50, 2295 (2011), fitted to oxides by VASP; applied where O or F is present."""
ANIONS: Final = frozenset({"O", "F"})
LARGEST_U: Final = 20.0  # eV
MOMENT: Final = 2.0  # Bohr magnetons, of an element with U that is not polarised without

Hubbard = Mapping[str, float] | str | None


def checked(value: Any, engine: str) -> dict[str, float] | str | None:
    """The setting as a Method keeps it: sorted, without elements whose U is 0; None where nothing is left.

    Raises
    ------
    InputError
        If it is neither `MATERIALS_PROJECT` nor a mapping of elements with a d or f shell to U in eV.
    """
    if value is None or value == MATERIALS_PROJECT:
        return value
    if not isinstance(value, Mapping):
        raise InputError(
            f"The setting hubbard of the {engine} engine is {value!r}; write {MATERIALS_PROJECT}, or U in eV by "
            "element, such as {V: 3.25}."
        )
    found = {str(symbol): _number(str(symbol), u, engine) for symbol, u in value.items()}
    for symbol in found:
        orbital(symbol, engine)
    return {symbol: found[symbol] for symbol in sorted(found) if found[symbol] > 0} or None


def of_crystal(symbols: Iterable[str], hubbard: Hubbard) -> dict[str, float]:
    """U in eV of the elements of a crystal that get one."""
    there = sorted(set(symbols))
    if hubbard is None or (hubbard == MATERIALS_PROJECT and not ANIONS & set(there)):
        return {}
    table = U_OF_MATERIALS_PROJECT if isinstance(hubbard, str) else hubbard
    return {symbol: float(table[symbol]) for symbol in there if symbol in table}


def setups(hubbard: Hubbard) -> dict[str, str]:
    """GPAW's keyword ``setups`` for the U of one crystal, see `of_crystal`, such as ``{"V": ":d,3.25"}``."""
    assert not isinstance(hubbard, str), "which elements get a U depends on the crystal"
    return {symbol: f":{orbital(symbol)},{u:g}" for symbol, u in (hubbard or {}).items()}


def orbital(symbol: str, engine: str = "gpaw") -> str:
    """The shell that U acts on: f of lanthanides, d of transition metals.

    Raises
    ------
    InputError
        If it is no element, or has neither.
    """
    if not Element.is_valid_symbol(symbol):
        raise InputError(f"The setting hubbard of the {engine} engine names {symbol!r}, which is no element.")
    element = Element(symbol)
    if element.is_lanthanoid and symbol not in ("La", "Lu"):
        return "f"
    if element.is_transition_metal or symbol in ("La", "Lu"):
        return "d"
    raise InputError(
        f"The setting hubbard of the {engine} engine names {symbol}, which has no open d or f shell; leave it out."
    )


def _number(symbol: str, u: Any, engine: str) -> float:
    if isinstance(u, bool) or not isinstance(u, float | int) or not math.isfinite(u) or not 0 <= u <= LARGEST_U:
        raise InputError(
            f"The setting hubbard of the {engine} engine gives {symbol} a U of {u!r}; write eV from 0 to {LARGEST_U:g}."
        )
    return float(u)
