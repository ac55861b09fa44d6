"""What a person wrote, as checked values: names, symbols, formulas, ranges; every slip in one sentence.

Texts come from terminals and from the network, so each is bounded before a library sees it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.schemas.scores import SCORES

MOST_ROWS: Final = 1_000_000
MOST_NAMED: Final = 24  # names that a sentence lists
NUMBER: Final = r"[-+]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20})(?:[eE][-+]?\d{1,3})?"
RANGE: Final = re.compile(rf"(?P<lo>{NUMBER})?\s*:\s*(?P<hi>{NUMBER})?\s*(?P<unit>\D.{{0,20}})?", re.ASCII)
SITES: Final = re.compile(r"(\d{0,7}):(\d{0,7})|(\d{1,7})", re.ASCII)
FORMULA: Final = re.compile(r"(?!.*\d{5})[A-Za-z0-9.()]{1,60}", re.ASCII)  # what pymatgen reads without harm


def one_of(kind: str, value: str, known: Iterable[str]) -> str:
    """`value` where it is known.

    Raises
    ------
    InputError
        If it is not, with the nearest known one.
    """
    names = [str(name) for name in known]
    if value in names:
        return str(value)
    near = nearest(value, names)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    hint = f"did you mean {near}?" if near else f"known are {', '.join(names[:MOST_NAMED])}{more}."
    raise InputError(f"{value[:80]!r} is no {kind}; {hint}")


def nearest(value: str, known: Iterable[str]) -> str | None:
    """The known name that a value comes close to, None where none is near."""
    near = difflib.get_close_matches(value.lower(), list(known), n=1)
    return near[0] if near else None


def elements(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Symbols of a list such as ``Pd,Ni`` or ``Pd Ni``, or of several."""
    return _symbols(given if given is None or isinstance(given, str) else " ".join(given) or None)


def chemical_system(given: str | None) -> str | None:
    """A chemical system such as ``Ni-Al`` with its symbols in order."""
    return None if given is None else "-".join(sorted(_symbols(given)))


def _symbols(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    from pymatgen.core.periodic_table import Element  # heavy

    symbols = tuple(dict.fromkeys(part for part in re.split(r"[-,\s]+", text.strip()) if part))
    if not symbols:
        raise InputError(f"The list of elements {text!r} is empty; name at least one, such as Pd.")
    for symbol in symbols:
        if not Element.is_valid_symbol(symbol):
            raise InputError(f"{symbol[:20]!r} is no element; write symbols such as Pd,Ni.")
    return symbols


def formula(given: str | None) -> str | None:
    """A reduced formula in the store's own order of elements.

    Raises
    ------
    InputError
        If it is no formula.
    """
    if given is None:
        return None
    from pymatgen.core.composition import Composition  # heavy

    wrong = InputError(f"{given[:60]!r} is no formula; write one such as NiAl or Fe2O3.")
    if not FORMULA.fullmatch(given.strip()):
        raise wrong
    try:
        composition = Composition(given.strip(), strict=True)
    except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError, IndexError):
        raise wrong from None
    if not composition:
        raise wrong
    return str(composition.reduced_formula)


def sites(given: str | tuple[float | None, float | None] | None) -> tuple[int, int] | None:
    """Fewest and most sites of ``lo:hi``, either side open, or of one number."""
    if given is None or given == (None, None):
        return None
    if not isinstance(given, str):
        low, high = int(max(given[0] or 0, 0)), int(min(MOST_ROWS if given[1] is None else given[1], MOST_ROWS))
    else:
        match = SITES.fullmatch(given.strip())
        if match is None or given.strip() == ":":
            raise InputError(f"The range of sites {given[:20]!r} is invalid; write LO:HI, such as 1:8.")
        low = int(match[3] or match[1] or 0)
        high = int(match[3] or match[2] or MOST_ROWS)
    if high < low:
        raise InputError(f"The range of sites {low}:{high} runs backwards; write the smaller number first.")
    return low, high


def ranges(
    given: Sequence[str] | Mapping[str, tuple[float, float]] | None, known: Iterable[str] = PROPERTIES
) -> dict[str, tuple[float, float]]:
    """Name to lowest and highest value, from ``NAME=LO:HI`` with either side open, or from a mapping.

    Raises
    ------
    InputError
        If one cannot be read, its name is unknown, its unit is another, or it runs backwards.
    """
    names, found = tuple(str(name) for name in known), dict[str, tuple[float, float]]()
    rows = _pairs(given) if isinstance(given, Mapping) else [_range(text, names) for text in given or ()]
    for name, low, high in rows:
        name = one_of("property to give a range of", name, names)
        if math.isnan(low) or math.isnan(high) or high < low or (math.isinf(low) and low > 0):
            raise InputError(f"The range {name}={low:g}:{high:g} runs backwards; write the smaller value first.")
        if name in found:
            raise InputError(f"The property {name!r} has two ranges; give one.")
        found[name] = (low, high)
    return found


def _pairs(given: Mapping[str, tuple[float, float]]) -> list[tuple[str, float, float]]:
    return [(name, float(low), float(high)) for name, (low, high) in given.items()]


def _range(text: str, known: Sequence[str]) -> tuple[str, float, float]:
    name, equals, rest = text.partition("=")
    match = RANGE.fullmatch(rest.strip())
    if not equals or match is None or (match["lo"] is None and match["hi"] is None):
        raise InputError(f"The range {text[:80]!r} is invalid; write PROPERTY=LO:HI, such as band_gap=0.5:2.")
    name = one_of("property to give a range of", name.strip(), known)
    _check_unit(name, match["unit"], text)
    return name, float(match["lo"] or "-inf"), float(match["hi"] or "inf")


def window(text: str | None) -> tuple[float, float] | None:
    """Bounds of ``LO:HI`` in eV."""
    if text is None:
        return None
    match = RANGE.fullmatch(text.strip())
    if match is None or None in (match["lo"], match["hi"]) or (match["unit"] or "eV").strip() != "eV":
        raise InputError(f"The window {text[:40]!r} is invalid; write LO:HI in eV, such as -2:2.")
    return float(match["lo"]), float(match["hi"])


def generator(text: str, others: Callable[[], Iterable[str]] = tuple) -> tuple[str, str | None]:
    """Name and preset of a generator given as ``dos_composer``, or with its preset as ``dos_composer/paper``.

    Parameters
    ----------
    others
        Gives names that are right although no such generator is installed.

    Raises
    ------
    InputError
        If there is none.
    """
    known, _, wanted = text.partition("/")
    if known not in GENERATORS and known in others():
        return known, wanted or None
    presets = (f"{known}/{preset}" for known, declared in GENERATORS.items() for preset in declared.presets)
    name, _, preset = one_of("generator", text, (*GENERATORS, *presets)).partition("/")
    return name, preset or None


def _check_unit(name: str, unit: str | None, text: str) -> None:
    if unit is None:
        return
    right = str(PROPERTIES[name].unit if name in PROPERTIES else SCORES[name].unit)
    if unit.strip() != right:
        raise InputError(f"The range {text!r} is in {unit.strip()!r}, but {name} is kept in {right}; write it so.")


def space_group(given: str | int | None) -> int | None:
    """Number of a space group given by its number or its symbol, such as 225 or Fm-3m.

    Raises
    ------
    InputError
        If it is neither.
    """
    if given is None:
        return None
    from pymatgen.symmetry.groups import SpaceGroup  # heavy

    wanted = str(given).strip()
    if wanted.isascii() and wanted.isdecimal():
        if len(wanted) < 4 and 1 <= int(wanted) <= 230:
            return int(wanted)
    else:
        try:
            return int(SpaceGroup(wanted).int_number)
        except ValueError:
            pass
    raise InputError(f"{given!r} is no space group; write its number, 1 to 230, or its symbol, such as Fm-3m.")


def limit(number: int) -> int:
    """A positive number of rows."""
    if number < 1:
        raise InputError(f"The limit {number} is invalid; ask for at least 1 row.")
    return number
