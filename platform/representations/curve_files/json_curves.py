"""JSON: pymatgen's Dos and CompleteDos, and curves of our own: ``energies`` with ``values``."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import METAL, Edges
from fermiloop.platform.representations.curve_files.reading import NOT_NAMED, Reading, Wish
from fermiloop.schemas.vocabulary import Alignment

MOST_POINTS: Final = 200_000
WRAPPERS: Final = ("dos", "complete_dos", "data", "tdos", "total")
"""Keys under which a curve may lie one deeper."""


def is_json(text: str) -> bool:
    """Whether a text begins as JSON does."""
    return text.lstrip().startswith(("{", "["))


def read_json(text: str, name: str, wish: Wish) -> Reading:  # noqa: ARG001 one signature for all
    """Density of states of a JSON document.

    Raises
    ------
    InputError
        If it is no JSON or holds no density of states.
    """
    tree = tree_of(text)
    for key in WRAPPERS:
        if "energies" not in tree and isinstance(tree.get(key), dict):
            tree = tree[key]
    if isinstance(tree.get("densities"), dict):
        return _of_pymatgen(tree, wish)
    values = next(
        (key for key in ("values", "densities", "density", "dos") if isinstance(tree.get(key), list)), "values"
    )
    if not {"energies", values} <= tree.keys():
        raise InputError('The JSON must hold {"energies": […], "values": […]}, with both keys, or be a pymatgen Dos.')
    x, y = numbers("energies", tree["energies"]), numbers(values, tree[values])
    if len(x) != len(y):
        raise InputError(f"energies has {len(x)} numbers and {values} has {len(y)}, but both need as many.")
    level, edges, said = _own_level(tree, wish)
    return Reading.of(x, y, level, edges, said)


def numbers(key: str, row: Any) -> NDArray[np.float64]:
    """A list of numbers, such as JSON has it.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(row, list):
        raise InputError(f"The JSON has under {key!r} no list of numbers; give one.")
    for place, value in enumerate(row):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"The JSON has {value!r} as {key}[{place}], where a number must be.")
    if len(row) > MOST_POINTS:
        raise InputError(f"The JSON has {len(row)} numbers under {key!r}, of at most {MOST_POINTS}.")
    return np.array([float(value) for value in row])


def tree_of(text: str, axis: str | None = None) -> dict[str, Any]:
    """The mapping of a JSON text; with an axis named, one that has it beside ``values``.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        tree = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError(f"The file is not valid JSON at line {line}; check it.") from None
    except ValueError:  # a whole number of thousands of digits
        raise InputError("The JSON holds a number that is too long to be one.") from None
    if not isinstance(tree, dict) or (axis and not {axis, "values"} <= tree.keys()):
        raise InputError(f'The JSON must hold {{"{axis or "energies"}": […], "values": […]}}, with both keys.')
    return tree


def _of_pymatgen(tree: dict[str, Any], wish: Wish) -> Reading:
    x = numbers("energies", tree.get("energies"))
    spins = {str(key): numbers(f"densities.{key}", row) for key, row in tree["densities"].items()}
    wrong = next((key for key, row in spins.items() if key not in ("1", "-1") or len(row) != len(x)), None)
    if wrong is not None or "1" not in spins:
        raise InputError(
            f"A Dos of pymatgen has the spins 1 and -1, each with as many values as energies; "
            f"this one has {', '.join(f'{key} with {len(row)}' for key, row in spins.items())} for {len(x)}."
        )
    level, said = _level(tree.get("efermi"), "the Dos", wish)
    down = spins.get("-1")
    if down is None:
        return Reading.of(x, spins["1"], level, None, said)
    if (down > 0).any() and (down < -1e-3 * np.abs(down).max()).any():
        said = (*said, "What is stored as second spin is positive and negative: spin-orbit's moment, left out.")
        return Reading.of(x, spins["1"], level, None, said)
    return Reading.of(x, spins["1"] + np.abs(down), level, None, (*said, "Two spins were summed."))


def _level(value: Any, where: str, wish: Wish) -> tuple[float, tuple[str, ...]]:
    if wish.fermi is not None:
        return wish.fermi, (f"The Fermi level {wish.fermi:g} eV was taken as given.",)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise InputError(f"The Fermi level of {where} is {value!r}; give it as a number (efermi, in eV).")
    return float(value), (f"The Fermi level {float(value):g} eV of {where} was taken.",)


def _own_level(tree: dict[str, Any], wish: Wish) -> tuple[float, Edges | None, tuple[str, ...]]:
    """Level and edges of a curve of our own, whose zero may be said under ``alignment`` with ``gap``."""
    named = next((key for key in ("efermi", "fermi", "fermi_level") if tree.get(key) is not None), None)
    if wish.fermi is not None or named is not None:
        level, said = _level(tree[named] if named else None, "the JSON", wish)
        return level, None, said
    gap, zero = tree.get("gap"), tree.get("alignment")
    if isinstance(gap, bool) or not isinstance(gap, int | float) or not 0 <= gap < np.inf:
        return 0.0, None, (NOT_NAMED,)
    if zero not in (str(Alignment.MIDGAP), str(Alignment.VBM)):
        return 0.0, None, (NOT_NAMED,)
    below = -gap / 2 if zero == str(Alignment.MIDGAP) else 0.0
    edges = Edges(below, below + gap) if gap > METAL else Edges()
    return 0.0, edges, (f"The JSON says that zero is {zero} of a gap of {gap:g} eV.",)
