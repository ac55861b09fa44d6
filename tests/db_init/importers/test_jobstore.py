"""JobStores: one that jobflow and atomate2 wrote just now, and documents in the shape of VASP's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from atomate2.ase.jobs import LennardJonesRelaxMaker, LennardJonesStaticMaker
from emmet.core.tasks import TaskDoc
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from monty.json import jsanitize
from pymatgen.core import Lattice, Structure
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import CompleteDos, Dos

from fermiloop.db_init.importers import jobstore
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra

ARGON = Structure(Lattice.from_parameters(3.8, 3.8, 3.8, 60, 60, 60), ["Ar"], [[0, 0, 0]])
SETTINGS = {"sigma": 3.4, "epsilon": 0.01, "rc": 8.0}


@pytest.fixture
def store() -> JobStore:
    """An empty JobStore in memory, curves apart."""
    made = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    made.connect()
    return made


def vasp(a: float, *, task: str = "Static", state: str = "successful", low: float = -10.0, **output: Any) -> Any:
    """Output of an atomate2 VASP job: emmet's own TaskDoc, as jobflow writes it."""
    crystal = Structure(Lattice.cubic(a), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    energies = np.linspace(low, 20.0, 901)
    dos = CompleteDos(crystal, Dos(5.0, energies, {Spin.up: np.exp(-((energies - 5.0) ** 2))}), {})
    result = {"structure": crystal, "energy": -10.0, "energy_per_atom": -5.0, "bandgap": 0.0} | output
    inputs = {"structure": crystal, "incar": {"ENCUT": 520}, "potcar_type": ["PAW_PBE"], "parameters": {}}
    document = TaskDoc.model_validate(
        {"structure": crystal, "output": result, "input": inputs, "run_type": "PBE", "vasp_objects": {"dos": dos},
         "dir_name": "x", "calcs_reversed": []}
    )  # fmt: skip
    return jsanitize(document, strict=True, enum_values=True) | {"task_type": task, "state": state}


def put(store: JobStore, uuid: str, output: Any) -> None:
    row = {"uuid": uuid, "index": 1, "output": output, "name": uuid, "metadata": {}, "completed_at": "2026-11-01"}
    store.update(row, save={"data": ["dos"]})


def test_what_atomate2_wrote_comes_in_once(database: str, store: JobStore, tmp_path: Path) -> None:
    relax = LennardJonesRelaxMaker(calculator_kwargs=SETTINGS, steps=50).make(ARGON)
    static = LennardJonesStaticMaker(calculator_kwargs=SETTINGS).make(ARGON.copy().scale_lattice(45.0))
    run_locally(Flow([relax, static]), store=store, log=False, root_dir=tmp_path, create_folders=True)
    assert jobstore.load("mine", store=store, options=LoadOptions(licence="CC0")) == LoadReport(2, 0, 0)
    found = materials.find(materials.MaterialQuery())
    known = [label for material in found for label in labels.of_material(material.id)]
    assert {str(label.property) for label in known} == {"energy_per_atom"}
    assert {(m.functional, m.settings["task"], m.settings["licence"]) for m in methods.of_engine("external")} == {
        ("lennardjones", "relax", "CC0"), ("lennardjones", "static", "CC0"),
    }  # fmt: skip
    assert jobstore.load("mine", store=store, options=LoadOptions(licence="CC0")) == LoadReport(0, 2, 0)


def test_documents_of_vasp_give_energies_gap_and_curve_from_the_data_store(database: str, store: JobStore) -> None:
    put(store, "static", vasp(2.9))
    put(store, "relax", vasp(2.95, task="Structure Optimization"))
    put(store, "line", vasp(2.9, task="NSCF Line"))
    put(store, "other", {"anything": 1})
    put(store, "none", None)
    assert store.query_one({"uuid": "static"})["output"]["vasp_objects"]["dos"].keys() >= {"blob_uuid"}
    assert jobstore.load("mine", store=store) == LoadReport(2, 0, 0)
    found = {m.source["key"]: m for m in materials.find(materials.MaterialQuery())}
    assert set(found) == {"static/1", "relax/1"}
    known = {str(one.property): one for one in labels.of_material(found["static/1"].id)}
    assert {name: one.value for name, one in known.items()} == {
        "energy_per_atom": -5.0, "band_gap": 0.0, "fermi_level": 5.0,
    }  # fmt: skip
    method = methods.get(known["band_gap"].method)
    assert method.functional == "PBE (VASP)"
    assert method.settings == {
        "source": "JobStore", "licence": "unknown", "task": "static", "cutoff": 520.0, "potentials": "PAW_PBE",
    }  # fmt: skip
    curve = spectra.of_material(found["static/1"].id, method=method.id)
    assert curve is not None
    assert np.trapezoid(curve.array(), curve.points()) == pytest.approx(np.sqrt(np.pi), rel=1e-3)


def test_bad_documents_are_told(database: str, store: JobStore) -> None:
    put(store, "good", vasp(2.9))
    put(store, "failed", vasp(3.0, state="failed"))
    put(store, "wrong", vasp(3.1, bandgap=-7.0))
    put(store, "short", vasp(3.2, low=0.0))
    assert jobstore.load("mine", store=store) == LoadReport(2, 0, 3)
    reasons = {entry.excerpt.partition(":")[0]: entry.reason for entry in quarantine.find("mine")}
    assert set(reasons) == {"failed/1", "wrong/1", "short/1"}
    assert "ended as failed" in reasons["failed/1"]
    assert "density of states left out" in reasons["short/1"]


def test_a_json_store_and_a_configuration_name_one(database: str, tmp_path: Path) -> None:
    rows = [{"uuid": "u", "index": 1, "output": vasp(2.9), "completed_at": "2026-11-01"}]
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(rows))
    assert jobstore.load(str(path)) == LoadReport(1, 0, 0)
    config = tmp_path / "jobflow.yaml"
    config.write_text(yaml.safe_dump({"JOB_STORE": {"docs_store": {"type": "JSONStore", "paths": str(path)}}}))
    assert jobstore.load(str(config)) == LoadReport(0, 1, 0)
    assert json.loads(path.read_text()) == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("docs_store: {type: S3Store, bucket: b}", "'S3Store' is not read"),
        ("docs_store: {type: MongoStore, database: d, ssh_tunnel: {type: SSHTunnel}}", "is not read"),
        ("'@module': os\n'@class': system", "no docs_store"),
        ("!!python/object/apply:os.system [true]", "cannot be read"),
        ("docs_store: [1]", "no docs_store"),
        ("docs_store: {type: MongoStore}\nadditional_stores: {data: 5}", "is not read"),
        ("docs_store: {type: MongoStore, colour: red}", "cannot be made"),
        ("- 1", "no docs_store"),
    ],
)
def test_a_configuration_may_name_only_known_stores(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "jobflow.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        jobstore.load(str(path))


def test_a_store_that_does_not_answer_is_told_without_its_password() -> None:
    with pytest.raises(InputError, match="write mongodb://host/database/collection"):
        jobstore.load("mongodb://me:s3cret@localhost/database")
    with pytest.raises(FailureError) as caught:
        jobstore.load("mongodb://me:s3cret@127.0.0.1:9/database/outputs?serverSelectionTimeoutMS=100")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(InputError, match="There is no file"):
        jobstore.load("nowhere.yaml")
