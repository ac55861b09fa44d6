"""A relaxation that was killed goes on from its last geometry; what a kill left behind is never trusted blindly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.flows.engines.steps import geometry, isolation, native, orphans, tasks
from fermiloop.flows.engines.steps.geometry import GeometryFile, last_geometry
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.representations.prototypes import PROTOTYPES

CRYSTAL = PROTOTYPES["B2"].build("Al", "Ni", 13.0)


def rattled() -> Structure:
    """A cell far from its minimum: dozens of steps."""
    found = PROTOTYPES["L1_2"].build("Ti", "Cu", 17.0)
    found.make_supercell([2, 1, 1])
    found.perturb(0.2, seed=3)
    return found


def test_every_step_leaves_the_geometry_that_the_optimiser_came_to(tmp_path: Path) -> None:
    kept = GeometryFile(tmp_path)
    found = relax(AnalyticPotential(), CRYSTAL, fmax=0.01, steps=7, trajectory=kept)
    assert kept.written == found.steps + 1
    left = last_geometry(tmp_path, CRYSTAL)
    assert left is not None
    assert left.lattice.a == pytest.approx(found.structure.lattice.a, abs=1e-6)


def test_plain_atoms_and_filters_are_kept_alike(tmp_path: Path) -> None:
    atoms = AseAtomsAdaptor.get_atoms(CRYSTAL)
    atoms.calc = AnalyticPotential().calculator()
    for moved in (atoms, FrechetCellFilter(atoms)):
        BFGS(moved, logfile=None, trajectory=GeometryFile(tmp_path)).run(fmax=1e-4, steps=2)
        assert last_geometry(tmp_path, CRYSTAL) is not None


@pytest.mark.parametrize(
    "left", ["", "{", "[]", "{}", '{"structure": 3}', json.dumps({"structure": {"sites": []}})], ids=str
)
def test_what_cannot_be_read_is_no_geometry(left: str, tmp_path: Path) -> None:
    (tmp_path / geometry.FILE).write_text(left)
    assert last_geometry(tmp_path, CRYSTAL) is None


def test_the_geometry_of_other_atoms_is_left_aside(tmp_path: Path) -> None:
    GeometryFile(tmp_path).write(AseAtomsAdaptor.get_atoms(CRYSTAL))
    assert last_geometry(tmp_path, PROTOTYPES["B2"].build("Al", "Cu", 13.0)) is None
    assert last_geometry(tmp_path, CRYSTAL) is not None


def test_a_task_that_is_run_again_takes_fewer_steps_to_the_same_minimum(tmp_path: Path) -> None:
    task = {"structure": rattled().as_dict(), "fmax": 0.02, "steps": 400}
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = tasks.analytic_relax(task, tmp_path / "whole")
    relax(AnalyticPotential(), rattled(), 0.02, whole["steps"] // 2, trajectory=GeometryFile(tmp_path / "cut"))
    resumed = tasks.analytic_relax(task, tmp_path / "cut")
    assert resumed["resumed"]
    assert not whole["resumed"]
    assert resumed["steps"] < whole["steps"]
    assert resumed["energy"] == pytest.approx(whole["energy"], abs=0.01)


def start(folder: Path, task: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A worker that runs the task of a calculation, in a group of processes of its own."""
    code = (
        "import json, sys\nfrom fermiloop.flows.engines.steps import isolation\n"
        "isolation.run('calc-cut', 'relax', json.loads(sys.argv[1]), 150)"
    )
    environment = {**os.environ, "FERMILOOP_DATA_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, json.dumps(task)], env=environment)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(240)
def test_chgnet_killed_in_the_middle_of_a_relaxation_goes_on_from_there(tmp_path: Path) -> None:
    task = {"kind": "chgnet_relax", "structure": rattled().as_dict(), "fmax": 0.01, "steps": 500}
    assert start(tmp_path / "whole", task).wait(120) == 0
    whole = isolation.read_output(tmp_path / "whole" / "calculations" / "calc-cut" / "relax")
    assert whole is not None

    folder = tmp_path / "cut" / "calculations" / "calc-cut" / "relax"
    worker = start(tmp_path / "cut", task)
    deadline = time.monotonic() + 90
    written = 0
    while written < whole["steps"] * 2 // 3:
        assert time.monotonic() < deadline
        assert worker.poll() is None
        time.sleep(0.02)
        if (folder / geometry.FILE).exists():
            written = json.loads((folder / geometry.FILE).read_text())["written"]
    (child,) = orphans.working_in(folder)
    os.kill(worker.pid, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    worker.wait()
    assert isolation.read_output(folder) is None

    assert start(tmp_path / "cut", task).wait(120) == 0
    resumed = isolation.read_output(folder)
    assert resumed is not None
    assert resumed["resumed"]
    assert resumed["steps"] < whole["steps"] * 2 / 3
    assert resumed["energy"] == pytest.approx(whole["energy"], abs=0.02 * len(rattled()))


def test_a_program_that_goes_on_begins_with_the_moments_that_were_asked_for(tmp_path: Path) -> None:
    asked = Structure(
        Lattice.cubic(4.0), ["O", "Fe", "O", "Fe"], [[0.5, 0, 0], [0, 0, 0], [0, 0.5, 0.5], [0.5, 0.5, 0.5]],
        site_properties={"magmom": [0.0, 4.0, 0.1, -4.0]},
    )  # fmt: skip
    order = [3, 1, 2, 0]  # as programs write atoms: by element, and in groups of their own
    left = Structure(
        Lattice.cubic(3.9),
        [asked[n].specie for n in order],
        [asked[n].frac_coords + 0.01 - 1.0 * (n == 1) for n in order],
    )
    found = native.last_of([tmp_path], lambda *_: left, asked)
    assert found.site_properties["magmom"] == [-4.0, 4.0, 0.1, 0.0]
    assert found.volume == pytest.approx(3.9**3)
    assert native.last_of([tmp_path], lambda *_: None, asked) is asked
    asked.remove_site_property("magmom")
    assert "magmom" not in native.last_of([tmp_path], lambda *_: left.copy(), asked).site_properties
