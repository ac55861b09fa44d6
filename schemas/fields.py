"""Fields with physics in them: arrays with shape, dtype and unit; crystals; finite numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from mongoengine import BinaryField, DictField, FloatField
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Element, Structure

from fermiloop.platform.jsonable import plain
from fermiloop.platform.representations.distances import shortest_distance

MIN_DISTANCE = 0.5  # Å; closer atoms overlap
MIN_VOLUME = 0.1  # Å³
MAX_SITES = 400
DTYPE = "<f4"  # of stored arrays: little-endian float32


class FiniteField(FloatField):
    """A number that is neither NaN nor infinite."""

    def validate(self, value: Any) -> None:
        """Refuse what the class does not allow."""
        super().validate(value)
        if not math.isfinite(float(value)):
            self.error(f"{value} is not a finite number")


class ArrayField(BinaryField):
    """One-dimensional array, shape (n,), of little-endian float32; its unit stands in a field beside it."""

    @staticmethod
    def pack(values: ArrayLike) -> bytes:
        """Bytes of an array."""
        with np.errstate(over="ignore"):  # too large becomes infinite, which `validate` refuses
            return np.asarray(values, dtype=DTYPE).tobytes()

    @staticmethod
    def unpack(stored: bytes) -> NDArray[np.float64]:
        """Array of what `pack` made, as float64."""
        return np.frombuffer(bytes(stored), dtype=DTYPE).astype(np.float64)

    def validate(self, value: Any) -> None:
        """Refuse what the class does not allow."""
        super().validate(value)
        if len(value) % np.dtype(DTYPE).itemsize or not len(value):
            self.error(f"{len(value)} bytes are no array of float32")
        if not np.isfinite(self.unpack(value)).all():
            self.error("NaN or infinity in it")


class PlainField(DictField):
    """A dictionary that is plain already: nothing in it is converted, which takes long for crystals."""

    def to_mongo(self, value: Any, use_db_field: bool = True, fields: Any = None) -> Any:  # noqa: ARG002
        """What is stored: the value itself."""
        return value

    def to_python(self, value: Any) -> Any:
        """What was stored."""
        return value


class StructureField(PlainField):
    """A pymatgen structure as its dictionary: a real cell and atoms that do not overlap.

    Site properties may hold numpy's arrays and numbers, and mappings of other keys than text: all are stored as MongoDB
    has them, keys as text, and what is not finite as None.
    """

    def to_mongo(self, value: Any, use_db_field: bool = True, fields: Any = None) -> Any:  # noqa: ARG002
        """The dictionary as it is stored."""
        return plain(value) if _has_properties(value) else value

    def validate(self, value: Any) -> None:
        """Refuse what the class does not allow."""
        value = plain(value, finite=False)
        super().validate(value)
        try:
            structure = Structure.from_dict(value)
        except Exception as error:  # noqa: BLE001  (pymatgen raises many kinds for a bad dictionary)
            self.error(f"no structure: {type(error).__name__}: {error}")
        reason = structure_fault(structure)
        if reason:
            self.error(reason)


def _has_properties(structure: Any) -> bool:
    """Whether a crystal bears what people put there; all else of pymatgen's dictionary is plain, and there is much."""
    if not isinstance(structure, dict) or structure.get("properties"):
        return True
    return any(not isinstance(site, dict) or site.get("properties") for site in structure.get("sites") or [])


def structure_fault(structure: Structure) -> str | None:
    """Why this is no crystal, in a few words; None where it is one."""
    matrix = np.asarray(structure.lattice.matrix)
    if not np.isfinite(matrix).all() or (len(structure) and not np.isfinite(structure.frac_coords).all()):
        return "NaN or infinity in the cell or the coordinates"
    if not 1 <= len(structure) <= MAX_SITES:
        return f"{len(structure)} sites, of 1 to {MAX_SITES}"
    if structure.volume < MIN_VOLUME:
        return f"a cell of {structure.volume:.3g} Å³ has no volume"
    if not structure.is_ordered:
        return "sites with partial occupancy"
    strange = {site.specie.symbol for site in structure if not Element.is_valid_symbol(site.specie.symbol)}
    if strange:
        return f"{', '.join(sorted(strange))} is no element"
    if (shortest := shortest_distance(structure)) < MIN_DISTANCE:
        return f"atoms {shortest:.2f} Å apart overlap"
    return None
