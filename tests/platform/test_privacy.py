"""What other users of the machine can read: nothing, or what the group may."""

from __future__ import annotations

import grp
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.steps import isolation
from fermiloop.platform import privacy
from fermiloop.platform.errors import InputError
from fermiloop.platform.settings import settings

ROOT = Path(__file__).parents[2]
AL = Structure(Lattice.cubic(4.05), ["Al"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The umask of most systems before, and as it was after."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def data() -> Path:
    """A data folder as an older version left it."""
    root = settings().data_dir
    for name in ("logs", "calculations/calc-1/relax", "launches/a", "trainings/b", "database/files", "queue"):
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text("x")
    (root / "logs" / "run.sh").write_text("x")
    (root / "logs" / "run.sh").chmod(0o755)
    return root


def modes(root: Path) -> dict[str, int]:
    found = [root, *root.rglob("*")]
    return {str(path.relative_to(root)): stat.S_IMODE(path.lstat().st_mode) for path in found if not path.is_symlink()}


def is_open(root: Path) -> list[str]:
    return [name for name, mode in modes(root).items() if mode & 0o077]


def set_group(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("FERMILOOP_SHARED_GROUP", name)
    settings.cache_clear()


def test_a_folder_of_before_is_closed_and_that_is_told_once(data: Path) -> None:
    told = privacy.protect()
    assert told is not None
    assert told.startswith(f"The data folder {data} is closed to other users of this machine now: ")
    assert is_open(data) == []
    assert modes(data)["logs/file"] == 0o600
    assert modes(data)["logs/run.sh"] == 0o700
    assert modes(data)["calculations/calc-1/relax"] == 0o700
    assert privacy.protect() is None
    (data / "new").mkdir()
    (data / "new" / "file").write_text("x")
    assert is_open(data) == []


def test_a_group_may_read_and_write_all_but_what_holds_passwords(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = grp.getgrgid(os.getegid()).gr_name
    set_group(monkeypatch, group)
    assert "all but the group" in str(privacy.protect())
    found = modes(data)
    assert found["."] == found["calculations/calc-1"] == found["logs"] == 0o2770
    assert found["logs/file"] == 0o660
    assert found["logs/run.sh"] == 0o770
    assert found["database"] == found["queue"] == found["database/files"] == 0o700
    assert found["database/files/file"] == found["queue/file"] == 0o600
    assert privacy.protect() is None
    (data / "logs" / "more").mkdir()
    assert modes(data)["logs/more"] & 0o7077 == 0o2070
    monkeypatch.delenv("FERMILOOP_SHARED_GROUP")
    settings.cache_clear()
    assert privacy.protect() is not None
    assert is_open(data) == []


def test_a_group_that_is_none_or_not_ours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    set_group(monkeypatch, "no-such-group")
    with pytest.raises(InputError, match="FERMILOOP_SHARED_GROUP"):
        privacy.protect()
    monkeypatch.setattr(privacy.os, "geteuid", lambda: 12345)
    monkeypatch.setattr(privacy.os, "getegid", lambda: 12345)
    monkeypatch.setattr(privacy.os, "getgroups", list)
    set_group(monkeypatch, grp.getgrgid(0).gr_name)
    with pytest.raises(InputError, match="not in the group"):
        privacy.protect()


def test_a_folder_that_holds_other_things_keeps_its_own_mode(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (data / "mine").write_text("x")
    monkeypatch.setenv("HOME", str(data))
    assert privacy.protect() is not None
    assert stat.S_IMODE(data.stat().st_mode) == 0o755
    assert stat.S_IMODE((data / "mine").stat().st_mode) == 0o644
    assert is_open(data / "logs") == []
    monkeypatch.setenv("HOME", str(tmp_path))
    data.chmod(0o1777)  # such as /tmp
    assert privacy.protect() is None
    assert stat.S_IMODE(data.stat().st_mode) == 0o1777


def test_links_and_what_belongs_to_others_are_left(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (data / "logs" / "link").symlink_to(outside)
    privacy.protect()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755
    (data / "logs").chmod(0o755)
    monkeypatch.setattr(privacy.os, "geteuid", lambda: 12345)
    assert privacy.protect() is None


def test_settings_that_do_not_hold_are_told_by_who_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERMILOOP_NONSENSE", "1")
    settings.cache_clear()
    assert privacy.protect() is None
    assert os.umask(0o022) == 0o077


@pytest.mark.slow
@pytest.mark.usefixtures("database")
def test_what_commands_workers_and_calculations_write_is_private(data: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".src")}
    python, dump = [sys.executable, "-W", "ignore", "-m"], tmp_path / "dump"
    command = [*python, "fermiloop.platform.cli.main", "db", "dump", str(dump)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("is closed to other users") == 1
    assert any(path.is_file() for path in dump.rglob("*"))
    assert is_open(dump) == is_open(data) == []
    worker = [*python, "fermiloop.flows.driving.worker_process", "--until-idle"]
    assert subprocess.run(worker, env=environment, timeout=120).returncode == 0
    os.umask(0o077)  # as the worker's, whose child it is
    isolation.run(
        "calc-a", "relax", {"kind": "analytic_relax", "structure": AL.as_dict(), "fmax": 0.05, "steps": 200}, 60
    )
    assert len(list((data / "logs").glob("worker-*~*~*.log"))) == 1
    assert (data / "calculations" / "calc-a" / "relax" / isolation.OUTPUT).exists()
    assert is_open(data) == []
