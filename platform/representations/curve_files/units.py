"""Units that a heading names: of the energy, and of the energy in the density of states."""

from __future__ import annotations

import re
from typing import Final

HARTREE: Final = 27.211386245988  # eV
EV_OF: Final = {
    "ev": 1.0, "mev": 1e-3, "ha": HARTREE, "hartree": HARTREE, "hartrees": HARTREE, "a.u.": HARTREE, "au": HARTREE,
    "eh": HARTREE, "ry": HARTREE / 2, "ryd": HARTREE / 2, "rydberg": HARTREE / 2, "rydbergs": HARTREE / 2,
}  # fmt: skip
UNIT: Final = r"meV|eV|Hartrees?|Ha|Rydbergs?|Ryd|Ry|a\.u\.|au|Eh"
OVER: Final = re.compile(rf"\be(?:nerg(?:y|ies|ie))?\s*/\s*({UNIT})(?!\w)", re.IGNORECASE)  # Energy/eV, as axes have it
PER: Final = re.compile(rf"(?:/|per\s+)\s*({UNIT})(?!\w)|({UNIT})\s*(?:\^|\*\*)?\s*[({{]?-1", re.IGNORECASE)
PLAIN: Final = re.compile(  # au alone is gold
    rf"[(\[]\s*({UNIT})\s*[)\]]|\bin\s+({UNIT})(?!\w)|\benerg\w*[ ,_:]+({UNIT})(?!\w)|_({UNIT})(?!\w)"
    rf"|^\s*(?!au\b)({UNIT})(?=\s*(?:[,;|\t ]|$))",
    re.IGNORECASE | re.MULTILINE,
)


def units(heading: str) -> tuple[float | None, float | None]:
    """Unit of the energy and of the energy in the density's, in eV; None where it is not named.

    Parameters
    ----------
    heading
        All lines, without the Fermi level, which has a unit of its own.
    """
    over = OVER.search(heading)
    rest = OVER.sub(" ", heading)
    per = PER.search(rest)
    plain = over or PLAIN.search(PER.sub(" ", rest))
    return _ev(plain), _ev(per)


def _ev(match: re.Match[str] | None) -> float | None:
    named = next((group for group in match.groups() if group), None) if match else None
    return EV_OF[named.lower()] if named else None
