"""A small library of made-up curves, and schedules of quick trainings on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fermiloop.db_init import setup
from fermiloop.flows.schedules import scheduling
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import (
    labels,
    materials,
    methods,
    spectra,
)
from fermiloop.schemas.schedule import Schedule
from fermiloop.schemas.vocabulary import Origin, Property

ELEMENTS = (
    "Al",
    "Ti",
    "Fe",
    "Co",
    "Ni",
    "Cu",
    "Zn",
    "Zr",
    "Nb",
    "Mo",
    "Ru",
    "Rh",
    "Pd",
    "Ag",
    "Hf",
    "Ta",
    "W",
    "Pt",
    "Au",
)
QUICK = {"epochs": 3}


def add_crystals(method: str, elements: tuple[str, ...], prototype: str) -> int:
    """Crystals with a made-up curve and two labels each; how many labels."""
    for element in elements:
        structure = PROTOTYPES[prototype].build(element, None, 14.0)
        material = materials.save(structure, origin=Origin.SEED, source={"name": "synthetic"}, prototype=prototype)
        centre = float(structure.species[0].Z % 7) - 3
        density = np.exp(-((DOS_GRID.points - centre) ** 2)) + 0.05
        spectra.save(material, DOS_GRID.points, density, method=method, n_electrons=float(structure.species[0].Z))
        labels.save(material, Property.ENERGY_PER_ATOM, -3.0 - centre, method=method)
        labels.save(material, Property.BAND_GAP, 0.0, method=method)
    return 2 * len(elements)


@pytest.fixture
def method(database: str) -> str:
    """A small library; the id of its Method."""
    setup.init()
    made = methods.save("external", "made up", {}, {})
    add_crystals(made, ELEMENTS, "A1")
    return made


def schedule(method: str, trigger: str, value: str, name: str = "nightly", **more: Any) -> Schedule:
    made = Schedule(
        id=name, generator="dos_composer", preset="factorised", options=QUICK, method=method, trigger=trigger,
        value=value, **more,
    )  # fmt: skip
    scheduling.add(made)
    return made
