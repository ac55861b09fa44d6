"""Names of elements as files write them; a name is never cut down until something is left that is an element."""

from __future__ import annotations

from typing import Final

from pymatgen.core import Element

ISOTOPES: Final = {"D": "deuterium", "T": "tritium"}
HEAVIEST: Final = 103  # no crystal of a heavier element is known: Cn is a centroid, Nh a group
# names that stand where an element should be, and what they mean
STRANGERS: Final = {
    "m": "any metal", "me": "any metal", "x": "a dummy atom or any halogen", "xx": "a dummy atom", "q": "a dummy atom",
    "a": "any cation", "r": "any rare earth", "ln": "any lanthanide", "va": "a vacancy", "vac": "a vacancy",
    "vc": "a vacancy", "bq": "a ghost atom", "gh": "a ghost atom", "du": "a dummy atom",
    "lp": "a lone pair", "cn": "a cyanide group or a centroid", "cg": "a centroid", "oh": "a hydroxyl group",
    "oh1": "a hydroxyl group", "oh2": "a water molecule", "wat": "a water molecule", "ow": "the oxygen of water",
    "hw": "the hydrogen of water", "h2o": "a water molecule", "nh": "an NH group", "nh2": "an amino group",
    "nh3": "ammonia", "nh4": "an ammonium ion", "ch": "a CH group", "ch2": "a CH2 group", "ch3": "a methyl group",
    "no3": "a nitrate ion", "so4": "a sulphate ion", "co3": "a carbonate ion", "po4": "a phosphate ion",
}  # fmt: skip


def element(name: str) -> str | None:
    """Symbol of the element that a name is, in whatever case it is written; deuterium is D and tritium T."""
    symbol = name.capitalize()
    known = symbol in ISOTOPES or (Element.is_valid_symbol(symbol) and Element(symbol).Z <= HEAVIEST)
    return symbol if known else None


def plain(symbol: str) -> str:
    """Symbol without the isotope: deuterium and tritium are hydrogen."""
    return "H" if symbol in ISOTOPES else symbol


def isotope_remark(symbols: set[str]) -> tuple[str, ...]:
    """What to tell where isotopes were read as hydrogen."""
    return tuple(
        f"{ISOTOPES[one].capitalize()} ({one}) was read as hydrogen." for one in sorted(symbols & set(ISOTOPES))
    )


def is_what(name: str) -> str:
    """What a name that is no element means, in words for the end of a sentence."""
    lower = name.lower()
    meant = STRANGERS.get(lower) or STRANGERS.get(lower.rstrip("0123456789+-"))
    return f"is no element but {meant}" if meant else "is no element"
