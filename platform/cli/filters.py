"""What a query asks for, as options of the command line and as values that hold.

Everything is checked here before the store is asked, so that a slip of the pen costs no connection.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import CrystalSystem, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ElementsOption = Annotated[
    list[str] | None, typer.Option("--elements", help="Elements that must all be there: Pd Ni, or Pd,Ni.")
]
FormulaOption = Annotated[str | None, typer.Option("--formula", help="Formula: NiAl, in any order of the elements.")]
SystemOption = Annotated[str | None, typer.Option("--chemical-system", help="Exactly these elements: Al-Ni.")]
SitesOption = Annotated[str | None, typer.Option("--sites", help="Fewest and most sites of the cell: 1:8, 2: or :4.")]
RangeOption = Annotated[
    list[str] | None,
    typer.Option("--range", help="PROPERTY=LO:HI, open on either side, unit optional: band_gap=0.5:2eV. Repeatable."),
]
CrystalOption = Annotated[str | None, typer.Option("--crystal-system", help="cubic, hexagonal, and so on.")]
DosLikeOption = Annotated[
    str | None,
    typer.Option("--dos-like", help="Most similar DOS first: a material id, a formula, or a file."),
]
MetricOption = Annotated[
    str, typer.Option("--metric", help="How --dos-like compares: cosine, wasserstein (eV) or fingerprint.")
]
WindowOption = Annotated[
    str | None, typer.Option("--window", help="Part that --dos-like compares: LO:HI in eV about the Fermi level: -2:2.")
]
FermiOption = Annotated[
    float | None, typer.Option("--fermi", help="Fermi level in the file of --dos-like, eV, where it names none.")
]
OneSpinOption = Annotated[
    bool, typer.Option("--one-spin", help="The file of --dos-like holds one spin of two alike: double it.")
]
LimitOption = Annotated[int, typer.Option("--limit", help="Most rows.")]

BOUND: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
WINDOW: Final = re.compile(rf"(?P<lo>{BOUND})?\s*:\s*(?P<hi>{BOUND})?\s*(?P<unit>\D.*)?")
MOST_ROWS: Final = 1_000_000


def one_of(kind: str, value: str, known: Iterable[str]) -> str:
    """`value` where it is known.

    Raises
    ------
    InputError
        If it is not, with the nearest known one.
    """
    names = [str(name) for name in known]
    if value in names:
        return value
    near = nearest(value, names)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(names)}."
    raise InputError(f"{value!r} is no {kind}; {hint}")


def nearest(value: str, known: Iterable[str]) -> str | None:
    """The known name that a value comes close to, None where none is near."""
    near = difflib.get_close_matches(value.lower(), list(known), n=1)
    return near[0] if near else None


def elements(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Symbols of a list such as ``Pd,Ni`` or ``Pd Ni``, or of several."""
    return _symbols(text if text is None or isinstance(text, str) else " ".join(text), r"[,\s]+")


def chemical_system(text: str | None) -> str | None:
    """A chemical system such as ``Ni-Al`` with its symbols in order."""
    return "-".join(sorted(_symbols(text, r"[-,\s]+"))) if text is not None else None


def _symbols(text: str | None, separator: str) -> tuple[str, ...]:
    if text is None:
        return ()
    from pymatgen.core.periodic_table import Element  # heavy

    symbols = tuple(dict.fromkeys(part for part in re.split(separator, text.strip()) if part))
    if not symbols:
        raise InputError(f"The list of elements {text!r} is empty; name at least one, such as Pd.")
    for symbol in symbols:
        if not Element.is_valid_symbol(symbol):
            raise InputError(f"{symbol!r} is no element; write symbols such as Pd,Ni.")
    return symbols


def formula(text: str | None) -> str | None:
    """A reduced formula in the store's own order of elements.

    Raises
    ------
    InputError
        If it is no formula.
    """
    if text is None:
        return None
    from pymatgen.core.composition import Composition  # heavy

    try:
        composition = Composition(text, strict=True)
    except (ValueError, KeyError):
        raise InputError(f"{text!r} is no formula; write one such as NiAl or Fe2O3.") from None
    if not composition:
        raise InputError(f"The formula {text!r} is empty; write one such as NiAl or Fe2O3.")
    return str(composition.reduced_formula)


def sites(text: str | None) -> tuple[int, int] | None:
    """Fewest and most sites of ``lo:hi``, either side open, or of one number."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d*):(\d*)", text.strip()) or re.fullmatch(r"(\d+)()", text.strip())
    if match is None or text.strip() == ":":
        raise InputError(f"The range of sites {text!r} is invalid; write LO:HI, such as 1:8.")
    low = int(match[1] or 0)
    high = int(match[2]) if match[2] else (MOST_ROWS if ":" in text else low)
    if high < low:
        raise InputError(f"The range of sites {text!r} runs backwards; write the smaller number first.")
    return low, high


def windows(texts: Sequence[str] | None, known: Iterable[str] = PROPERTIES) -> dict[str, tuple[float, float]]:
    """Property to lowest and highest value, from ``PROPERTY=LO:HI`` with either side open.

    Raises
    ------
    InputError
        If one cannot be read, its property is unknown, its unit is another, or it runs backwards.
    """
    found: dict[str, tuple[float, float]] = {}
    for text in texts or ():
        name, equals, window = text.partition("=")
        match = WINDOW.fullmatch(window.strip())
        if not equals or match is None or (match["lo"] is None and match["hi"] is None):
            raise InputError(f"The range {text!r} is invalid; write PROPERTY=LO:HI, such as band_gap=0.5:2.")
        name = one_of("property to give a range of", name.strip(), known)
        _check_unit(name, match["unit"], text)
        low, high = float(match["lo"] or "-inf"), float(match["hi"] or "inf")
        if high < low:
            raise InputError(f"The range {text!r} runs backwards; write the smaller value first.")
        if name in found:
            raise InputError(f"The property {name!r} has two ranges; give one.")
        found[name] = (low, high)
    return found


def window(text: str | None) -> tuple[float, float] | None:
    """Bounds of ``LO:HI`` in eV."""
    if text is None:
        return None
    match = WINDOW.fullmatch(text.strip())
    if match is None or None in (match["lo"], match["hi"]) or (match["unit"] or "eV").strip() != "eV":
        raise InputError(f"The window {text!r} is invalid; write LO:HI in eV, such as -2:2.")
    return float(match["lo"]), float(match["hi"])


def _check_unit(name: str, unit: str | None, text: str) -> None:
    if unit is None:
        return
    right = str(PROPERTIES[name].unit if name in PROPERTIES else SCORES[name].unit)
    if unit.strip() != right:
        raise InputError(f"The range {text!r} is in {unit.strip()!r}, but {name} is kept in {right}; write it so.")


def crystal_system(text: str | None) -> str | None:
    """One of the seven crystal systems."""
    return one_of("crystal system", text, CrystalSystem) if text is not None else None


def stage(text: str | None) -> str | None:
    """One of the stages of a candidate."""
    return one_of("stage", text, Stage) if text is not None else None


def limit(number: int) -> int:
    """A positive number of rows."""
    if number < 1:
        raise InputError(f"The limit {number} is invalid; ask for at least 1 row.")
    return number


CURVE_SUFFIXES: Final = frozenset({".csv", ".json", ".dat", ".txt", ".dos", ".agr", ".xml", ".gz", ".tsv"})


def is_file(text: str) -> bool:
    """Whether a value is meant as a path and not as an id or a formula."""
    return "/" in text or Path(text).suffix.lower() in CURVE_SUFFIXES or Path(text).is_file()
