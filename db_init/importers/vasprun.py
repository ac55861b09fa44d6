"""VASP's own output: one vasprun.xml, packed or not, or every one below a folder.

All calculations of a crystal are read together: see `vasp_runs`. The OUTCAR beside a file gives the moment. A file is
looked through before it is parsed: its size unpacked, its hash, its formula, and that it defines no entities of XML.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import itertools
import lzma
import math
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.electronic_structure.core import Spin
from pymatgen.io.vasp.outputs import Outcar, Vasprun

from fermiloop.db_init.importers import vasp_outcar
from fermiloop.db_init.importers.declarations import VASPRUN
from fermiloop.db_init.importers.entries import BAD, Batch, Entry, Refusal, digest
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.numbers import number
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, reason_of, silent
from fermiloop.db_init.importers.vasp_method import WHY_NOT, Task, held_by, is_set, method_of, task_of
from fermiloop.db_init.importers.vasp_outcar import Said
from fermiloop.db_init.importers.vasp_runs import Density, Run, combine
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import METAL

LARGEST: Final = 1_000_000_000  # bytes of a vasprun.xml, unpacked
BLOCK: Final = 1 << 20
HEAD: Final = 1 << 24  # bytes in which the atoms must be named
OPENERS: Final[dict[str, Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".lzma": lzma.open}
PACKED: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
AT_EDGE: Final = 1e-3  # eV by which the Fermi level may lie within a band that it only touches
LEFT: Final = 1.1  # of the force that was asked for
UNCHARGED: Final = 1e-3  # electrons
ENCODINGS: Final = frozenset({"", "ISO-8859-1", "UTF-8", "US-ASCII", "ASCII"})
KINDS: Final = re.compile(rb"<rc>\s*<c>\s*(\d+)\s*</c>\s*<c>[^<]*</c>\s*<c>[^<]*</c>\s*<c>\s*([\d.]+)\s*</c>")
ATOMS: Final = re.compile(rb"<rc>\s*<c>\s*([A-Z][a-z]?)\s*</c>")


@dataclass(frozen=True)
class Found:
    """A file that was looked through.

    Parameters
    ----------
    path, key
        Where it lies, and what it is called.
    sha
        Of it and the OUTCAR beside it.
    formula
        Reduced; empty where the file does not say.
    """

    path: Path
    key: str
    sha: str
    formula: str


def is_run(path: Path) -> bool:
    """Whether the name says that it is a vasprun.xml."""
    return re.fullmatch(VASPRUN, path.name) is not None


def runs_below(folder: Path) -> list[Path]:
    """Every vasprun.xml below a folder, sorted."""
    return sorted(path for path in folder.rglob("*vasprun*") if is_run(path) and path.is_file())


def load(where: Path, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a vasprun.xml, or every one below a folder; what is bad goes to quarantine with its reason.

    Raises
    ------
    InputError
        If there is no such file or folder, or no vasprun.xml in it.
    """
    if where.is_dir():
        paths, root = runs_below(where), where
    elif where.is_file():
        paths, root = [where], where.parent
    else:
        raise InputError(f"There is no file {where}.")
    if not paths:
        raise InputError(f"The folder {where} holds no vasprun.xml.")
    return take_in(where.name, _batches(paths, root, options), progress)


def _batches(paths: list[Path], root: Path, options: LoadOptions) -> Iterator[Batch]:
    """Batches of one formula each, so that all calculations of a crystal are in one."""
    name = options.source or root.resolve().name or "VASP"
    seen: list[Found] = []
    refused: list[Refusal] = []
    for path in paths:
        key = str(path.relative_to(root))
        try:
            seen.append(_look_through(path, key))
        except BAD as error:
            refused.append(Refusal(key, reason_of(error), path.name))
    if refused:
        told = [[one.key, one.reason] for one in refused]
        yield Batch(f"{len(refused)} unreadable", digest("vasprun", told), 0.0, lambda: list(refused))
    done = 0
    for formula, group in itertools.groupby(
        sorted(seen, key=lambda one: (one.formula, one.key)), lambda one: one.formula
    ):
        chunk = list(group)
        done += len(chunk)
        made_of = digest("vasprun", name, options.terms, [(one.key, one.sha) for one in chunk])
        read = partial(_read, chunk, name, options.terms)
        yield Batch(f"{formula or 'unknown formula'}: {done} of {len(seen)} runs", made_of, done / len(seen), read)


def _read(files: Iterable[Found], name: str, licence: str) -> Iterator[Entry | Refusal]:
    runs: list[Run] = []
    for one in files:
        try:
            runs.append(parse(one.path, one.key))
        except BAD as error:
            yield Refusal(one.key, reason_of(error), one.formula)
    yield from combine(runs, name, licence)


def _look_through(path: Path, key: str) -> Found:
    """Size, hash and formula of a file, and that it is XML without entities of its own.

    Raises
    ------
    InputError
        If it is too large, no vasprun.xml, or cannot be unpacked.
    """
    sha, head, tail, size = hashlib.sha256(), b"", b"", 0
    for block in _blocks(path):
        size += len(block)
        if size > LARGEST:
            raise InputError(f"The file {path.name} is larger than {LARGEST // 1_000_000} MB unpacked.")
        joined = tail + block
        if b"<!DOCTYPE" in joined or b"<!ENTITY" in joined or b"\0" in block:
            raise InputError(f"The file {path.name} defines entities of XML or is binary, which no VASP writes.")
        sha.update(block)
        tail = block[-16:]
        head += block if len(head) < HEAD else b""
    _check_head(path, head)
    beside = _outcar_of(path)
    for block in _blocks(beside) if beside else ():
        sha.update(block)
    return Found(path, key, sha.hexdigest(), _formula(head))


def _check_head(path: Path, head: bytes) -> None:
    encoding = re.search(rb"^\s*<\?xml[^>]*encoding=[\"']([\w.:-]+)", head[:300])
    named = encoding[1].decode("ascii", "replace").upper() if encoding else ""
    if b"<modeling" not in head[:4096] or named not in ENCODINGS:
        raise InputError(f"The file {path.name} is no vasprun.xml: it does not begin as VASP writes it.")


def _blocks(path: Path) -> Iterator[bytes]:
    opener = OPENERS.get(path.suffix, open)
    try:
        with opener(path, "rb") as content:
            while block := content.read(BLOCK):
                yield block
    except PACKED as error:
        raise InputError(f"The file {path.name} cannot be read: {error}.") from None


def _formula(head: bytes) -> str:
    """Elements and their smallest whole numbers; empty where the file names no atoms."""
    start = head.find(b'name="atoms"')
    named = ATOMS.findall(head[start : head.find(b"</array>", start)]) if start >= 0 else []
    counts = Counter(symbol.decode() for symbol in named)
    divisor = math.gcd(*counts.values()) if counts else 1
    return "".join(f"{symbol}{count // divisor}" for symbol, count in sorted(counts.items()))


def _outcar_of(path: Path) -> Path | None:
    """The OUTCAR of the same calculation, packed or not: of the same name, or that of a folder with one run."""
    plain = path.with_suffix("") if path.suffix in OPENERS else path
    own = plain.name.replace("vasprun", "OUTCAR").replace(".xml", "")
    others = own != "OUTCAR" and any(is_run(one) and one != path for one in path.parent.iterdir())
    names = (own,) if others else (own, "OUTCAR")
    places = (path.with_name(name + suffix) for name in names for suffix in ("", *OPENERS))
    return next((place for place in places if place.is_file()), None)


def parse(path: Path, key: str) -> Run:
    """The calculation of a vasprun.xml.

    Raises
    ------
    InputError
        If it is cut off, did not converge, or is of a kind that gives no labels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence, the one thing that pymatgen warns of, is looked at below
        try:
            found = Vasprun(path, parse_potcar_file=False, parse_projected_eigen=False)
        except Exception as error:  # noqa: BLE001  (XML's errors, and many kinds for XML that is something else)
            raise InputError(_damaged(path, error)) from None
        tags = {**dict(found.parameters), **dict(found.incar)}
        task = task_of(tags, found.kpoints.kpts_weights, str(getattr(found.kpoints.style, "name", "")))
        if why_not := WHY_NOT.get(task) or held_by(tags):
            raise InputError(why_not)
        said = _said_by_outcar(path, tags)
        _check(found, tags, said)
        _check_charge(path, tags)
        return _run(found, path, key, task, tags, said)


def _damaged(path: Path, error: Exception) -> str:
    if type(error).__name__ in {"XMLSyntaxError", "ParseError"}:
        return f"The file {path.name} is cut off or damaged: {' '.join(str(error).split())[:200]}."
    return (
        f"The file {path.name} lacks what a finished calculation writes ({type(error).__name__}: "
        f"{' '.join(str(error).split())[:200]}); it was cut off, or its program is not VASP."
    )


def _check(found: Vasprun, tags: dict[str, Any], said: Said | None) -> None:
    """Refuse a calculation without a finished step, or one that did not converge."""
    if not found.ionic_steps or not found.ionic_steps[-1].get("electronic_steps"):
        raise InputError("The calculation holds no finished step: it was cut off, or never began.")
    steps, most = len(found.ionic_steps[-1]["electronic_steps"]), int(tags.get("NELM") or 60)
    if steps >= most > 1:
        raise InputError(f"The electronic loop did not converge in {steps} steps; raise NELM or change ALGO.")
    if int(tags.get("NSW") or 0) <= 1:
        return
    if not found.converged_ionic:
        raise InputError(f"The relaxation did not converge in {tags['NSW']} steps; continue it.")
    if said is not None and said.stopped:
        raise InputError("The relaxation did not converge: it was stopped before it converged (STOPCAR); continue it.")
    _check_forces(found, tags)


def _check_forces(found: Vasprun, tags: dict[str, Any]) -> None:
    """Refuse a relaxation that ended above the forces that it was asked for, as one does that somebody stopped."""
    wanted = -(number(tags.get("EDIFFG"), "EDIFFG") or 0.0)
    forces = np.asarray(found.ionic_steps[-1].get("forces", []), dtype=float).reshape(-1, 3)
    if wanted <= 0.0 or len(forces) != len(found.final_structure):
        return
    free = np.asarray(found.final_structure.site_properties.get("selective_dynamics", [[True] * 3] * len(forces)))
    largest = float(np.linalg.norm(np.where(free, forces, 0.0), axis=1).max())
    if largest > LEFT * wanted:
        raise InputError(
            f"The relaxation did not converge: a force of {largest:.3g} eV/Å is left, above the {wanted:g} eV/Å of "
            "EDIFFG; continue it."
        )


def _check_charge(path: Path, tags: dict[str, Any]) -> None:
    """Refuse a charged cell, whose energy has no zero: that of its background depends on the cell."""
    electrons, valence = number(tags.get("NELECT"), "NELECT"), _valence(path)
    if electrons is not None and valence and abs(valence - electrons) > UNCHARGED:
        raise InputError(
            f"The energy of the calculation is no crystal's: its cell bears a charge of {valence - electrons:+g} "
            f"({electrons:g} electrons for a valence of {valence:g}); load the neutral one."
        )


def _valence(path: Path) -> float:
    """Valence electrons of the neutral cell by its POTCARs; 0 where the file does not say."""
    head = b""
    for block in _blocks(path):
        head += block
        if b"</atominfo>" in head or len(head) > HEAD:
            break
    start = head.find(b'name="atomtypes"')
    kinds = KINDS.findall(head[start : head.find(b"</array>", start)]) if start >= 0 else []
    return sum(int(count) * float(each) for count, each in kinds)


def _said_by_outcar(path: Path, tags: dict[str, Any]) -> Said | None:
    """What the OUTCAR beside a file says, where it is needed; None where there is none."""
    beside = _outcar_of(path)
    if beside is None or not (_is_polarised(tags) or int(tags.get("NSW") or 0) > 1):
        return None
    try:
        with OPENERS.get(beside.suffix, open)(beside, "rt", encoding="utf-8", errors="replace") as lines:
            return vasp_outcar.read(lines)
    except PACKED:
        return None


def _run(found: Vasprun, path: Path, key: str, task: Task, tags: dict[str, Any], said: Said | None) -> Run:
    functional, settings = method_of(tags, found.potcar_symbols)
    remarks: list[str] = []
    gap, edges, level = _bands(found, remarks)
    structure, moment = found.final_structure, None
    if said is not None and _is_polarised(tags):
        structure, moment = _with_moments(structure, path, remarks), said.moment
    return Run(
        key,
        task,
        structure,
        functional,
        settings,
        energy=float(found.final_energy),
        gap=gap,
        edges=edges,
        level=level,
        moment=moment,
        density=_density(found),
        mesh=len(found.actual_kpoints or []),
        n_electrons=number(tags.get("NELECT"), "NELECT"),
        remarks=tuple(remarks),
    )


def _bands(found: Vasprun, remarks: list[str]) -> tuple[float | None, tuple[float, float] | None, float | None]:
    """Gap and edges by the eigenvalues, and the Fermi level as emmet gives it, so that a job store says the same."""
    level = None if found.efermi is None else float(found.efermi)
    if level is None or not found.eigenvalues:
        remarks.append("gap left out: the file has no eigenvalues or no Fermi level")
        return None, None, level
    edges = edges_of(list(found.eigenvalues.values()), level)
    gap = edges[1] - edges[0] if edges else 0.0
    if edges is None or not METAL < gap < np.inf:
        return 0.0, None, level
    return gap, edges, float(found.calculate_efermi())


def edges_of(spins: list[NDArray[np.float64]], level: float) -> tuple[float, float] | None:
    """Valence and conduction edge, eV; None where a band crosses the level.

    Parameters
    ----------
    spins
        (k-points, bands, 2) eigenvalue in eV and occupation, of each spin.
    level
        Fermi level, eV, which VASP may put at an edge or a little beyond it.
    """
    lows = np.concatenate([bands[:, :, 0].min(axis=0) for bands in spins])
    highs = np.concatenate([bands[:, :, 0].max(axis=0) for bands in spins])
    filled = np.concatenate([bands[:, :, 1].mean(axis=0) for bands in spins]) > 0.5
    below, above = highs <= level + AT_EDGE, lows >= level - AT_EDGE
    if not (below | above).all():
        return None
    valence = np.where(below & above, filled, below)
    return float(highs[valence].max(initial=-np.inf)), float(lows[~valence].min(initial=np.inf))


def _density(found: Vasprun) -> Density | None:
    try:
        dos = found.tdos
        spins = tuple(
            np.asarray(dos.densities[spin], dtype=float) for spin in (Spin.up, Spin.down) if spin in dos.densities
        )
        return Density(np.asarray(dos.energies, dtype=float), spins, float(dos.efermi)) if spins else None
    except AttributeError:  # the file has none
        return None


def _is_polarised(tags: dict[str, Any]) -> bool:
    return int(tags.get("ISPIN") or 1) == 2 or is_set(tags.get("LNONCOLLINEAR")) or is_set(tags.get("LSORBIT"))


def _with_moments(structure: Structure, path: Path, remarks: list[str]) -> Structure:
    """The crystal with the moments of its atoms by the OUTCAR beside the file, μB."""
    beside = _outcar_of(path)
    try:
        each = [site["tot"] for site in Outcar(str(beside)).magnetization or ()]
    except Exception as error:  # noqa: BLE001  (a file that was cut off fails in many ways)
        name = beside.name if beside else "OUTCAR"
        remarks.append(f"moments of the atoms left out: {name} cannot be read ({type(error).__name__})")
        return structure
    if len(each) == len(structure) and all(isinstance(one, float) for one in each):
        return structure.copy(site_properties={"magmom": each})
    return structure
