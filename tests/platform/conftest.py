"""Synthetic libraries: real prototypes with made-up curves, for tests only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Composition, Element, Structure

from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.structure_types import structure_types
from fermiloop.platform.representations.training import TrainingSet

ELEMENTS = ("Al", "Ti", "Ni", "Cu", "Pd", "Pt")
PROTOTYPE_NAMES = ("A1", "A3", "B2", "L1_2", "C32")


def synthetic_curve(composition: Composition, system: str) -> np.ndarray:
    """Two peaks of each element, weighted by amount, moved a little by the crystal system."""
    x, y = DOS_GRID.points, np.zeros(DOS_GRID.n)
    for element, fraction in composition.fractional_composition.items():
        centre = -6 + 0.13 * element.Z + (0.3 if system == "hexagonal" else 0.0)
        width = 0.4 + 0.25 * (element.row - 3)
        y += fraction * np.exp(-0.5 * ((x - centre) / width) ** 2)
        y += 0.4 * fraction * np.exp(-0.5 * ((x - element.group / 3) / 0.5) ** 2)
    return 10 * y


def synthetic_labels(structures: list[Structure]) -> dict[str, np.ndarray]:
    """Formation energies from electronegativities, and what follows from them; made up, but learnable."""
    formation = np.zeros(len(structures))
    for i, structure in enumerate(structures):
        shares = structure.composition.fractional_composition
        mean = sum(e.X * share for e, share in shares.items())
        formation[i] = -0.8 * sum(share * abs(e.X - mean) for e, share in shares.items())
    return {
        "formation_energy_per_atom": formation,
        "band_gap": np.maximum(0.0, -2 * formation - 0.3),
        "energy_above_hull": 0.1 + formation - formation.min(),
    }


def build_library(
    elements: tuple[str, ...] = ELEMENTS, names: tuple[str, ...] = PROTOTYPE_NAMES, every: int = 2
) -> TrainingSet:
    """All elements alone and every second binary, each on its prototypes."""
    rows = []
    for name in names:
        prototype = PROTOTYPES[name]
        a, b = prototype.stoichiometry
        pairs = [(x, y) for x in elements for y in elements if x != y and (a != b or Element(x).Z < Element(y).Z)]
        chosen = [(x, None) for x in elements] if b == 0 else pairs[::every]
        rows += [(name, prototype.build(x, y, 15.0)) for x, y in chosen]
    systems = [PROTOTYPES[name].crystal_system for name, _ in rows]
    curves = [synthetic_curve(s.composition, system) for (_, s), system in zip(rows, systems, strict=True)]
    return TrainingSet(
        ids=tuple(f"m-{i}" for i in range(len(rows))),
        structures=tuple(structure for _, structure in rows),
        crystal_systems=tuple(systems),
        prototypes=tuple(name for name, _ in rows),
        grid=DOS_GRID,
        curves=np.array(curves).reshape(len(rows), DOS_GRID.n),
        labels=synthetic_labels([structure for _, structure in rows]),
    )


TERNARY_TYPES = (("E2_1", "O"), ("C1_b", "Sn"))
"""Structure types and the element of their last slot."""


def build_ternary_library(elements: tuple[str, ...] = ELEMENTS[:5], every: int = 2) -> TrainingSet:
    """The unaries and binaries of `build_library` with ternaries, whose curves are mixtures of their elements' too."""
    plain = build_library((*elements, "O", "Sn"), ("A1", "B2", "L1_2"), every)
    pairs = [(a, b) for a in elements for b in elements if Element(a).X < Element(b).X]
    structures = [
        structure_types()[name].decorate((*pair, last), 15.0) for name, last in TERNARY_TYPES for pair in pairs
    ]
    curves = np.array([synthetic_curve(structure.composition, "cubic") for structure in structures])
    everything = (*plain.structures, *structures)
    return TrainingSet(
        ids=tuple(f"m-{i}" for i in range(len(everything))),
        structures=everything,
        crystal_systems=plain.crystal_systems + ("cubic",) * len(structures),
        prototypes=plain.prototypes + tuple(name for name, _ in TERNARY_TYPES for _ in pairs),
        grid=DOS_GRID,
        curves=np.vstack([plain.curves, curves]),
        labels=synthetic_labels(list(everything)),
    )


@pytest.fixture(scope="session")
def ternary_library() -> TrainingSet:
    """One synthetic library with ternaries for all who only read it."""
    return build_ternary_library()


@pytest.fixture(scope="session")
def make_library() -> Callable[..., TrainingSet]:
    """Maker of synthetic libraries."""
    return build_library


@pytest.fixture(scope="session")
def dos_library() -> TrainingSet:
    """One synthetic library for all who only read it."""
    return build_library()
