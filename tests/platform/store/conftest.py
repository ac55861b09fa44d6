"""Crystals, methods and candidates to store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure

from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import materials, methods
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Origin

SOURCE = {"name": "test", "key": "1", "licence": "MIT"}


def build_crystal(a: str, b: str | None = None, prototype: str | None = None, volume: float = 12.0) -> Structure:
    return PROTOTYPES[prototype or ("B2" if b else "A1")].build(a, b, volume)


@pytest.fixture
def crystal() -> Callable[..., Structure]:
    """Maker of crystals: one element on A1, two on B2, or as asked."""
    return build_crystal


@pytest.fixture
def stored(database: str) -> Callable[..., str]:
    """Saver of such crystals: the material's id."""

    def save(a: str, b: str | None = None, *, origin: Origin = Origin.IMPORT, **how: Any) -> str:
        about = {key: how.pop(key) for key in ("candidate", "prototype") if key in how}
        made = build_crystal(a, b, about.get("prototype"), **how)
        return materials.save(made, origin=origin, source=SOURCE, **about)

    return save


@pytest.fixture
def method(database: str) -> str:
    """A stored method."""
    return methods.save("gpaw", "PBE", {"cutoff": 400}, {"gpaw": "26.7"})


@pytest.fixture
def other_method(database: str) -> str:
    """Another one."""
    return methods.save("chgnet", "CHGNet", {}, {})


@pytest.fixture
def proposal() -> Callable[..., Candidate]:
    """Maker of candidates, not yet saved."""

    def make(pair: tuple[str, str] = ("Ni", "Al"), number: int = 1, index: int = 0, **fields: Any) -> Candidate:
        campaign, generator = fields.pop("campaign", "pd-like"), fields.pop("generator", "substitution")
        made = build_crystal(*pair)
        formula, symbols = made.composition.reduced_formula, sorted(pair)
        return Candidate(
            id=Candidate.make_id(campaign, number, generator, index), campaign=campaign, round=number,
            generator=generator, index=index, structure=made.as_dict(), formula=formula, formula_lower=formula.lower(),
            elements=symbols, chemical_system="-".join(symbols), n_sites=len(made), seed=7, score=0.5, **fields,
        )  # fmt: skip

    return make


@pytest.fixture
def curve() -> Callable[[float], tuple[np.ndarray, np.ndarray]]:
    """Maker of a peak at an energy: points (eV) and values (states/eV/cell) of a density of states."""

    def make(centre: float) -> tuple[np.ndarray, np.ndarray]:
        x = np.linspace(-10.0, 10.0, 401)
        return x, 3 * np.exp(-((x - centre) ** 2))

    return make
