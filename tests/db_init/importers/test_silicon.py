"""One silicon, three ways in: the engine's adapter, a JobStore, and vasprun.xml; energy, gap and curve are the same."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobflow import JobStore
from maggma.stores import MemoryStore
from monty.json import jsanitize

from fermiloop.db_init.importers import dispatch, jobstore
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.flows.engines.vasp.engine import VaspSettings
from fermiloop.flows.engines.vasp.labels import labels_of
from fermiloop.platform.representations.spectrum import DOS_GRID, cosine
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra

ENERGY, GAP = -5.425186, 0.6503
Documents = dict[str, Any]
Outputs = Callable[[str], Documents]


def opened() -> JobStore:
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    store.connect()
    return store


def fill(store: JobStore, **outputs: Documents) -> JobStore:
    for uuid, one in outputs.items():
        row = {"uuid": uuid, "index": 1, "output": one, "name": uuid, "metadata": {}, "completed_at": "2026-11-01"}
        store.update(json.loads(json.dumps(row)), save={"data": ["dos"]})
    return store


def stored(source: str, task: str = "static") -> tuple[dict[str, float], Any, Any]:
    """Labels, curve and Method of the only material, as one source gives them."""
    (material,) = materials.find(materials.MaterialQuery())
    rows = [(one, methods.get(one.method)) for one in labels.of_material(material.id)]
    mine = [(one, of) for one, of in rows if (of.settings["source"], of.settings["task"]) == (source, task)]
    method = mine[0][1]
    curve = spectra.of_material(material.id, method=method.id)
    values = {str(one.property): one.value for one, _ in mine}
    assert len(values) == len(mine)
    return values, curve, method


def on_grid(curve: Any) -> Any:
    return np.interp(DOS_GRID.points, curve.points(), curve.array())


def test_silicon_is_the_same_by_engine_job_store_and_vasprun(
    database: str, documents: Documents, silicon: Path, tmp_path: Path
) -> None:
    engine = labels_of(documents["scf"], documents["dos"], asdict(VaspSettings()))
    whole = {name: jsanitize(documents[name], strict=True, enum_values=True) for name in ("scf", "dos")}
    assert jobstore.load("S", store=fill(opened(), **whole)) == LoadReport(1, 0, 0)
    for name in ("scf", "dos"):
        shutil.copytree(silicon / name, tmp_path / "runs" / name)
    assert dispatch.load(str(tmp_path / "runs"), options=LoadOptions(source="files")) == LoadReport(0, 1, 0)
    theirs = np.interp(DOS_GRID.points, engine["energies"], engine["density"])
    per_atom = engine["energy"] / len(engine["structure"]["sites"])
    (by_store, store_curve, store_method), (by_file, file_curve, file_method) = stored("JobStore"), stored("files")
    assert by_store == pytest.approx(by_file, abs=1e-6)
    for values, curve in ((by_store, store_curve), (by_file, file_curve)):
        assert values["energy_per_atom"] == pytest.approx(per_atom, abs=1e-6) == pytest.approx(ENERGY, abs=1e-6)
        assert values["band_gap"] == pytest.approx(engine["gap"], abs=1e-6) == pytest.approx(GAP, abs=1e-4)
        assert float(cosine(on_grid(curve), theirs)) >= 0.99
    assert float(cosine(on_grid(store_curve), on_grid(file_curve))) > 0.9999
    assert dict(store_method.settings) | {"source": ""} == dict(file_method.settings) | {"source": ""}
    assert store_method.functional == file_method.functional == "PBE (VASP)"


def test_both_importers_write_the_same_method(database: str, outputs: Outputs, silicon: Path) -> None:
    jobstore.load("S", store=fill(opened(), a=outputs("Fe")), options=LoadOptions(source="S", licence="CC0"))
    dispatch.load(str(silicon / "Fe" / "vasprun.xml"), options=LoadOptions(source="S", licence="CC0"))
    (method,) = methods.of_engine("external")
    assert method.functional == "RPBE (VASP)"
    assert dict(method.settings) == {
        "source": "S", "licence": "CC0", "task": "static", "cutoff": 450.0, "potentials": "PAW_PBE (Fe)",
    }  # fmt: skip
    values, _, _ = stored("S")
    (material,) = materials.find(materials.MaterialQuery())
    assert values["magnetic_moment"] * 4 / material.n_sites == pytest.approx(9.165, abs=1e-3)
    assert quarantine.find() == []


@pytest.mark.parametrize("names", list(itertools.permutations("abc"))[::2])
@pytest.mark.parametrize("chunk", [1, 20])
def test_the_uuid_decides_nothing(
    database: str, outputs: Outputs, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], chunk: int
) -> None:
    monkeypatch.setattr(jobstore, "CHUNK", chunk)
    given = [outputs("scf"), outputs("dos"), outputs("relax1")]
    jobstore.load("S", store=fill(opened(), **dict(zip(names, given, strict=True))))
    values, curve, _ = stored("JobStore")
    assert values == {
        "energy_per_atom": pytest.approx(ENERGY, abs=1e-6), "band_gap": pytest.approx(GAP, abs=1e-4),
        "fermi_level": pytest.approx(5.9249, abs=1e-4), "magnetic_moment": pytest.approx(0.0, abs=1e-3),
    }  # fmt: skip
    occupied = (curve.points() > -10.01) & (curve.points() < 0.01)
    assert float(np.trapezoid(curve.array()[occupied], curve.points()[occupied])) == pytest.approx(7.178, abs=0.01)
    assert stored("JobStore", "relax")[0]["energy_per_atom"] == pytest.approx(-5.425218, abs=1e-6)


def test_a_json_store_of_genuine_documents(database: str, outputs: Outputs, tmp_path: Path) -> None:
    rows = [
        {"uuid": name, "index": 1, "output": outputs(name), "completed_at": "2026-11-01"} for name in ("dos", "scf")
    ]
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(rows))
    assert jobstore.load(str(path)) == LoadReport(1, 0, 0)
    assert jobstore.load(str(path)) == LoadReport(0, 1, 0)
    values, curve, _ = stored("JobStore")
    assert (values["energy_per_atom"], values["band_gap"]) == (
        pytest.approx(ENERGY, abs=1e-6), pytest.approx(GAP, abs=1e-4),
    )  # fmt: skip
    assert curve is not None


def test_a_uniform_calculation_that_comes_later_brings_the_next_version(database: str, outputs: Outputs) -> None:
    store = fill(opened(), b=outputs("scf"))
    jobstore.load("S", store=store)
    first = stored("JobStore")[0]
    assert first["band_gap"] == pytest.approx(0.6172, abs=1e-4)
    jobstore.load("S", store=fill(store, a=outputs("dos")))
    (material,) = materials.find(materials.MaterialQuery())
    gaps = [(x.version, x.value) for x in labels.of_material(material.id) if x.property == "band_gap"]
    assert gaps == [(1, pytest.approx(0.6172, abs=1e-4)), (2, pytest.approx(GAP, abs=1e-4))]


def failed_loop(one: Documents) -> None:
    steps = one["calcs_reversed"][0]["output"]["ionic_steps"][-1]["electronic_steps"]
    steps += steps * 19


def without_state(one: Documents) -> None:
    one["state"] = one["calcs_reversed"][0]["has_vasp_completed"] = None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (failed_loop, "electronic loop did not converge in 260 steps"),
        (lambda one: one.update(state="failed"), "ended as failed"),
        (lambda one: one.update(state="running"), "ended as running"),
        (lambda one: one["calcs_reversed"][0].update(has_vasp_completed=False), "ended as false"),
        (lambda one: one["calcs_reversed"][0]["output"].update(energy=1422.0), "711 eV/atom"),
        (lambda one: one["calcs_reversed"][0]["output"].update(energy="inf"), "no finite number"),
        (lambda one: one["calcs_reversed"][0]["output"].update(bandgap=-3.0), "lies outside"),
        (without_state, "does not say whether it is"),
    ],
)
def test_unfinished_and_unconverged_documents_are_told(
    database: str, outputs: Outputs, change: Callable[[Documents], Any], told: str
) -> None:
    one = outputs("scf")
    change(one)
    report = jobstore.load("S", store=fill(opened(), a=one))
    assert (report.loaded, report.quarantined) == (int(change is without_state), 1)
    assert told in quarantine.find("S")[0].reason


def older(one: Documents) -> Documents:
    """As emmet wrote documents before 2024: numbers in the summary, no edges, a string for the potentials."""
    last = one.pop("calcs_reversed")[0]
    kept = last["output"]
    one["output"] |= {"efermi": kept["efermi"], "vbm": kept["vbm"], "cbm": kept["cbm"], "bandgap": kept["bandgap"]}
    one["state"] = "TaskState.SUCCESS"
    one["input"] |= {"pseudo_potentials": {"pot_type": "PAW", "functional": "PBE"}, "potcar_spec": None}
    return one


def emmets(one: Documents) -> Documents:
    """With emmet's own model of a density of states."""
    dos = one["vasp_objects"]["dos"]
    up, *down = dos["densities"].values()
    one["vasp_objects"]["dos"] = {
        "energies": dos["energies"], "efermi": dos["efermi"], "spin_up_densities": up,
        "spin_down_densities": down[0] if down else None, "projected_densities": None,
    }  # fmt: skip
    return one


@pytest.mark.parametrize("shape", [older, emmets])
def test_other_shapes_of_the_document_say_the_same(
    database: str, outputs: Outputs, shape: Callable[[Documents], Documents]
) -> None:
    given = {name: shape(outputs(name)) for name in ("scf", "dos")}
    assert jobstore.load("S", store=fill(opened(), **given)).quarantined == 0
    values, curve, method = stored("JobStore")
    assert values["energy_per_atom"] == pytest.approx(ENERGY, abs=1e-6)
    assert values["band_gap"] == pytest.approx(GAP, abs=1e-4)
    assert values["fermi_level"] == pytest.approx(5.9249, abs=1e-4)
    assert method.settings["potentials"] == "PAW_PBE"
    gap = curve.points()[curve.array() < 1e-3]
    gap = gap[np.abs(gap) < 1.0]
    assert abs(gap.min() + gap.max()) < 0.11  # mid-gap


def test_a_curve_whose_store_is_not_named_is_told(database: str, outputs: Outputs, tmp_path: Path) -> None:
    store = fill(opened(), a=outputs("scf"), b=outputs("dos"))
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(list(store.query(load=False)), default=str))
    assert jobstore.load(str(path)) == LoadReport(1, 0, 1)
    values, curve, _ = stored("JobStore")
    assert (values["energy_per_atom"], curve) == (pytest.approx(ENERGY, abs=1e-6), None)
    assert "a store for large data that is not named here" in quarantine.find()[0].reason


def test_a_curve_without_its_electrons_is_told(database: str, outputs: Outputs) -> None:
    one = outputs("dos")
    one["vasp_objects"]["dos"]["densities"] = {
        spin: [0.3 * value for value in values] for spin, values in one["vasp_objects"]["dos"]["densities"].items()
    }
    static = outputs("scf") | {"vasp_objects": {}}
    assert jobstore.load("S", store=fill(opened(), a=one, b=static)).quarantined == 1
    assert stored("JobStore")[1] is None
    assert "holds 2.40 electrons up to the Fermi level, and the crystal has 8" in quarantine.find("S")[0].reason


def test_directions_of_the_moment_are_no_spins(database: str, outputs: Outputs) -> None:
    one = outputs("dos")
    one["calcs_reversed"][0]["input"]["incar"]["LSORBIT"] = True
    up = one["vasp_objects"]["dos"]["densities"]["1"]
    one["vasp_objects"]["dos"]["densities"]["-1"] = [0.5 * value for value in up]
    jobstore.load("S", store=fill(opened(), a=one))
    _, curve, method = stored("JobStore")
    occupied = (curve.points() > -10.01) & (curve.points() < 0.01)
    assert float(np.trapezoid(curve.array()[occupied], curve.points()[occupied])) == pytest.approx(7.178, abs=0.01)
    assert method.settings["spin_orbit"] is True


def projections(one: Documents) -> None:
    del one["vasp_objects"]["dos"]["densities"]


@pytest.mark.parametrize(
    "change", [projections, lambda one: one.update(task_type="NSCF Line"), lambda one: one.update(vasp_objects=None)]
)
def test_lines_and_mere_projections_are_no_density_of_states(
    database: str, outputs: Outputs, change: Callable[[Documents], Any]
) -> None:
    lines, static = outputs("dos"), outputs("scf") | {"vasp_objects": {}}
    change(lines)
    jobstore.load("S", store=fill(opened(), a=lines, b=static))
    values, curve, _ = stored("JobStore")
    assert values["energy_per_atom"] == pytest.approx(ENERGY, abs=1e-6)
    assert curve is None


def test_the_method_of_a_document_says_what_ran(database: str, outputs: Outputs) -> None:
    def tagged(**tags: Any) -> Documents:
        one = outputs("Fe") | {"vasp_objects": {}}
        one["calcs_reversed"][0]["input"]["incar"] |= tags
        return one

    given = {
        "plain": tagged(GGA="PE"), "scan": tagged(METAGGA="R2SCAN"),
        "hse": tagged(GGA="PE", LHFCALC=True, HFSCREEN=0.2, AEXX=0.25),
        "d3": tagged(GGA="PE", IVDW=12), "u": tagged(GGA="PE", LDAU=True, LDAUU=[4.0], LDAUJ=[0.0]),
        "soc": tagged(GGA="PE", LSORBIT=True), "cutoff": tagged(GGA="PE", ENCUT=600.0),
    }  # fmt: skip
    assert jobstore.load("S", store=fill(opened(), **given)) == LoadReport(1, 6, 0)
    (material,) = materials.find(materials.MaterialQuery())
    found = {str(x.entry).partition("/")[0]: methods.get(x.method) for x in labels.of_material(material.id)}
    assert {key: one.functional.removesuffix(" (VASP)") for key, one in found.items()} == {
        "plain": "PBE", "scan": "r2SCAN", "hse": "HSE06", "d3": "PBE-D3(BJ)", "u": "PBE", "soc": "PBE", "cutoff": "PBE",
    }  # fmt: skip
    assert len({one.id for one in found.values()}) == len(given)
    assert found["u"].settings["hubbard"] == {"Fe": 4.0}


def test_of_two_static_documents_the_lower_energy_counts_and_the_other_is_told(database: str, outputs: Outputs) -> None:
    for n, uuids in enumerate((("a", "b"), ("b", "a"))):
        worse = outputs("scf")
        worse["calcs_reversed"][0]["output"]["energy"] = -10.0
        store = fill(opened(), **dict(zip(uuids, (outputs("scf"), worse), strict=True)))
        assert jobstore.load("S", store=store, options=LoadOptions(source=f"S{n}")) == LoadReport(int(not n), n, 1)
        assert math.isclose(stored(f"S{n}")[0]["energy_per_atom"], ENERGY, abs_tol=1e-6)
    assert all("the lower -5.425186 eV/atom, which counts" in one.reason for one in quarantine.find("S"))
