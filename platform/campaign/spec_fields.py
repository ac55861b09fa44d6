"""Kinds of values that a campaign file holds, and the mapping they stand in: what is checked wherever it occurs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pymatgen.core import Composition, Element

from fermiloop.platform.campaign import names
from fermiloop.platform.plugins.catalogue import Catalogue

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MIXTURE: Final = re.compile(r"\d\.\d|[A-Z][a-z]?[\d.,/|+:\s-]+[A-Z]")
"""What texts have that name several elements, or a share of one, for a site."""
ELEMENTS: Final = tuple(element.symbol for element in Element if element.Z <= 103)


STORED: Final = {"stored": True}
"""Context in which a campaign is read that was launched before: with packages, perhaps, that are not installed here."""


def installed(what: str, choices: Callable[[], Collection[str]]) -> Callable[[str, ValidationInfo], str]:
    """Check that a text names something that is installed here; of a stored campaign any name is read.

    What a campaign lacks is said when it is to run.
    """

    def check(value: str, info: ValidationInfo) -> str:
        stored = isinstance(info.context, Mapping) and info.context.get("stored")
        return value if stored else known(what, tuple(choices()))(value, info)

    return check


def known(what: str, choices: Collection[str]) -> Callable[[str, ValidationInfo], str]:
    """Check that a text is one of `choices`, and hint at the nearest one otherwise.

    A stored campaign is read whatever is installed now: who uses a name that is gone says so then.
    """

    def check(value: str, info: ValidationInfo) -> str:
        stored = bool(info.context and info.context.get("stored")) and isinstance(choices, Catalogue)
        if value not in choices and not stored:
            raise ValueError(f"is no known {what}; {names.hint(value, choices, what)}")
        return value

    return check


def campaign_name(value: str) -> str:
    """A name that can stand in a path and in a command line."""
    if not NAME.fullmatch(value):
        raise ValueError(
            "must be 1 to 63 small letters, digits and hyphens that begin with a letter or digit, such as pd-like"
        )
    return value


def formula(value: str) -> str:
    """A chemical formula, in its reduced form."""
    try:
        composition = Composition(value)
        known = bool(composition) and all(element.symbol in ELEMENTS for element in composition.elements)
    except (ValueError, AttributeError):
        known = False
    if not known:
        raise ValueError("is no chemical formula; write it as Pd or NiAl3")
    return composition.reduced_formula


def one_element(value: str, info: ValidationInfo) -> str:
    """Check that a text is the symbol of one element; a mixture is refused as what it is."""
    if value not in ELEMENTS and MIXTURE.search(value):
        raise ValueError("is a mixture, and only ordered crystals are searched; list its elements one by one")
    return known("element", ELEMENTS)(value, info)


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """A list that names nothing twice."""
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ValueError(f"names {twice} twice; name it once")
    return values


def plain(tree: dict[str, Any]) -> dict[str, Any]:
    """Refuse what no JSON document holds: dates, NaN, keys that are not text."""
    problem = _unplain(tree)
    if problem:
        raise ValueError(f"holds {problem}, where only text, finite numbers, lists and mappings may be")
    return tree


def _unplain(value: Any) -> str | None:
    if isinstance(value, dict):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            return f"the key {wrong!r}"
        return next((found for found in map(_unplain, value.values()) if found), None)
    if isinstance(value, list):
        return next((found for found in map(_unplain, value) if found), None)
    fine = value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    return None if fine else f"the value {value}"


Text = Annotated[str, Field(strict=True, min_length=1, max_length=500)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
AnyNumber = Annotated[float, Field(strict=True)]
SpaceSymbol = Annotated[Text, AfterValidator(one_element)]
Options = Annotated[dict[str, Any], AfterValidator(plain)]


class Part(BaseModel):
    """A mapping of the campaign file: unknown keys refused, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
