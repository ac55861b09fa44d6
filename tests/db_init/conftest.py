"""A small populated database, and lines of files to load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.store import checkpoints, labels, materials, methods, snapshots, spectra
from fermiloop.schemas.vocabulary import Origin


@pytest.fixture
def populated(database: str, tmp_path: Path) -> str:
    """Two crystals with labels and curves, a snapshot, and a checkpoint of several GridFS chunks; the database."""
    method = methods.save("analytic", "none", {"for": "tests"}, {})
    ids = []
    for number, element in enumerate(("Al", "Ni")):
        crystal = Structure(Lattice.cubic(3 + 0.1 * number), [element], [[0, 0, 0]])
        ids.append(materials.save(crystal, origin=Origin.IMPORT, source={"name": "test", "key": element}))
        spectra.save(ids[-1], np.linspace(-10, 8, 361), np.full(361, 1.0 + number), method=method)
        labels.save(ids[-1], "band_gap", 0.1 * number, method=method)
    snapshot = snapshots.freeze(ids, query={}, split_seed=1, method=method)
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(np.random.default_rng(0).bytes(600_000))
    checkpoints.save(
        folder,
        generator="g",
        preset=None,
        config={"a": 1},
        metrics={"m": 0.5},
        history=[1.0],
        snapshot=snapshot,
        seed=1,
    )
    return database


@pytest.fixture
def line() -> Callable[..., str]:
    """Maker of lines of a structure file: NiAl, with whatever is to be changed."""

    def make(**changes: Any) -> str:
        row = {
            "material_id": "mp-1", "cell": [2.9, 2.9, 2.9, 90, 90, 90], "species": ["Ni", "Al"],
            "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "formula": "NiAl", "nsites": 2, "band_gap": 0.0,
        }  # fmt: skip
        return json.dumps(row | changes)

    return make
