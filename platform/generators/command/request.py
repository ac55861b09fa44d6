"""What a program is given: a folder with the target, the space, the training set and how many crystals to propose.

========================  ==============================================================================
``request.json``          ``task`` (``fit`` or ``sample``), ``n``, ``seed``, ``time_limit`` (s), ``version``
``target.json``           ``curve`` (``energies``, ``values``, ``window``), ``conditions``, ``exclude``
``space.json``            ``elements``, ``components``, ``crystal_systems``, ``max_sites``
``training.extxyz``       crystals in order, with ``id``, ``crystal_system``, ``prototype`` and their labels
``curves.npz``            ``energies`` (m,) and ``curves`` (n, m) of the crystals, NaN where one has none
``model/``                what ``fit`` left, and where it leaves it
``out/``                  where crystals are left
========================  ==============================================================================
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from ase.io import write
from pymatgen.io.ase import AseAtomsAdaptor

if TYPE_CHECKING:
    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

REQUEST, TARGET, SPACE = "request.json", "target.json", "space.json"
TRAINING, CURVES = "training.extxyz", "curves.npz"
MODEL, OUT = "model", "out"
FORMAT: Final = 1
"""Of the folder; a program that meets another number should refuse it."""


def training_files(data: TrainingSet) -> dict[str, bytes]:
    """The training set as files: name to content, the same for the same data."""
    text, curves = io.StringIO(), io.BytesIO()
    write(text, [_atoms(data, row) for row in range(len(data))], format="extxyz")
    np.savez(curves, energies=data.grid.points, curves=data.curves)
    return {TRAINING: text.getvalue().encode("utf-8"), CURVES: curves.getvalue()}


def prepare(folder: Path, training: dict[str, bytes], model: dict[str, bytes], request: dict[str, Any]) -> None:
    """Write a folder for a program: the training set, a model, and what is asked."""
    (folder / OUT).mkdir()
    (folder / MODEL).mkdir()
    for name, content in training.items():
        (folder / name).write_bytes(content)
    for name, content in model.items():
        path = folder / MODEL / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    _write(folder / REQUEST, {"format": FORMAT, **request})


def ask(folder: Path, target: Target, space: Space) -> None:
    """Write what is looked for, and where."""
    _write(folder / TARGET, target_dict(target))
    given = {
        "elements": list(space.elements),
        "components": list(space.n_components),
        "crystal_systems": list(space.crystal_systems),
        "max_sites": space.max_sites,
    }
    _write(folder / SPACE, given)


def target_dict(target: Target) -> dict[str, Any]:
    """A target, JSON-ready."""
    curve = None
    if target.grid is not None and target.curve is not None:
        curve = {
            "grid": dataclasses.asdict(target.grid),
            "energies": target.grid.points.tolist(),
            "values": target.curve.tolist(),
            "window": None if target.window is None else list(target.window),
            "hit_similarity": target.hit_similarity,
        }
    conditions = [{**dataclasses.asdict(one), "value": one.value} for one in target.conditions]
    return {"curve": curve, "conditions": conditions, "exclude": list(target.exclude_formulas)}


def _atoms(data: TrainingSet, row: int) -> Any:
    atoms = AseAtomsAdaptor.get_atoms(data.structures[row], msonable=False)
    labels = {name: float(values[row]) for name, values in data.labels.items() if math.isfinite(values[row])}
    about = {"id": data.ids[row], "crystal_system": data.crystal_systems[row], "prototype": data.prototypes[row]}
    atoms.calc = None
    atoms.info = about | labels
    return atoms


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(_finite(content), indent=1), encoding="utf-8")


def _finite(value: Any) -> Any:
    """The same without infinity and NaN, which JSON does not know: null in their place."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value
