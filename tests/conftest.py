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

import pytest
from pymongo import MongoClient

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, embedded


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


@pytest.fixture(scope="session")
def quick_options() -> dict[tuple[str, str | None], dict[str, Any]]:
    """Options by name and preset under which each generator trains and proposes in a second or so."""
    voxels = {"grid": 16, "channels": 4, "max_images": 24, "attempts": 4, "threshold": 0.05}
    graphs = voxels | {"site_epochs": 5, "gan_steps": 25, "constraint_epochs": 2, "width": 32, "descent": 3}
    searches = ("random_symmetric", "genetic", "particle_swarm", "annealing", "minima_hopping", "bayesian")
    found: dict[tuple[str, str | None], dict[str, Any]] = {
        ("dos_composer", "paper"): {"epochs": 2, "potential": "none", "test_share": 0.0},
        ("dos_composer", "factorised"): {"epochs": 1, "potential": "none", "test_share": 0.0},
        ("ftcp", "paper"): {"epochs": 2, "max_sites": 6, "width": 16, "latent": 8, "test_share": 0.0},
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
        }
        | {"potential": "none", "min_stability": 0.0},
        ("ccdcgan", "paper"): graphs | {"gan_steps": 2, "batch_size": 16, "constraint_epochs": 1},
        ("ccdcgan", "compact"): graphs | {"code": 32},
        ("random_pick", None): {"potential": "none"},
    }
    calls = {"oracle_calls": 36, "calls_per_composition": 12, "relaxation_calls": 8}
    return found | {(name, None): {"potential": "analytic"} | calls for name in searches}
