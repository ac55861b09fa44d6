"""Extended XYZ files of one frame or a million: split here, each frame parsed by ASE.

A bad frame is refused by itself; only a broken count of atoms, after which no frame can be found any
more, ends the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ase.io import read as read_with_ase
from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.db_init.importers.entries import Entry, external
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.platform.errors import InputError
from fermiloop.schemas.fields import MAX_SITES
from fermiloop.schemas.vocabulary import Property

LONGEST_LINE: Final = 2_000  # characters of an atom; what is longer is no such file
LONGEST_COMMENT: Final = 1_000_000  # characters; it may bear properties of the whole crystal
MOST_ATOMS: Final = 25 * MAX_SITES  # of a frame that is passed over; one beyond is no frame
ENERGY: Final = "energy"
# keys of the comment line that bear a property's own name, in its own unit
NAMED: Final = (
    Property.ENERGY_PER_ATOM,
    Property.FORMATION_ENERGY_PER_ATOM,
    Property.ENERGY_ABOVE_HULL,
    Property.BAND_GAP,
)


def frames(path: Path) -> Iterator[str]:
    """Text of each frame; the last one is what is left where no count of atoms can be read."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        while head := lines.readline(LONGEST_LINE):
            if not head.strip():
                continue
            count = head.strip()
            if not count.isdecimal() or int(count) > MOST_ATOMS:
                yield head + lines.read(LONGEST_LINE)
                return
            comment = lines.readline(LONGEST_COMMENT)
            yield head + comment + "".join(lines.readline(LONGEST_LINE) for _ in range(int(count)))


def entry(text: str, key: str, name: str, options: LoadOptions) -> Entry:
    """Crystal and energies of one frame.

    Parameters
    ----------
    text
        The frame.
    key
        Name of the frame.
    name
        Name of the source.
    options
        Licence and functional.

    Raises
    ------
    InputError
        If it is no crystal, or a number in it does not hold.
    """
    try:
        atoms: Any = read_with_ase(io.StringIO(text), index=0, format="extxyz")
    except Exception as error:  # noqa: BLE001  (ASE raises many kinds for a frame that is something else)
        raise InputError(f"The frame {key} holds no crystal: {type(error).__name__}.") from None
    if not atoms.pbc.all():
        raise InputError(f"The frame {key} is not periodic in three directions.")
    method = external(name, options.theory, options.terms)
    results = getattr(atoms.calc, "results", {})
    numbers = [
        (kind, found, method)
        for kind in NAMED
        if (found := value_of(kind, results.get(kind, atoms.info.get(kind)), str(kind))) is not None
    ]
    total = value_of(Property.ENERGY_PER_ATOM, results.get(ENERGY, atoms.info.get(ENERGY)), ENERGY)
    if total is not None and not any(kind is Property.ENERGY_PER_ATOM for kind, *_ in numbers):
        numbers.append((Property.ENERGY_PER_ATOM, total / len(atoms), method))
    source = {"name": name, "key": key, "licence": options.terms}
    return Entry(key, AseAtomsAdaptor.get_structure(atoms), source, tuple(numbers))
