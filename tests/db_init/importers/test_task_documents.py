"""Task documents of VASP whose state says successful and that are none of the ground state, and moments as vectors."""

from __future__ import annotations

from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import task_documents
from fermiloop.db_init.importers.vasp_runs import Run
from fermiloop.platform.errors import InputError

CRYSTAL = Structure(Lattice.cubic(3.0), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]]).as_dict()
RELAXATION = "Structure Optimization"


def document(
    task: str = "Static", tags: dict[str, Any] | None = None, outcar: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    parameters = {"ENMAX": 520.0, "GGA": "PE", "NSW": 99 if task == RELAXATION else 0, **(tags or {})}
    result = {"structure": CRYSTAL, "energy": -10.0, "energy_per_atom": -5.0, "bandgap": 0.0}
    last = {
        "input": {"parameters": parameters, "incar": {}},
        "output": {**result, "outcar": outcar or {}},
        "has_vasp_completed": "successful",
    }
    return {"output": result, "calcs_reversed": [last], "task_type": task, "state": "successful", **more}


def read(output: dict[str, Any]) -> Run:
    found = task_documents.read(output, "key", "source", "CC0")
    assert isinstance(found, Run)
    return found


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (document(RELAXATION, outcar={"is_stopped": True}), "stopped before it converged"),
        (document(RELAXATION, custodian=[{"corrections": [{"errors": ["Walltime reached"]}]}]), "ran out of its time"),
        (document(RELAXATION, {"PSTRESS": 50.0}), "pressure of 50 kbar"),
        (document(tags={"ISMEAR": -2}), "occupations are given"),
    ],
)
def test_what_emmet_calls_successful_and_is_no_ground_state_is_refused(output: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        task_documents.read(output, "key", "source", "CC0")


def test_a_whole_relaxation_and_a_static_run_with_corrections_are_taken() -> None:
    assert read(document(RELAXATION, outcar={"is_stopped": False}, custodian=[{"corrections": []}])).energy == -10.0
    assert read(document(custodian=[{"corrections": [{"errors": ["Walltime reached"]}]}, None])).energy == -10.0


@pytest.mark.parametrize(
    ("tags", "total", "moment"),
    [
        ({"ISPIN": 2}, -2.5, 2.5),
        ({"LNONCOLLINEAR": True}, 1e-6, None),  # the first of three components, which pymatgen alone reads
        ({"LNONCOLLINEAR": True, "LSORBIT": True}, [0.0, 3.0, -4.0], 5.0),
    ],
)
def test_one_component_of_a_moment_is_not_taken_for_the_whole(tags: dict[str, Any], total: Any, moment: Any) -> None:
    assert read(document(tags=tags, outcar={"total_magnetization": total})).moment == moment
