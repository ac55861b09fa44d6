"""What is there, and what to do about what is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packages import install, on_path

from fermiloop.platform.cli import doctor
from fermiloop.platform.plugins.examining import catalogues


def test_every_row_says_what_to_do_where_something_is_missing(cli: Callable[..., Any], database: str) -> None:
    found = cli("doctor", "--json")
    content = found.json()
    assert content["ok"]
    names = [row["name"] for row in content["checks"]]
    assert {"Python", "C++ compiler", "torch", "GPAW", "data folder", "database", "engine gpaw"} <= set(names)
    assert {row["name"] for row in content["checks"] if row["ok"]} >= {"Python", "database", "engine analytic"}
    for row in content["checks"]:
        assert row["found"]
        assert bool(row["remedy"]) != row["ok"]
        assert row["ok"] or row["remedy"].endswith(".")


def test_a_database_that_does_not_answer_is_a_row(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", "mongodb://me:secret@127.0.0.1:9/?serverSelectionTimeoutMS=100")
    found = cli("doctor", "--json")
    (row,) = [row for row in found.json()["checks"] if row["name"] == "database"]
    assert found.code == 1
    assert "127.0.0.1:9" in row["remedy"]
    assert "secret" not in found.out


def test_a_setting_that_does_not_hold_is_a_row(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERMILOOP_THREDS", "2")
    found = cli("doctor", "--json")
    (row,) = [row for row in found.json()["checks"] if row["name"] == "settings"]
    assert "FERMILOOP_THREADS" in row["remedy"]
    assert found.code == 1


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "package_version", lambda name: None)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    checks = {check.name: check for check in doctor.installed()}
    assert not checks["torch"].ok
    assert "pip install torch" in checks["torch"].remedy
    assert "build-essential" in checks["C++ compiler"].remedy
    assert not checks["GPAW"].basic


def test_a_full_data_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1024})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    row = doctor._data_folder()
    assert not row.ok
    assert "2 GiB" in row.remedy


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    folder = tmp_path / "packages"
    folder.mkdir()
    declared = (
        "from fermiloop.platform.plugins.acquisitions import AcquisitionDeclaration\n"
        "GOOD = AcquisitionDeclaration('good', 'a test', load='doctored:Good', when='Never.')\n"
        "LATE = AcquisitionDeclaration('late', 'a test', load='no_such_package:Late', when='Never.')\n"
        "class Good: pass\n"
    )
    entries = {"good": "doctored:GOOD", "late": "doctored:LATE", "gone": "doctored:GONE"}
    groups = {"fermiloop.acquisitions": entries, "fermiloop.stages": {"good": "doctored:GOOD"}}
    install(folder, "doctored-group", {"doctored": declared}, groups, "2.0")
    on_path(monkeypatch, folder)
    for catalogue in catalogues().values():
        catalogue.reload()
    yield
    for catalogue in catalogues().values():
        catalogue.reload()
    sys.modules.pop("doctored", None)


def test_what_packages_add_is_listed_and_what_is_broken_with_its_reason(
    group: None, cli: Callable[..., Any], database: str
) -> None:
    found = cli("doctor", "--json").json()
    assert found["ok"]  # a broken plug-in hurts nobody else
    rows = {(row["kind"], row["name"]): row for row in found["plugins"]}
    assert {key: row["fault"] for key, row in rows.items()} == {
        ("acquisitions", "good"): "",
        ("acquisitions", "late"): "no_such_package cannot be imported (ModuleNotFoundError: No module named "
        "'no_such_package').",
        ("acquisitions", "gone"): "doctored has no GONE.",
        ("stages", "good"): "doctored:GOOD is AcquisitionDeclaration and no StageDeclaration",
    }
    assert {(row["package"], row["version"]) for row in rows.values()} == {("doctored-group", "2.0")}
    out = cli("doctor").out
    assert "Plug-ins" in out
    assert "doctored-group" in out


def test_every_kind_has_one_catalogue() -> None:
    assert set(catalogues()) >= {"generators", "acquisitions", "surrogates", "stages", "importers"}


def test_version_names_all(cli: Callable[..., Any]) -> None:
    versions = cli("version", "--json").json()
    assert versions["python"].startswith("3.")
    assert versions["numpy"]
    assert "torch" in cli("version").out
