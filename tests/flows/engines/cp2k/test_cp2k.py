"""CP2K's inputs without the stock settings that would be wrong, and labels out of atomate2's task document."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from atomate2 import SETTINGS
from atomate2.cp2k.schemas.calculation import Calculation, CalculationInput, CalculationOutput
from atomate2.cp2k.schemas.task import OutputSummary, TaskDocument
from fireworks import Workflow
from jobflow.managers.fireworks import flow_to_workflow
from monty.json import MontyDecoder, MontyEncoder
from pymatgen.core import Structure
from pymatgen.io.vasp.inputs import KpointsSupportedModes

from fermiloop.flows.engines.cp2k import engine as cp2k
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import EngineError
from fermiloop.platform.plugins.engines import engine
from fermiloop.platform.representations.prototypes import PROTOTYPES

NIAL = PROTOTYPES["B2"].build("Al", "Ni", 12.0)


def task_document(structure: Structure, energy: float = -20.0) -> TaskDocument:
    """What atomate2 leaves of a static CP2K run; its gap is the nonsense that its parser makes of a metal."""
    forces = [[0.0, 0.0, 0.0] for _ in structure]
    calculation = Calculation(
        dir_name="/scratch/x",
        cp2k_version="2024.1",
        has_cp2k_completed="successful",
        completed_at="2026-01-01",
        task_name="standard",
        output_file_paths={},
        input=CalculationInput(structure=structure, atomic_kind_info={}, cp2k_input={}, dft={}, cp2k_global={}),
        output=CalculationOutput(
            structure=structure,
            energy=energy,
            energy_per_atom=energy / len(structure),
            bandgap=28.3,
            efermi=5.0,
            is_metal=False,
            ionic_steps=[{"E": energy, "forces": forces, "structure": structure}],
            run_stats={"total_time": 12.0},
        ),
        run_type="PBE",
        task_type="Static",
        calc_type="PBE Static",
    )
    made = TaskDocument.from_structure(structure=structure, meta_structure=structure, include_structure=True)
    return made.model_copy(
        update={
            "structure": structure,
            "dir_name": "host:/scratch/x",
            "calcs_reversed": [calculation],
            "state": calculation.has_cp2k_completed,
            "output": OutputSummary.from_cp2k_calc_doc(calculation),
        }
    )


def again(document: Any) -> Any:
    """The document as it comes back from the job store."""
    return MontyDecoder().decode(json.dumps(document, cls=MontyEncoder))


def test_labels_are_structure_and_energy_and_no_gap() -> None:
    found = cp2k.labels_of(again(task_document(NIAL)))
    result = code_of("cp2k").results({"relax": found})
    assert result.energy_per_atom == -10.0
    assert result.structure.composition == NIAL.composition
    assert (result.gap, result.density, result.fermi_level) == (None, None, None)


def test_a_document_without_an_energy_is_refused() -> None:
    with pytest.raises(EngineError, match="holds no energy"):
        cp2k.labels_of(task_document(NIAL).model_copy(update={"output": None}))


def test_labels_that_cannot_be_read_leave_their_reason_and_its_traceback() -> None:
    broken = task_document(NIAL).model_copy(update={"output": None})
    with pytest.raises(EngineError, match="The relax of calc-c failed: the static calculation's task document holds"):
        cp2k._cp2k_labels.original("calc-c", broken)
    failure = isolation.read_failure("calc-c")
    assert failure == isolation.Failure("relax", "the static calculation's task document holds no energy")
    assert "Traceback" in isolation.failure_logs("calc-c")["relax"]


def test_labels_lie_in_the_calculations_folder_before_anybody_is_told() -> None:
    found = cp2k._cp2k_labels.original("calc-c", again(task_document(NIAL)))
    assert isolation.read_output(isolation.step_folder("calc-c", engine("cp2k").last_step)) == json.loads(
        json.dumps(found)
    )
    with pytest.raises(EngineError, match="step before failed"):
        cp2k._cp2k_labels.original("calc-c", None)


@pytest.mark.parametrize(("density", "grid"), [(0.1, (1, 1, 1)), (2.5, (7, 7, 7)), (2.6, (7, 7, 7))])
def test_the_grid_is_monkhorst_packs_of_odd_numbers(density: float, grid: tuple[int, ...]) -> None:
    found = cp2k.kpoints(NIAL, density)
    assert found.style is KpointsSupportedModes.Monkhorst
    assert tuple(found.kpts[0]) == grid


def test_the_flow_carries_functional_cutoff_and_grid_through_the_queue() -> None:
    flow = cp2k.flow("calc-c", NIAL, {"cutoff": 800}, 600.0)
    workflow = Workflow.from_dict(flow_to_workflow(flow).to_dict())
    makers = {fw.name: fw.tasks[0]["job"].maker for fw in workflow.fws if fw.name != "CP2K labels"}
    assert set(makers) == {"CP2K cell relaxation", "CP2K static"}
    for maker in makers.values():
        generator = maker.input_set_generator
        given = generator.user_input_settings
        assert (given["xc_functionals"], given["cutoff"], given["rel_cutoff"]) == ("PBE", 800.0, 60.0)
        assert given["override_default_params"]["GLOBAL"] == {"WALLTIME": 600}
        assert generator.user_kpoints_settings.style is KpointsSupportedModes.Monkhorst
        assert generator.get_input_updates(NIAL, None)["run_type"] in ("CELL_OPT", "ENERGY_FORCE")
    cell = makers["CP2K cell relaxation"].input_set_generator.user_input_settings["override_default_params"]
    assert cell["MOTION"] == {"CELL_OPT": {"KEEP_ANGLES": True}}


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(SETTINGS, "CP2K_CMD", "cp2k.none")
    monkeypatch.setattr(cp2k, "PYMATGEN_SETTINGS", {})
    monkeypatch.delenv("CP2K_DATA_DIR", raising=False)
    found = cp2k.available()
    assert not found.ready
    assert "cp2k.none is not on the PATH" in found.detail
    assert "CP2K_DATA_DIR" in found.detail
    (tmp_path / "cp2k.psmp").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CP2K_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(SETTINGS, "CP2K_CMD", "cp2k.psmp")
    assert cp2k.available().ready


def test_elements_without_a_basis_set_are_refused() -> None:
    assert cp2k.refuses(NIAL, {}) is None
    assert "no CP2K basis set for U" in str(cp2k.refuses(PROTOTYPES["A1"].build("U", None, 20.0), {}))


def test_cores_are_processes_times_threads(tmp_path: Path) -> None:
    assert cp2k.cores(tmp_path) == 1
    (tmp_path / "cp2k.out").write_text(
        " GLOBAL| Total number of message passing processes                              16\n"
        " GLOBAL| Number of threads for this process                                      2\n"
    )
    assert cp2k.cores(tmp_path) == 32


SCF = "  *** SCF run converged in    12 steps ***\n"
UNCONVERGED = "  *** WARNING in qs_scf.F:610 :: SCF run NOT converged ***\n"
DONE = " ***                    GEOMETRY OPTIMIZATION COMPLETED                     ***\n"


@pytest.mark.parametrize(
    ("text", "relaxes", "reason"),
    [
        (SCF, True, "relaxation did not converge"),
        (DONE + UNCONVERGED, True, "self-consistency did not converge"),
        (SCF + UNCONVERGED, False, "self-consistency did not converge"),
        (SCF + " *** MD run terminated - exceeded requested execution time ***\n", True, "ran out of its time"),
    ],
)
def test_a_run_that_stopped_short_is_refused(text: str, relaxes: bool, reason: str, tmp_path: Path) -> None:
    (tmp_path / "cp2k.out").write_text(text)
    with pytest.raises(EngineError, match=reason):
        cp2k.check_converged(tmp_path, relaxes=relaxes)


def test_a_run_that_came_to_its_end_is_taken(tmp_path: Path) -> None:
    (tmp_path / "cp2k.out").write_text(UNCONVERGED + SCF + DONE)
    cp2k.check_converged(tmp_path, relaxes=True)


RESTART = """ &FORCE_EVAL
   &SUBSYS
     &CELL
       A     2.9000000000000000E+00    0.0000000000000000E+00    0.0000000000000000E+00
       B     1.0000000000000000E-15    2.9000000000000000E+00    0.0000000000000000E+00
       C    -1.0000000000000000E-15    0.0000000000000000E+00    2.9000000000000000E+00
       MULTIPLE_UNIT_CELL  1 1 1
     &END CELL
     &COORD
Al_1   -8.7141947543723866E-15   -6.3654774286096854E-15   -1.0841220718137263E-14
Ni_1    1.4500000000000000E+00    1.4500000000000000E+00    1.4500000000000000E+00
     &END COORD
   &END SUBSYS
"""


@pytest.mark.parametrize("zipped", [False, True])
def test_the_geometry_of_the_restart_file_is_taken_up(zipped: bool, tmp_path: Path) -> None:
    assert cp2k.last_restart(tmp_path, NIAL) is None
    name = "CP2K-1.restart.gz" if zipped else "CP2K-1.restart"
    (tmp_path / name).write_bytes(gzip.compress(RESTART.encode()) if zipped else RESTART.encode())
    found = cp2k.last_restart(tmp_path, NIAL)
    assert found is not None
    assert found.lattice.abc == pytest.approx((2.9, 2.9, 2.9))
    assert found.frac_coords[1] == pytest.approx([0.5, 0.5, 0.5])
    assert cp2k.last_restart(tmp_path, PROTOTYPES["B2"].build("Al", "Cu", 12.0)) is None


@pytest.mark.parametrize("end", [0, 60, 200, 430, 520])
def test_a_restart_file_that_is_cut_off_is_left_aside(end: int, tmp_path: Path) -> None:
    (tmp_path / "CP2K-1.restart").write_text(RESTART[:end])
    assert cp2k.last_restart(tmp_path, NIAL) is None


def test_angles_are_kept_where_symmetry_fixes_them() -> None:
    assert cp2k.fixed_angles(PROTOTYPES["B1"].build("Na", "Cl", 22.0))
    assert cp2k.fixed_angles(PROTOTYPES["A3"].build("Ti", None, 17.0))
    stretched = NIAL.copy()
    stretched.apply_strain([0.0, 0.0, 0.05])
    assert not cp2k.fixed_angles(stretched)
