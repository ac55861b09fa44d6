"""Extended XYZ files of one frame or a million: split here, each frame parsed by ASE.

A bad frame is refused by itself; only a broken count of atoms, after which no frame can be found any
more, ends the file.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase.data import chemical_symbols
from ase.io import read as read_with_ase
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import xyz_energies
from fermiloop.db_init.importers.crystals.content import DAMAGED, encoding_of, opened
from fermiloop.db_init.importers.crystals.elements import element, is_what, isotope_remark
from fermiloop.db_init.importers.crystals.poscar import right_handed
from fermiloop.db_init.importers.entries import Entry, external
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.platform.errors import InputError
from fermiloop.schemas.fields import MAX_SITES

LONGEST_LINE: Final = 2_000  # characters of an atom; what is longer is no such file
LONGEST_COMMENT: Final = 1_000_000  # characters; it may bear properties of the whole crystal
MOST_DIGITS: Final = 9
MOST_WIDTH_DIGITS: Final = 3  # of the columns of a property, for each of which ASE makes one
WIDTH: Final = re.compile(r":[A-Za-z]:0*(\d+)")
MOST_ATOMS: Final = 25 * MAX_SITES  # of a frame that is passed over; one beyond is no frame
ISOTOPE: Final = re.compile(r"^(\s*)([DT])(\s)", re.MULTILINE)
LATTICE: Final = re.compile(r"\blattice(?=\s*=)", re.IGNORECASE)
PERIODIC: Final = re.compile(r"\bpbc(?=\s*=)", re.IGNORECASE)
BAD_KEY: Final = re.compile(
    r"([A-Za-z_][A-Za-z0-9_]*)[/(]([A-Za-z]+)\)?(?=\s*=)"
)  # energy/atom=, which ASE does not read
NOT_NEEDED: Final = re.compile(
    r"\b(stress|virial)(?=\s*=)", re.IGNORECASE
)  # ASE refuses them unless they are nine numbers
QUOTED: Final = re.compile(r'"[^"]*"|\'[^\']*\'|\{[^}]*\}|\[[^\]]*\]')
NAMES: Final = re.compile(r"(?:^|\s)([A-Za-z_][\w-]*)\s*=")
HARMLESS: Final[dict[str, str]] = {
    "Skipping unhashable information": "a key of the comment line that is no number, text or array, and so no energy",
}
"""Warnings of ASE that need not be told, with the reason; every other one is passed on."""


def frames(path: Path) -> Iterator[str]:
    """Text of each frame; the last one is what is left where no count of atoms can be read.

    Raises
    ------
    OSError
        If the file cannot be read, or its packing is damaged.
    """
    with opened(path) as beginning:
        encoding = encoding_of(beginning.read(LONGEST_LINE)) or "utf-8"
    stream = opened(path)
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    with io.TextIOWrapper(stream, encoding=encoding, errors="replace") as lines:
        try:
            yield from _frames(lines)
        except DAMAGED as error:
            raise OSError(0, f"its packing is damaged ({error})") from None


def _frames(lines: io.TextIOWrapper) -> Iterator[str]:
    while head := lines.readline(LONGEST_LINE):
        if not head.strip():
            continue
        count = head.strip()
        if not count.isdecimal() or _too_many(count):
            yield head + lines.read(LONGEST_LINE)
            return
        comment = lines.readline(LONGEST_COMMENT)
        yield head + comment + "".join(lines.readline(LONGEST_LINE) for _ in range(int(count)))


def _too_many(count: str) -> bool:
    """Whether a whole number, of however many digits, is more than a frame has atoms."""
    return len(count) > MOST_DIGITS or int(count) > MOST_ATOMS


def entry(text: str, key: str, name: str, options: LoadOptions, told: set[str] | None = None) -> Entry:
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
        Licence, functional, and keys of the comment line that hold properties.
    told
        Remarks of other frames of the file, which are not repeated; those of this one are added.

    Raises
    ------
    InputError
        If it is no crystal, or a number in it is invalid.
    """
    text, isotopes = _readable(text, key)
    atoms, remarks = _parsed(text, key)
    structure = _structure(atoms, key)
    results = getattr(atoms.calc, "results", {})
    known = {**atoms.info, **{name: value for name, value in results.items() if name != "magmoms"}}
    found = xyz_energies.read(known, len(atoms), options.columns)
    method = external(name, options.theory, options.terms)
    numbers = tuple((kind, value, method) for kind, value in found.numbers)
    general = [one for one in found.general if told is None or one not in told]
    if told is not None:
        told |= set(general)
    remarks = [*remarks, *isotope_remark(isotopes), *found.remarks, *general]
    source = {"name": name, "key": key, "licence": options.terms}
    return Entry(key, structure, source, numbers, remarks=tuple(remarks))


def _readable(text: str, key: str) -> tuple[str, set[str]]:
    """A frame as ASE reads it: keys in its spelling, isotopes as hydrogen; and which isotopes there were."""
    head, _, body = text.partition("\n")
    count = head.strip()
    if count.isdecimal() and _too_many(count):  # for so many lines ASE would look, whether they are there or not
        raise InputError(
            f"The frame {key} says that it has {count[:20]} atoms; a crystal has at most {MAX_SITES} sites."
        )
    comment, _, atoms = body.partition("\n")
    if wide := next((width for width in WIDTH.findall(comment) if len(width) > MOST_WIDTH_DIGITS), None):
        raise InputError(f"The frame {key} says that a property has {wide[:20]} columns, which no atom has.")
    comment = PERIODIC.sub("pbc", LATTICE.sub("Lattice", BAD_KEY.sub(r"\1_\2", comment)))
    comment = NOT_NEEDED.sub(r"\1_left", comment)
    names = NAMES.findall(QUOTED.sub("", comment))
    if len(set(names)) < len(names):
        raise InputError(f"The frame {key} has the key {max(names, key=names.count)} twice.")
    isotopes = {found[2] for found in ISOTOPE.finditer(atoms)}
    atoms = ISOTOPE.sub(r"\1H\3", atoms) if isotopes else atoms  # ASE knows no isotopes
    return f"{head}\n{comment}\n{atoms}", isotopes


def _parsed(text: str, key: str) -> tuple[Any, list[str]]:
    """Atoms of a frame, and what ASE warned of."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            atoms = read_with_ase(io.StringIO(text), index=0, format="extxyz")
        except Exception as error:  # noqa: BLE001  (ASE raises many kinds for a frame that is something else)
            raise InputError(f"The frame {key} holds no crystal: {_reason(error)}.") from None
    told = [str(one.message) for one in warned if not str(one.message).startswith(tuple(HARMLESS))]
    return atoms, [f"ASE said of it: {message[:200]}." for message in told]


def _reason(error: Exception) -> str:
    """What ASE found wrong, in words."""
    if isinstance(error, KeyError) and error.args:
        name = str(error.args[0])
        return f"{name[:20]!r} {is_what(name)}" if element(name) is None else f"{name[:20]!r} is not known"
    said = " ".join(str(error).split())[:120].rstrip(".")
    return f"{said or type(error).__name__}"


def _structure(atoms: Any, key: str) -> Structure:
    """The crystal of ASE's atoms, right-handed, with its moments.

    Raises
    ------
    InputError
        If there is no cell, it is not periodic in three directions, or an atom is none.
    """
    matrix = np.array(atoms.cell.array, dtype=np.float64)
    if not matrix.any():
        raise InputError(f"The frame {key} has no Lattice: it is a molecule, or its cell was lost.")
    if not atoms.pbc.all():
        raise InputError(f"The frame {key} is not periodic in three directions.")
    if not np.isfinite(matrix).all() or not np.isfinite(atoms.positions).all():
        raise InputError(f"The frame {key} has NaN or infinity in its cell or its coordinates.")
    if abs(np.linalg.det(matrix)) < 1e-9:
        raise InputError(f"The frame {key} has cell vectors that lie in a plane.")
    if len(atoms) and min(atoms.numbers) < 1:
        raise InputError(f"The frame {key} has a dummy or ghost atom X, which is no element.")
    symbols = [chemical_symbols[number] for number in atoms.numbers]
    properties = {}
    moments = atoms.calc.results.get("magmoms") if atoms.calc is not None else None
    moments = atoms.arrays.get("magmoms", moments) if moments is None else moments
    moments = atoms.arrays.get("initial_magmoms", moments) if moments is None else moments
    if moments is not None and np.isfinite(moments).all() and np.any(moments):
        properties["magmom"] = np.asarray(moments, dtype=np.float64).tolist()
    places = np.linalg.solve(matrix.T, atoms.positions.T).T
    return right_handed(Structure(Lattice(matrix), symbols, places, site_properties=properties))
