"""A small store: a few crystals of the synthetic library with curves and labels by one Method."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.db_init import setup
from fermiloop.platform.store import labels, materials, methods, spectra
from fermiloop.schemas.vocabulary import Origin

FLOOR = 1.0  # states/eV/cell, so that no gap is found in a curve


@pytest.fixture
def store(database: str, dos_library: Any) -> dict[str, Any]:
    """Ids of the materials in order, and of the Method."""
    setup.init()
    method = methods.save("gpaw", "PBE", {}, {"gpaw": "26.7"})
    ids = []
    for row in range(12):
        source = {"name": "test", "licence": "MIT"}
        prototype = dos_library.prototypes[row]
        material = materials.save(dos_library.structures[row], origin=Origin.IMPORT, source=source, prototype=prototype)
        metal = dos_library.curves[row] + FLOOR
        spectra.save(material, dos_library.grid.points, metal, method=method, gap=0.0)
        labels.save(material, "band_gap", float(dos_library.labels["band_gap"][row]), method=method)
        ids.append(material)
    return {"ids": ids, "method": method}
