"""VASP's vasprun.xml: the total density of states, with band edges from the eigenvalues."""

from __future__ import annotations

import gzip
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import METAL, Edges
from fermiloop.platform.representations.curve_files.reading import Reading, Wish
from fermiloop.platform.representations.curve_files.text import GZIP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymatgen.io.vasp import Vasprun

MOST_BYTES: Final = 2_000_000_000  # unpacked; vasprun.xml with projections is large
CHUNK: Final = 1 << 20
FORBIDDEN: Final = (b"<!doctype", b"<!entity")
LONGEST: Final = max(map(len, FORBIDDEN))


def is_vasprun(content: bytes) -> bool:
    """Whether the first unpacked bytes of a file are those of a vasprun.xml."""
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:4000]
    return start.startswith((b"<?xml", b"<modeling")) or b"<modeling" in start


def open_vasprun(path: Path) -> tuple[Vasprun, tuple[str, ...]]:
    """The run that a vasprun.xml tells of, packed by gzip or not, and what its reader warned of.

    Entities are never expanded: a file that declares any is refused before it is parsed.

    Raises
    ------
    InputError
        If it is no vasprun.xml, cut off, too large, or declares a document type.
    """
    from pymatgen.io.vasp import Vasprun  # seconds

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "vasprun.xml"
        _write_plain(path, plain)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = Vasprun(plain, parse_potcar_file=False, parse_projected_eigen=False)
            except Exception as error:  # noqa: BLE001 - pymatgen raises many kinds for a broken file
                raise InputError(f"The vasprun.xml cannot be read, as if it were cut off: {_reason(error)}.") from None
    said = dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, UserWarning))
    return found, tuple(f"pymatgen warns: {' '.join(text.split())}" for text in said)


def reading_of(run: Vasprun) -> Reading:
    """Total density of states of a run: energies in eV as VASP counts them, spins summed, with level and edges.

    Raises
    ------
    InputError
        If the run has none, or one along lines, which is no density of states.
    """
    style = str(getattr(getattr(run, "kpoints", None), "style", "")).lower()
    if "line" in style:
        raise InputError("The run has k-points along lines, whose density of states is none; give one on a mesh.")
    curve = getattr(run, "tdos", None)
    if curve is None or not len(curve.energies):
        raise InputError("The vasprun.xml holds no density of states; compute it with LORBIT or NEDOS and a mesh.")
    spins = list(curve.densities.values())
    said = [f"The Fermi level {float(curve.efermi):g} eV of the vasprun.xml was taken."]
    if len(spins) > 1:
        said.append("Two spins were summed.")
    if run.parameters.get("LSORBIT") or run.parameters.get("LNONCOLLINEAR"):
        said.append("Of spin-orbit's four channels the total was taken.")
        spins = spins[:1]
    total = np.sum([np.asarray(one, dtype=float) for one in spins], axis=0)
    return Reading.of(curve.energies, total, float(curve.efermi), edges_of(run), tuple(said)).told("vasprun.xml")


def edges_of(run: Any) -> Edges | None:
    """Band edges from the eigenvalues of a run, eV as VASP counts; None where it has none."""
    if not getattr(run, "eigenvalues", None):
        return None
    gap, cbm, vbm, _ = run.eigenvalue_band_properties
    known = bool(np.isfinite([gap, cbm, vbm]).all())
    if known and gap > METAL and cbm > vbm:
        return Edges(float(vbm), float(cbm))
    return Edges() if known else None


def read_vasprun(path: Path, wish: Wish) -> Reading:
    """Density of states of a vasprun.xml.

    Raises
    ------
    InputError
        If it cannot be read or has none.
    """
    run, warned = open_vasprun(path)
    found = reading_of(run)
    level, edges = (found.level, found.edges) if wish.fermi is None else (wish.fermi, None)
    return Reading(found.energies, found.density, level, edges, found.form, (*found.remarks, *warned))


def _write_plain(path: Path, plain: Path) -> None:
    """Unpack, and look for declarations on the way."""
    size, tail = 0, b""
    with plain.open("wb") as out:
        for part in _parts(path):
            size += len(part)
            if size > MOST_BYTES:
                raise InputError(f"The vasprun.xml is larger than {MOST_BYTES} bytes; write it without projections.")
            seen = (tail + part).lower()
            if any(word in seen for word in FORBIDDEN):
                raise InputError("The XML declares a document type or entities, which no vasprun.xml of VASP does.")
            if not tail and b"\0" in part[:200]:
                raise InputError("The vasprun.xml is in UTF-16, in which VASP writes none; save it as UTF-8.")
            tail = seen[-LONGEST:]
            out.write(part)


def _parts(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            while part := file.read(CHUNK):
                yield part
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError("The file is gzip, but broken or cut off; copy it again.") from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text if len(text) <= 150 else f"{text[:149]}…").rstrip(".") or type(error).__name__
