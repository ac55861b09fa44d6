"""Fixtures for all: a real database server for the session, a database of its own for each test."""

from __future__ import annotations

import datetime as dt
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as property_settings
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from pymongo import MongoClient

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, embedded

# how long an example takes says how busy the machine is, not whether the property holds
property_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
property_settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith("FERMILOOP_") and not name.startswith("FERMILOOP_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MongoDB server: the one named by FERMILOOP_TEST_MONGODB_URI, or an embedded one."""
    given = os.environ.get("FERMILOOP_TEST_MONGODB_URI")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERMILOOP_EMBEDDED_SYNC", "false")
        settings.cache_clear()
        uri = embedded.ensure(folder)
    settings.cache_clear()
    yield uri
    embedded.stop(folder)


@pytest.fixture
def database(server_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of this test's own, connected; its name."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", server_uri)
    monkeypatch.setenv("FERMILOOP_DATABASE", name)
    settings.cache_clear()
    connection.connect()
    yield name
    connection.disconnect()
    with MongoClient(server_uri) as client:
        client.drop_database(name)


@pytest.fixture
def shift_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Setter of this process's clock, in minutes from the right time, for all of ours and of FireWorks that asks it."""
    by = {"minutes": 0.0}

    class OfEither(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, datetime)

    class Shifted(datetime, metaclass=OfEither):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(**by)

        @classmethod
        def utcnow(cls) -> datetime:
            return datetime.now(UTC).replace(tzinfo=None) + timedelta(**by)

    for name, module in list(sys.modules.items()):
        if not name.startswith(("fermiloop.", "fireworks.")):
            continue
        if vars(module).get("datetime") is datetime:
            monkeypatch.setattr(module, "datetime", Shifted)
        elif vars(module).get("datetime") is dt:
            shifted = SimpleNamespace(**{**vars(dt), "datetime": Shifted})
            monkeypatch.setattr(module, "datetime", shifted)

    def shift(minutes: float) -> None:
        by["minutes"] = minutes

    return shift


PROGRAM = Path(__file__).parent.parent / "examples" / "command_generator" / "propose.py"


@pytest.fixture(scope="session")
def quick_options() -> dict[tuple[str, str | None], dict[str, Any]]:
    """Options by name and preset under which each generator trains and proposes in a second or so."""
    voxels = {"grid": 16, "channels": 4, "max_images": 24, "attempts": 4, "threshold": 0.05}
    graphs = voxels | {"site_epochs": 5, "gan_steps": 25, "constraint_epochs": 2, "width": 32, "descent": 3}
    plain = ("random_symmetric", "genetic", "particle_swarm", "annealing", "minima_hopping", "bayesian")
    searches = (*plain, "variable_composition")
    found: dict[tuple[str, str | None], dict[str, Any]] = {
        ("dos_composer", "paper"): {"epochs": 2, "potential": "none", "test_share": 0.0},
        ("dos_composer", "regression"): {"epochs": 2, "potential": "none", "test_share": 0.0},
        ("dos_composer", "factorised"): {"epochs": 1, "potential": "none", "test_share": 0.0},
        ("ftcp", "paper"): {"epochs": 2, "max_sites": 6, "width": 16, "latent": 8, "test_share": 0.0, "oversample": 5},
        ("ftcp", "convolutional"): {"epochs": 2, "max_sites": 6, "width": 16, "latent": 8, "test_share": 0.0},
        ("ftcp", "structured"): {"epochs": 30, "max_sites": 6, "width": 64, "latent": 16, "test_share": 0.0},
        ("imatgen", None): voxels
        | {
            "code": 32,
            "latent": 16,
            "hidden": 32,
            "epochs": 3,
            "generator_epochs": 20,
            "cell_epochs": 4,
            "max_cells": 30,
            "augment": False,
            "threshold": 0.25,
        }
        | {"potential": "none", "min_stability": 0.0},
        ("imatgen", "paper"): voxels
        | {"cell_grid": 8, "code": 16, "cell_code": 8, "latent": 8, "epochs": 2, "cell_epochs": 2}
        | {"generator_epochs": 4, "potential": "none", "min_stability": 0.0},
        ("ccdcgan", "graph"): graphs
        | {"cell_grid": 16, "cell_epochs": 2, "gan_steps": 2, "batch_size": 16, "constraint_epochs": 1}
        | {"latent": 64},
        ("ccdcgan", "paper"): graphs
        | {"cell_grid": 8, "site_epochs": 1, "cell_epochs": 1, "epoch_images": 8, "latent": 64}
        | {"gan_steps": 2, "batch_size": 2, "constraint_epochs": 1},
        ("ccdcgan", "compact"): graphs | {"code": 32},
        ("random_pick", None): {"potential": "none"},
        ("command", None): {step: [sys.executable, str(PROGRAM), step] for step in ("fit", "sample")},
    }
    calls = {"oracle_calls": 36, "calls_per_composition": 12, "relaxation_calls": 8}
    return found | {(name, None): {"potential": "analytic"} | calls for name in searches}


NOISE = 1e-3  # Å


def _ten() -> dict[str, Structure]:
    group, cubic = Structure.from_spacegroup, Lattice.cubic
    low = [[0.1, 0.2, 0.3], [0.6, 0.71, 0.82], [0.35, 0.1, 0.6], [0.8, 0.4, 0.55], [0.15, 0.6, 0.9]]
    gallia = [[0.09, 0, 0.79], [0.34, 0, 0.68], [0.16, 0, 0.1], [0.49, 0, 0.26], [0.83, 0, 0.44]]
    tilted = [[0.036, 0.25, 0.993], [0, 0, 0.5], [0.484, 0.25, 0.071], [0.289, 0.037, 0.711]]
    return {
        "fcc": group("Fm-3m", cubic(3.61), ["Cu"], [[0, 0, 0]]),
        "bcc": group("Im-3m", cubic(2.87), ["Fe"], [[0, 0, 0]]),
        "hcp": group("P6_3/mmc", Lattice.hexagonal(3.2, 5.2), ["Mg"], [[1 / 3, 2 / 3, 0.25]]),
        "rocksalt": group("Fm-3m", cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        "perovskite": group("Pm-3m", cubic(3.905), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]),
        "spinel": group("Fd-3m", cubic(8.08), ["Mg", "Al", "O"], [[0] * 3, [5 / 8] * 3, [0.3874] * 3]),
        "triclinic": Structure(Lattice.from_parameters(5.1, 6.3, 7.2, 83, 77, 96), ["Ca", "Si", "O", "O", "O"], low),
        "rhombohedral": group("R-3c", Lattice.hexagonal(4.76, 12.99), ["Al", "O"], [[0, 0, 0.352], [0.306, 0, 0.25]]),
        "monoclinic": group("C2/m", Lattice.monoclinic(12.2, 3.04, 5.8, 103.8), ["Ga", "Ga", "O", "O", "O"], gallia),
        "free": group("Pnma", Lattice.orthorhombic(5.38, 7.64, 5.44), ["Ca", "Ti", "O", "O"], tilted),
    }


def _nine(crystal: Structure, rng: np.random.Generator) -> dict[str, Structure]:
    analyser = SpacegroupAnalyzer(crystal)
    primitive, conventional = (
        analyser.get_primitive_standard_structure(),
        analyser.get_conventional_standard_structure(),
    )
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    order = rng.permutation(len(conventional))
    swapped = [1, 0, 2]
    cells = {
        "primitive": primitive,
        "conventional": conventional,
        "supercell": primitive * [[2, 0, 0], [0, 1, 0], [1, 0, 1]],
        "rotated": Structure(
            Lattice(conventional.lattice.matrix @ turn.T), conventional.species, conventional.frac_coords
        ),
        "Niggli": primitive.get_reduced_structure("niggli"),
        "shifted": Structure(primitive.lattice, primitive.species, primitive.frac_coords + rng.random(3)),
        "left-handed": Structure(
            Lattice(primitive.lattice.matrix[swapped]), primitive.species, primitive.frac_coords[:, swapped]
        ),
        "permuted": Structure.from_sites([conventional[i] for i in order]),
        "noise": _noisy(conventional, rng),
    }
    assert np.linalg.det(cells["left-handed"].lattice.matrix) < 0
    return cells


def _noisy(crystal: Structure, rng: np.random.Generator, size: float = NOISE) -> Structure:
    return Structure(
        crystal.lattice.matrix + rng.normal(0, size, (3, 3)),
        crystal.species,
        crystal.cart_coords + rng.normal(0, size, (len(crystal), 3)),
        coords_are_cartesian=True,
    )


@pytest.fixture(scope="session")
def ten_crystals() -> dict[str, Structure]:
    """Crystals of ten kinds, from cubic to triclinic, conventional where they have such a cell."""
    return _ten()


@pytest.fixture(scope="session")
def nine_settings() -> Callable[[Structure, np.random.Generator], dict[str, Structure]]:
    """Maker of nine cells of one crystal."""
    return _nine


@pytest.fixture(scope="session")
def noisy() -> Callable[..., Structure]:
    """Maker of a crystal with normally distributed noise on cell and atoms, 1e-3 Å wide."""
    return _noisy
