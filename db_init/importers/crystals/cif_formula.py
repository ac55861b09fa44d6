"""The formula that a CIF states, against the atoms that were read: what has no position is found out so."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from fermiloop.db_init.importers.crystals.cif_sites import number
from fermiloop.db_init.importers.crystals.cif_text import Block
from fermiloop.db_init.importers.crystals.elements import element, plain
from fermiloop.platform.errors import InputError

PART: Final = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?(?:\(\d+\))?")
WORD: Final = re.compile(r"([A-Za-z]{1,2})(\d*\.?\d*)")
OFF: Final = 0.02  # relative; rounded amounts of a formula
LEAST: Final = 1e-3


def formula_of(block: Block) -> dict[str, float] | None:
    """Amount of each element by ``_chemical_formula_sum``; None where there is none, or one that is not understood."""
    text = block.value("_chemical_formula_sum")
    if text is None:
        return None
    parts = [_parts(word) for word in re.sub(r"[~,'\"]", " ", text).split()]
    if any(part is None for part in parts):
        return None
    found: defaultdict[str, float] = defaultdict(float)
    for symbol, amount in (pair for part in parts if part is not None for pair in part):
        found[plain(symbol)] += amount
    return {symbol: amount for symbol, amount in found.items() if amount > LEAST} or None


def _parts(word: str) -> list[tuple[str, float]] | None:
    """Elements and amounts of a word such as Na4 or CO2; in capitals, NA4, where it cannot be read otherwise."""
    found, at = [], 0
    while at < len(word):
        match = PART.match(word, at)
        symbol = element(match[1]) if match else None
        if match is None or symbol is None:
            whole = WORD.fullmatch(word)
            symbol = element(whole[1]) if whole else None
            return [(symbol, float(whole[2] or 1))] if whole and symbol else None
        found.append((symbol, float(match[2] or 1)))
        at = match.end()
    return found


def units_of(block: Block) -> float | None:
    """Number of formula units in the cell by the file's own word."""
    text = block.value("_cell_formula_units_z")
    return number(text) if text else None


def fault(formula: Mapping[str, float], symbols: Iterable[str]) -> str | None:
    """How the atoms of a cell differ from a formula, in words; None where they do not."""
    atoms = Counter(plain(symbol) for symbol in symbols)
    written = " ".join(f"{symbol}{amount:g}" for symbol, amount in sorted(formula.items()))
    shared = set(atoms) & set(formula)
    strange = sorted(set(atoms) - set(formula))
    if strange:
        return f"the atoms include {', '.join(strange)}, which its formula {written} does not have"
    lacking = sorted(set(formula) - set(atoms))
    if lacking:
        what = "hydrogens" if lacking == ["H"] else ", ".join(lacking)
        return f"its formula {written} has {what} to which no position is given"
    ratios = {symbol: atoms[symbol] / formula[symbol] for symbol in shared}
    if max(ratios.values()) > (1 + OFF) * min(ratios.values()):
        read = " ".join(f"{symbol}{atoms[symbol]}" for symbol in sorted(atoms))
        hint = ", so hydrogens have no position" if min(ratios, key=lambda one: ratios[one]) == "H" else ""
        return f"its formula is {written}, but its atoms are {read}{hint}"
    return None


def check(formula: Mapping[str, float] | None, symbols: Iterable[str]) -> None:
    """Refuse atoms that are not those of the formula.

    Raises
    ------
    InputError
        If they differ.
    """
    told = fault(formula, symbols) if formula is not None else None
    if told is not None:
        raise InputError(f"{told[0].upper()}{told[1:]}.")
