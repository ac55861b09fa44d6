"""Which database Python uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

import fermiloop
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What connect writes into the environment goes after each test."""
    for name in ("MONGODB_URI", "DATABASE", "DATA_DIR"):
        key = f"FERMILOOP_{name}"
        monkeypatch.setenv(key, os.environ.get(key, "unset"))
        if os.environ[key] == "unset":
            monkeypatch.delenv(key)


def test_connect_by_arguments(server_uri: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fermiloop.connect(server_uri, database=database, data_dir="here")
    assert settings().data_dir == tmp_path / "here"
    assert connection.database().name == database
    fermiloop.database.init()
    assert len(fermiloop.materials.find()) == 0
    assert fermiloop.database.stop() is False  # a server of one's own


def test_one_that_does_not_answer_changes_nothing(database: str) -> None:
    before = os.environ["FERMILOOP_MONGODB_URI"]
    with pytest.raises(DatabaseError):
        fermiloop.connect("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200")
    assert os.environ["FERMILOOP_MONGODB_URI"] == before
    assert len(fermiloop.materials.find()) == 0


def test_a_file_is_loaded(database: str, tmp_path: Path) -> None:
    fermiloop.database.init()
    Structure(Lattice.cubic(2.9), ["Al", "Ni"], [[0, 0, 0], [0.5] * 3]).to(str(tmp_path / "a.cif"))
    done = fermiloop.database.load(tmp_path / "a.cif", licence="CC0", name="mine")
    assert (done.loaded, done.quarantined) == (1, 0)
    assert fermiloop.materials.find(formula="NiAl")[0]["formula"] == "AlNi"
    assert fermiloop.database.load(tmp_path / "a.cif", licence="CC0", name="mine").already == 1
