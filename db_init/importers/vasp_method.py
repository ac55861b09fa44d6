"""What a VASP calculation was: its task and its Method, from the tags and the POTCARs that it ran with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Final

from fermiloop.db_init.importers.numbers import number
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.functionals import functional_of, hubbard_of

YES: Final = frozenset({"TRUE", ".TRUE.", "T", ".T."})
NOT_VARIATIONAL: Final = ("GW", "ACFDT", "RPA", "BSE", "CHI", "TDHF", "TIMEEV", "EXACT", "NONE", "NOTHING", "EIGENVAL")


class Task(StrEnum):
    """What a calculation is good for."""

    RELAX = "relax"
    STATIC = "static"
    UNIFORM = "uniform"  # not self-consistent, on a mesh
    LINE = "line"  # on the lines of a band structure
    DYNAMICS = "dynamics"
    OTHER = "other"


WHY_NOT: Final[dict[Task, str]] = {
    Task.LINE: "The calculation runs along the lines of a band structure, so its density of states is not the "
    "crystal's; load the static and the uniform one.",
    Task.DYNAMICS: "The calculation is molecular dynamics: its last step is no ground state.",
    Task.OTHER: "The calculation is a response function, phonons, or states above a fixed density, which give no "
    "energy of the ground state; load the static one.",
}


def task_of(tags: Mapping[str, Any], weights: Sequence[float] | None, style: str = "") -> Task:
    """Task by the tags of INCAR and vasprun.xml and by the k-points.

    Parameters
    ----------
    tags
        Those of vasprun.xml's ``parameters`` with those of INCAR over them.
    weights
        Of k-points that were listed one by one; None where VASP made a mesh.
    style
        How KPOINTS generates them.
    """
    steps, ions = int(tags.get("NSW") or 0), int(tags.get("IBRION", -1))
    algorithm = str(tags.get("ALGO") or "").upper()
    if any(algorithm.startswith(word) for word in NOT_VARIATIONAL) or is_set(tags.get("LEPSILON")):
        return Task.OTHER
    if int(tags.get("ICHARG") or 0) >= 10:
        return Task.LINE if _on_lines(weights, style) else Task.UNIFORM
    if is_set(tags.get("ML_LMLFF")) or ions in {5, 6, 7, 8}:
        return Task.OTHER
    if steps <= 1:  # one step moves nothing
        return Task.LINE if style.lower().startswith("l") or min(weights or [1.0]) == 0.0 else Task.STATIC
    return Task.DYNAMICS if ions == 0 else Task.RELAX


def held_by(tags: Mapping[str, Any]) -> str | None:
    """What keeps a calculation from the crystal's ground state at no pressure, a sentence; None where nothing does.

    Parameters
    ----------
    tags
        Those of vasprun.xml's ``parameters`` with those of INCAR over them.
    """
    pressure = number(tags.get("PSTRESS"), "PSTRESS") or 0.0
    if pressure:
        return (
            f"The calculation is under a pressure of {pressure:g} kbar (PSTRESS), whose work is part of its energy; "
            "load one without."
        )
    if int(tags.get("IMAGES") or 0) > 0:
        return "The calculation is an image of a path between crystals (IMAGES), which is no crystal at rest."
    if int(tags.get("I_CONSTRAINED_M") or 0) > 0:
        return "Its moments are held (I_CONSTRAINED_M), so its energy is none of the ground state; load a free one."
    if int(tags.get("ISMEAR", 1)) == -2:
        return "Its occupations are given (ISMEAR = -2), so its energy is none of the ground state; load a free one."
    return None


def _on_lines(weights: Sequence[float] | None, style: str) -> bool:
    """Whether k-points lie on lines, where VASP weighs them all alike; those of a mesh it weighs by symmetry."""
    if style.lower().startswith("l"):
        return True
    if not weights or len(weights) == 1:
        return False
    return min(weights) == 0.0 or max(weights) - min(weights) < 1e-9 * max(weights)


def is_set(value: Any) -> bool:
    """Whether a logical tag is true, as such or as VASP's text."""
    return value is True or str(value).strip().upper() in YES


def method_of(
    tags: Mapping[str, Any],
    titles: Sequence[str],
    kinds: Sequence[str] = (),
    hubbards: Mapping[str, float] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Functional and settings of the Method that a calculation ran with.

    Parameters
    ----------
    tags
        Those of vasprun.xml's ``parameters`` with those of INCAR over them.
    titles
        TITEL or symbol of the POTCAR of each species.
    kinds
        Families of POTCARs, as ``PAW_PBE``, where the titles do not say.
    hubbards
        U - J in eV by element, where the tags do not say.

    Raises
    ------
    InputError
        If a tag cannot be read.
    """
    words = [title.split() for title in titles if title.strip()]
    families = sorted({word[0] for word in words if len(word) > 1} or {str(kind) for kind in kinds if kind})
    symbols = [word[1] if len(word) > 1 else word[0] for word in words]
    family = "/".join(families) or "unknown"
    unusual = _unusual(symbols)
    settings: dict[str, Any] = {
        "cutoff": number(tags.get("ENCUT") or tags.get("ENMAX"), "ENCUT"),  # eV
        "potentials": f"{family} ({', '.join(unusual)})" if unusual else family,
    }
    if u_values := _hubbard(tags, symbols, hubbards):
        settings["hubbard"] = u_values  # eV
    if is_set(tags.get("LSORBIT")):
        settings["spin_orbit"] = True
    elif is_set(tags.get("LNONCOLLINEAR")):
        settings["non_collinear"] = True
    return functional_of(tags, families[0] if families else "PBE"), settings


def _hubbard(tags: Mapping[str, Any], symbols: Sequence[str], hubbards: Mapping[str, float] | None) -> dict[str, float]:
    try:
        found = hubbard_of(tags, symbols)
    except InputError:
        if not hubbards:
            raise
        found = {}
    found = found or {str(key): round(float(value), 6) for key, value in (hubbards or {}).items()}
    return {key: value for key, value in sorted(found.items()) if value}


def _unusual(symbols: Sequence[str]) -> list[str]:
    """POTCARs other than those of the Materials Project, which make a Method of their own.

    The POTCARs of a crystal are those of its elements: with all of them in the Method no two chemical systems would
    share one, and there would be no hull. Those of one well-known set mix; any other choice does not.
    """
    usual = _usual()
    return sorted({one for one in symbols if usual.get(one.partition("_")[0], one) != one})


@cache
def _usual() -> dict[str, str]:
    from pymatgen.io.vasp.sets import MPRelaxSet  # a second

    return dict(MPRelaxSet.CONFIG["POTCAR"])
