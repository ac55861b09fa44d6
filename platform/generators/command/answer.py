"""What a program has left in ``out/``: crystals with their scores, and why the rest is none.

Three kinds of files: CIF, extended XYZ with any number of frames, and JSON of pymatgen's ``Structure``: one, a list of
them, or a mapping from name to one. ``scores.json`` maps the name of a crystal to its score, higher first; a frame of
extended XYZ may bear ``score=`` and ``parent=`` itself. The name of a crystal is that of its file, without the ending
or with it; of one of several ``file#2``, counted from 0, or its key in the mapping.
"""

from __future__ import annotations

import json
import math
import os
import stat
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ase.io import iread
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifParser

SCORES: Final = "scores.json"
ENDINGS: Final = (".cif", ".extxyz", ".xyz", ".json")
MOST_TEXT_BYTES: Final = 10_000_000  # of one JSON file; and a fortieth of it of one CIF, whose symmetry multiplies
MOST_CIF_BYTES: Final = 250_000
MOST_SITES: Final = 500  # of a cell as written
# what readers of formats raise on text that is no crystal
UNFIT: Final = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True)
class Found:
    """A crystal that a program left, as it left it."""

    name: str
    structure: Structure
    score: float
    parent: str | None = None


@dataclass
class Answer:
    """Crystals in the order of their names, and why other things are none."""

    crystals: list[Found] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


def read(folder: Path, most: int) -> Answer:
    """At most `most` crystals of a folder.

    Parameters
    ----------
    folder
        ``out/``.
    most
        What comes beyond is counted as a failure, and not read.
    """
    answer = Answer()
    scores = _scores(folder / SCORES, answer.failures)
    for path in sorted(folder.iterdir()):
        if path.name == SCORES:
            continue
        if (reason := _refusal(path)) is not None:
            answer.failures[reason] += 1
            continue
        _read_file(path, scores, most, answer)
    return answer


def _read_file(path: Path, scores: dict[str, float], most: int, answer: Answer) -> None:
    """Add the crystals of a file to an answer."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, structure, about in _crystals(path):
                if len(answer.crystals) >= most:
                    answer.failures[f"crystals beyond the {most} that are read"] += 1
                    return
                _add(answer, name, structure, about, scores)
    except UNFIT:
        answer.failures[f"a {path.suffix} file that cannot be read"] += 1


def _add(
    answer: Answer, name: str, structure: Structure | None, about: dict[str, Any], scores: dict[str, float]
) -> None:
    if structure is None:
        answer.failures["an entry that is no crystal"] += 1
    elif not structure.is_ordered:
        answer.failures["a disordered crystal"] += 1
    elif not 0 < len(structure) <= MOST_SITES:
        answer.failures[f"a cell of no or more than {MOST_SITES} atoms"] += 1
    else:
        given = scores.get(name, scores.get(Path(name).stem, about.get("score", 0.0)))
        score = _number(given)
        if score is None:
            answer.failures["a score that is no finite number"] += 1
            return
        parent = about.get("parent")
        answer.crystals.append(Found(name, structure, score, parent if isinstance(parent, str) else None))


def _refusal(path: Path) -> str | None:
    """Why a thing in the folder is not opened: only plain files of bounded size are, and no link is followed."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return "a link, which is not followed"
    if not stat.S_ISREG(found.st_mode):
        return "no plain file"
    if path.suffix not in ENDINGS:
        return f"a file that is none of {', '.join(ENDINGS)}"
    most = {".cif": MOST_CIF_BYTES, ".json": MOST_TEXT_BYTES}.get(path.suffix)
    if most is not None and found.st_size > most:
        return f"a {path.suffix} file of more than {most} bytes"
    return None


def _crystals(path: Path) -> Iterator[tuple[str, Structure | None, dict[str, Any]]]:
    """Name, crystal and what else is said of it, one after the other."""
    if path.suffix == ".cif":
        for number, structure in enumerate(CifParser(path).parse_structures(primitive=False)):
            yield path.name if number == 0 else f"{path.name}#{number}", structure, {}
    elif path.suffix == ".json":
        yield from _of_json(path.name, json.loads(path.read_text(encoding="utf-8")))
    else:
        for number, atoms in enumerate(iread(path, format="extxyz")):
            about = dict(atoms.info)  # which making the crystal empties
            yield f"{path.name}#{number}", _of_atoms(atoms), about


def _of_json(name: str, content: Any) -> Iterator[tuple[str, Structure | None, dict[str, Any]]]:
    if isinstance(content, dict) and "sites" in content:
        yield name, _of_dict(content), {}
    elif isinstance(content, dict):
        yield from ((str(key), _of_dict(one), {}) for key, one in content.items())
    elif isinstance(content, list):
        yield from ((f"{name}#{number}", _of_dict(one), {}) for number, one in enumerate(content))
    else:
        raise TypeError("neither a mapping nor a list")


def _of_dict(content: Any) -> Structure | None:
    try:
        return Structure.from_dict(content)
    except UNFIT:
        return None


def _of_atoms(atoms: Any) -> Structure | None:
    """A periodic crystal of ASE; None of a molecule or of a cell without a volume."""
    if not all(atoms.pbc) or len(atoms) > MOST_SITES:
        return None
    try:
        atoms.calc, atoms.info = None, {}
        found = AseAtomsAdaptor.get_structure(atoms)
    except UNFIT:
        return None
    return Structure.from_sites(found.sites) if found.volume > 0 else None


def _scores(path: Path, failures: Counter[str]) -> dict[str, float]:
    """Scores by name; none where there is no such file, or none that can be read."""
    if not os.path.lexists(path):
        return {}
    if (reason := _refusal(path)) is not None:
        failures[f"{SCORES}: {reason}"] += 1
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        failures[f"{SCORES} is no mapping from name to score"] += 1
        return {}
    return found


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
