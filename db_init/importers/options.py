"""What a load may be told beside its source."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Final

from pymatgen.core import Element

from fermiloop.db_init.importers.entries import UNKNOWN
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES

TOTAL_ENERGY: Final = "energy"  # of the cell, which is kept as that of an atom
LONGEST: Final = 500  # characters of a name, a licence or a filter


@dataclass(frozen=True)
class LoadOptions:
    """Options of a load; each importer names those that it takes.

    Parameters
    ----------
    elements
        All of these must be in a material.
    chemsys
        Exactly these elements, as ``Al-Ni``.
    limit
        Most entries.
    filter
        OPTIMADE filter.
    dos
        Fetch densities of states as well.
    licence
        Terms of the source, where it states none itself.
    source
        Name of the source, where the file's name is none.
    functional
        Functional that the numbers were computed with.
    columns
        Column of a table, or key of a frame, to the property that it holds, beyond those that are known; ``energy`` is
        the total energy of the cell.
    """

    elements: tuple[str, ...] = ()
    chemsys: str | None = None
    limit: int | None = None
    filter: str | None = None
    dos: bool = False
    licence: str | None = None
    source: str | None = None
    functional: str | None = None
    columns: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for symbol in (*self.elements, *(self.chemsys.split("-") if self.chemsys is not None else ())):
            if not Element.is_valid_symbol(symbol):
                raise InputError(f"{symbol!r} is no element; write symbols such as Al,Ni or Al-Ni.")
        if self.limit is not None and self.limit < 1:
            raise InputError(f"The limit must be at least 1, not {self.limit}.")
        for name in ("filter", "licence", "source", "functional"):
            text = getattr(self, name)
            if text is not None and (not text.strip() or len(text) > LONGEST or not text.isprintable()):
                raise InputError(f"The option --{name} must be 1 to {LONGEST} printable characters, not {text[:40]!r}.")
        for column, kind in self.columns.items():
            if kind != TOTAL_ENERGY and kind not in PROPERTIES:
                raise InputError(
                    f"The column {column} is to hold {kind!r}, which is no property; known are "
                    f"{', '.join((TOTAL_ENERGY, *PROPERTIES))}."
                )

    def given(self) -> list[str]:
        """Names of the options that were set."""
        return [one.name for one in fields(self) if getattr(self, one.name) not in (None, (), {}, False)]

    @property
    def terms(self) -> str:
        """The licence, or that it is unknown."""
        return self.licence or UNKNOWN

    @property
    def theory(self) -> str:
        """The functional, or that it is unknown."""
        return self.functional or UNKNOWN


NO_OPTIONS: Final = LoadOptions()
