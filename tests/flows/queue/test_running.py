"""How far a calculation has come, by files that programs leave; half-written ones tell nothing wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.queue import running
from fermiloop.platform.settings import settings

GPAW = """
iter:   1 12:00:01   -14.1        -1.0c
iter:   2 12:00:02   -14.233133   -1.21   -0.80
Converged after 2 iterations.
iter:   1 12:00:04   -14.4        -1.0c
iter:   2 12:00:05   -14.51       -1.21
iter:   3 12:00:0"""
OSZICAR = """       N       E                     dE             d eps       ncg     rms          rms(c)
DAV:   1     0.100000000000E+02    0.1E+02   -0.2E+03  1200   0.5E+02
DAV:   2    -0.102000000000E+02   -0.2E+02   -0.2E+02  1200   0.5E+01
   1 F= -.10200000E+02 E0= -.10200000E+02  d E =-.102000E+02
RMM:   1    -0.103000000000E+02   -0.2E+02   -0.2E+02  1200   0.5E+01
"""


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the relaxation of the calculation ``calc-1``."""
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    folder = isolation.step_folder("calc-1", "relax")
    folder.mkdir(parents=True)
    return folder


def test_gpaw_by_its_log_and_geometries(step: Path) -> None:
    assert running.progress_of("calc-1") == running.Progress("relax")
    (step / "gpaw.txt").write_text(GPAW)
    (step / "geometry.json").write_text(json.dumps({"written": 2}))
    found = running.progress_of("calc-1")
    assert found == running.Progress("relax", 2, 2, -14.51)  # the third line is half written
    assert found.sentence == "relax, SCF 2, ionic step 2"
    assert running.log_of("calc-1", 1) == "iter:   3 12:00:0"


def test_gpaw_by_its_table(step: Path) -> None:
    rows = (
        "|iter:   1| 08:51:42 |  -14.792499 | +1.63 |       |\n|iter:   2| 08:51:56 |  -14.965485c| -4.06 | -1.94 |\n"
    )
    (step / "gpaw.txt").write_text(f"|iter     |     time |      energy | eigst |  dens |\n{rows}|iter:   3| 08:5")
    assert running.progress_of("calc-1") == running.Progress("relax", 2, 1, -14.965485)


def test_vasp_by_its_oszicar(step: Path) -> None:
    attempt = step / "attempt-1"
    attempt.mkdir()
    (attempt / "OSZICAR").write_text(OSZICAR)
    assert running.progress_of("calc-1") == running.Progress("relax", 1, 2, -10.3)
    (attempt / "OSZICAR").write_text("DAV:")
    assert running.progress_of("calc-1") == running.Progress("relax")


def test_what_is_not_here_tells_nothing(step: Path) -> None:
    assert running.progress_of("elsewhere") == running.Progress()
    assert running.steps_of("elsewhere") == []
    (step / "geometry.json").write_text("{")
    (step / "gpaw.txt").write_bytes(b"\xff\x00iter:")
    assert running.progress_of("calc-1").scf is None
    isolation.add_cost(step, 2.5, "stopped")
    rows = running.steps_of("calc-1")
    assert [(row.attempts, row.outcome, row.core_seconds) for row in rows] == [(1, "stopped", 2.5)]
