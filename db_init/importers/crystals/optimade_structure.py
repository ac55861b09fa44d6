"""Structures of OPTIMADE, as servers and files give them: every field but the cell and the sites may be null.

OPTIMADE specification 1.2, https://github.com/Materials-Consortia/OPTIMADE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from fermiloop.db_init.importers.crystals.elements import element, is_what, isotope_remark, plain
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.db_init.importers.crystals.poscar import right_handed
from fermiloop.platform.errors import InputError
from fermiloop.schemas.fields import MAX_SITES

FULL: Final = 1e-3
HARMLESS: Final = frozenset({"unordered"})


def read(attributes: Mapping[str, Any]) -> Crystal:
    """Crystal of a structure's attributes.

    Raises
    ------
    InputError
        If it is not periodic, not ordered, or not whole.
    """
    _check_features(attributes)
    matrix = _array(attributes, "lattice_vectors")
    positions = _array(attributes, "cartesian_site_positions")
    names = attributes.get("species_at_sites")
    if not isinstance(names, list) or not names:
        raise InputError("The structure does not say which species are at its sites.")
    if matrix.shape != (3, 3):
        raise InputError("The structure has no three cell vectors.")
    stated = attributes.get("nsites")
    if len(positions) != len(names) or len(names) > MAX_SITES or stated not in {None, len(names)}:
        raise InputError(f"{len(names)} species for {len(positions)} positions, of at most {MAX_SITES}")
    symbols = _symbols(attributes.get("species"), [str(name) for name in names])
    structure = Structure(
        Lattice(matrix), [Element(plain(symbol)) for symbol in symbols], positions, coords_are_cartesian=True
    )
    return Crystal(right_handed(structure), isotope_remark(set(symbols)))


def _check_features(attributes: Mapping[str, Any]) -> None:
    features = {str(one) for one in attributes.get("structure_features") or ()} - HARMLESS
    if features:
        raise InputError(f"The structure is no ordered crystal: it has {', '.join(sorted(features))}.")
    n = attributes.get("nperiodic_dimensions")
    periodic = attributes.get("dimension_types")
    n = n if n is not None else sum(map(bool, periodic)) if isinstance(periodic, list) else 3
    if n != 3:
        raise InputError(f"The structure is periodic in {n} of three directions.")


def _array(attributes: Mapping[str, Any], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = attributes.get(name)
    try:
        made = np.array(found, dtype=np.float64)
    except (TypeError, ValueError):
        made = np.zeros(0)
    if made.ndim != 2 or made.shape[1] != 3 or not np.isfinite(made).all():
        raise InputError(f"The structure has no {name.replace('_', ' ')}, or some are null.")
    return made


def _symbols(species: Any, names: list[str]) -> list[str]:
    """Element at each site; where the species are not described, their names must be elements."""
    described: dict[str, str] = {}
    for one in species or ():
        described[str(one["name"])] = _symbol(one) if str(one["name"]) in names else ""
    found = [described.get(name, name) for name in names]
    for name, symbol in zip(names, found, strict=True):
        if symbol != symbol.capitalize() or element(symbol) is None:
            raise InputError(f"The species {name[:40]} is no single element: {symbol[:20]!r} {is_what(symbol)}.")
    return found


def _symbol(species: Mapping[str, Any]) -> str:
    """The one element of a species."""
    name, symbols = str(species["name"])[:40], species.get("chemical_symbols") or []
    shares = species.get("concentration") or [1.0] * len(symbols)
    if species.get("attached"):
        raise InputError(f"The species {name} is no single element: it has {', '.join(species['attached'])} attached.")
    if len(symbols) != 1 or len(shares) != 1 or abs(float(shares[0]) - 1) > FULL:
        held = ", ".join(f"{symbol} {share:g}" for symbol, share in zip(symbols, shares, strict=False))
        raise InputError(f"The species {name} is no single element: it is {held or 'empty'}.")
    return str(symbols[0])
