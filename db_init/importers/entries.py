"""What every importer hands to the intake: batches of entries, each a crystal with numbers and curves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from fermiloop.db_init.importers.report import reason_of
from fermiloop.platform.errors import InputError
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import EXTERNAL

READING: Final = 3  # raised when an importer reads the same input otherwise: then all of it is taken in again
UNKNOWN: Final = "unknown"
BAD: Final = (InputError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a bad entry raises while it is read; anything else is a fault of ours or of the database."""


@dataclass(frozen=True)
class Curve:
    """A density of states, or a curve of another kind.

    Parameters
    ----------
    energies
        (n,) even and rising, in the unit of the kind's axis: of a density of states eV about the middle of the gap, or
        a metal's Fermi level; where the gap is unknown, about the level that the source gave.
    values
        (n,) in the unit of the kind: of a density of states states/eV/cell, spins summed.
    method
        What made it.
    gap
        Width of the gap, eV, 0 for a metal; None where it is unknown.
    kind
        What it is.
    """

    energies: NDArray[np.float64]
    values: NDArray[np.float64]
    method: Method
    gap: float | None = None
    kind: SpectrumKind = SpectrumKind.DOS


@dataclass(frozen=True)
class Entry:
    """A crystal with what its source knows of it.

    Parameters
    ----------
    key
        Name by which the source knows it.
    structure
        The crystal, Å.
    source
        Name, key and licence, as kept with the material.
    numbers
        Property, value in the property's unit, and what made it.
    curve
        Density of states or curve of another kind, where there is one.
    remarks
        Parts of the entry that were left out, with the reason.
    line
        Its place in a file, counted from 1.
    """

    key: str
    structure: Structure
    source: dict[str, str]
    numbers: tuple[tuple[str, float, Method], ...] = ()
    curve: Curve | None = None
    remarks: tuple[str, ...] = ()
    line: int | None = None


@dataclass(frozen=True)
class Refusal:
    """An entry that cannot be taken in; `line` is its place in a file."""

    key: str
    reason: str
    excerpt: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Batch:
    """Entries that are saved together.

    Parameters
    ----------
    name
        What to call it while it is at work.
    digest
        Of all that its documents are made from: the same digest is the same batch and is read once.
    share
        Share of the whole import that is done after it, 0 to 1.
    read
        Reads the entries; called only where the batch is new.
    file
        Under which name its refusals are filed, where that is not the name of the whole source.
    """

    name: str
    digest: str
    share: float
    read: Callable[[], Iterable[Entry | Refusal]]
    file: str | None = None


def attempt(make: Callable[[], Entry], key: str, excerpt: str = "", line: int | None = None) -> Entry | Refusal:
    """The entry that `make` gives, or why it gives none."""
    try:
        return replace(make(), line=line)
    except BAD as error:
        return Refusal(key, reason_of(error), excerpt, line)


def digest(*parts: Any) -> str:
    """Digest of what a batch is made from: bytes as they are, all else as JSON."""
    made = hashlib.sha256(f"reading {READING}".encode())
    for part in parts:
        content = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True, default=str).encode()
        made.update(len(content).to_bytes(8, "big") + content)
    return f"b-{made.hexdigest()[:32]}"


def external(source: str, functional: str, licence: str, **settings: Any) -> Method:
    """Method of numbers that were computed elsewhere: one for each source, functional and licence."""
    return Method.make(EXTERNAL, functional, {"source": source, "licence": licence, **settings}, {})
