"""The shipped ground states of the elements, see `db_init/seed/ELEMENTS.md`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from pymatgen.core import Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.molecules import MOLECULE

SHIPPED: Final = Path(__file__).parent / "seed" / "element_references.jsonl.gz"
SOURCE: Final = {"name": "fermiloop element references", "licence": "MIT"}


@dataclass(frozen=True)
class ElementReference:
    """What stands for an element in formation energies.

    Parameters
    ----------
    structure
        A crystal, or a molecule in a box; with moments where it has any.
    kind
        Structure type, `MOLECULE` of a molecule.
    title
        The same in words.
    stands_for
        The ground state in whose place it was taken; None where it is the ground state.
    """

    element: str
    structure: Structure
    kind: str
    title: str
    stands_for: str | None

    @property
    def is_molecule(self) -> bool:
        """Whether it is a molecule in a box."""
        return self.kind == MOLECULE

    @property
    def source(self) -> dict[str, Any]:
        """As a material names where it came from."""
        return {**SOURCE, "key": self.element}


@cache
def shipped() -> Mapping[str, ElementReference]:
    """All of them by symbol, in order of atomic number."""
    with gzip.open(SHIPPED, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {
        row["element"]: ElementReference(
            row["element"], Structure.from_dict(row["structure"]), row["type"], row["title"], row["stands_for"]
        )
        for row in rows
    }


def of_elements(symbols: Iterable[str]) -> list[ElementReference]:
    """Ground states of these elements, in their order.

    Raises
    ------
    InputError
        If one of them has none.
    """
    known, wanted = shipped(), list(dict.fromkeys(symbols))
    if lacking := [symbol for symbol in wanted if symbol not in known]:
        raise InputError(
            f"No ground state of {', '.join(lacking)} is shipped; leave it out, or compute a crystal of it by the same "
            "engine and settings."
        )
    return [known[symbol] for symbol in wanted]
