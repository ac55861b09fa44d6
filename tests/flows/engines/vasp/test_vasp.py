"""VASP's inputs as the Materials Project accepts them, the flow as FireWorks takes it, relaxations taken up."""

from __future__ import annotations

import gzip
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from atomate2 import SETTINGS
from atomate2.vasp.files import write_vasp_input_set
from atomate2.vasp.jobs.core import RelaxMaker
from fireworks import Workflow
from jobflow import OnMissing
from jobflow.managers.fireworks import flow_to_workflow
from monty.serialization import loadfn
from pymatgen.core import Structure
from pymatgen.io.validation.common import LightVasprun, PotcarSummaryStats, VaspFiles, VaspInputSafe
from pymatgen.io.validation.validation import VaspValidator
from pymatgen.io.vasp import Incar, Kpoints, Poscar

from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.vasp import engine as vasp
from fermiloop.flows.engines.vasp.makers import (
    SHORTEST_SECONDS,
    last_contcar,
    relax_maker,
    scf_maker,
    uniform_maker,
)
from fermiloop.platform.errors import EngineError, InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.schemas.method import Method

NIAL = PROTOTYPES["B2"].build("Al", "Ni", 12.0)
CRYSTALS = {
    "intermetallic": NIAL,
    "oxide with U": PROTOTYPES["B1"].build("Fe", "O", 10.0),
    "insulator": PROTOTYPES["B1"].build("Na", "Cl", 22.0),
}
COMMON: dict[str, Any] = {"calculation": "calc-v", "potcar": "PBE", "time_limit": 900.0}
MAKERS = {
    "relax": relax_maker(step="relax1", **COMMON),
    "static": scf_maker(**COMMON),
    "nonscf": uniform_maker(kpoints=200.0, bands_factor=2.0, **COMMON),
}


@cache
def reference_potcars() -> dict[str, Any]:
    """Statistics of every POTCAR of the set PBE, by its name; pymatgen ships them without the POTCARs."""
    table = loadfn(str(files("pymatgen.io.vasp") / "potcar-summary-stats.json.bz2"), cls=None)["PBE"]
    return {row["symbol"]: (title, row) for title, rows in table.items() for row in rows}


def potcar(symbol: str) -> PotcarSummaryStats:
    title, row = reference_potcars()[symbol]
    date = title.removeprefix(f"PAW_PBE{symbol}")
    return PotcarSummaryStats(
        keywords=row["keywords"], stats=row["stats"], titel=f"PAW_PBE {symbol} {date}", lexch=row["LEXCH"]
    )


def validated(
    structure: Structure, generator: Any, folder: Path, gap: float | None = None
) -> tuple[VaspFiles, VaspValidator]:
    """What the Materials Project's validation says of the files that a generator writes; of a known gap in eV."""
    write_vasp_input_set(structure, generator, directory=folder, potcar_spec=True)
    kpoints = folder / "KPOINTS"
    symbols = (folder / "POTCAR.spec").read_text().split()
    given = VaspInputSafe(
        incar=Incar.from_file(folder / "INCAR"),
        structure=Poscar.from_file(folder / "POSCAR", check_for_potcar=False).structure,
        kpoints=Kpoints.from_file(kpoints) if kpoints.exists() else None,
        potcar=[potcar(symbol) for symbol in symbols],
        potcar_functional="PBE",
    )
    found = VaspFiles(user_input=given, vasprun=None if gap is None else run(given, gap))
    return found, VaspValidator.from_vasp_input(vasp_files=found, check_potcar=True)


def run(given: VaspInputSafe, gap: float) -> LightVasprun:
    """What the validation looks at of a run that ended well."""
    energy = -5.0 * len(given.structure)
    electronic = {"e_0_energy": energy, "e_fr_energy": energy, "e_wo_entrp": energy, "eentropy": 0.0}
    step = {
        "e_0_energy": energy,
        "e_fr_energy": energy,
        "forces": [[0.0, 0.0, 0.0] for _ in given.structure],
        "electronic_steps": [{**electronic, "e_fr_energy": energy + 1}, electronic],
    }
    return LightVasprun(
        vasp_version="6.4.3",
        final_energy=energy,
        final_structure=given.structure,
        kpoints=given.kpoints,
        parameters=given.incar,
        bandgap=gap,
        ionic_steps=[step],
        potcar_symbols=[one.titel for one in given.potcar or []],
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["relax", "static"])
@pytest.mark.parametrize("structure", CRYSTALS.values(), ids=CRYSTALS)
def test_inputs_pass_the_materials_projects_own_validation(kind: str, structure: Structure, tmp_path: Path) -> None:
    found, validation = validated(structure, MAKERS[kind].input_set_generator, tmp_path)
    assert found.run_type == kind
    assert found.functional == "pbe"
    assert validation.reasons == []


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("name", "gap"), [("intermetallic", 0.0), ("insulator", 5.0), ("oxide with U", 2.0)])
def test_inputs_of_the_curve_pass_once_the_gap_is_known(name: str, gap: float, tmp_path: Path) -> None:
    """Without one the validation does not allow tetrahedra in a run that is not self-consistent."""
    found, validation = validated(CRYSTALS[name], MAKERS["nonscf"].input_set_generator, tmp_path, gap)
    assert found.run_type == "nonscf"
    assert validation.reasons == []


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_atomate2s_default_relaxation_would_not_pass(tmp_path: Path) -> None:
    _, validation = validated(NIAL, RelaxMaker().input_set_generator, tmp_path)
    assert any(
        "pseudopotentials" in reason.lower() or "input settings" in reason.lower() for reason in validation.reasons
    )


def test_the_curve_has_bands_and_points_enough() -> None:
    generator = MAKERS["nonscf"].input_set_generator
    inputs = generator.get_input_set(NIAL, potcar_spec=True)
    assert (inputs.incar["ICHARG"], inputs.incar["ISMEAR"], inputs.incar["LORBIT"]) == (11, -5, 11)
    assert inputs.incar["NEDOS"] >= 2000
    assert generator.nbands_factor == 2.0


def test_the_flow_becomes_five_fireworks_that_all_run() -> None:
    flow = vasp.flow("calc-v", NIAL, {"potcar": "PBE_54"}, 60.0)
    assert all(job.config.on_missing_references is OnMissing.NONE for job, _ in flow.iterflow())
    workflow = Workflow.from_dict(flow_to_workflow(flow).to_dict())
    names = [fw.name for fw in sorted(workflow.fws, key=lambda fw: -fw.fw_id)]
    assert names == ["VASP relax1", "VASP relax2", "VASP static", "VASP DOS", "VASP labels"]
    makers = [fw.tasks[0]["job"].maker for fw in workflow.fws if fw.name != "VASP labels"]
    assert {maker.step for maker in makers} == {"relax1", "relax2", "scf", "dos"}
    assert {maker.time_limit for maker in makers} == {SHORTEST_SECONDS}
    assert {maker.input_set_generator.user_potcar_functional for maker in makers} == {"PBE_54"}
    assert {maker.step for maker in makers if maker.resumes} == {"relax1", "relax2"}


@pytest.mark.parametrize(
    ("settings", "named"), [({"potcar": "PBE_53"}, "PBE_53"), ({"corrections": "MP2021"}, "MP2021")]
)
def test_a_choice_that_there_is_not_is_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=f"{named}.*known are"):
        vasp.method(settings)


def test_potcars_corrections_and_updates_are_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    def id_of(**settings: Any) -> str:
        made = vasp.method(settings)
        return str(Method.make(made.engine, made.functional, made.settings, made.code_versions).id)

    ids = {id_of(), id_of(potcar="PBE_54"), id_of(corrections="none"), id_of(dos_kpoints=400)}
    assert len(ids) == 4
    monkeypatch.setattr(SETTINGS, "VASP_INCAR_UPDATES", {"NCORE": 4})
    assert id_of() in ids
    monkeypatch.setattr(SETTINGS, "VASP_INCAR_UPDATES", {"NCORE": 4, "ENCUT": 700})
    assert id_of() not in ids


@pytest.mark.parametrize(
    ("updates", "functional"),
    [
        ({}, "PBE"),
        ({"NCORE": 4}, "PBE"),
        ({"METAGGA": "R2SCAN"}, "r2SCAN"),
        ({" metagga ": "scan"}, "SCAN"),
        ({"GGA": "PS"}, "PBEsol"),
        ({"GGA": "CA"}, "LDA"),
        ({"gga": "MK", "LUSE_VDW": True, "AGGAC": 0.0}, "optB86b-vdW"),
        ({"IVDW": 12}, "PBE-D3(BJ)"),
        ({"LHFCALC": True, "HFSCREEN": 0.2}, "HSE06"),
        ({"LHFCALC": True, "HFSCREEN": 0.2, "AEXX": 0.3}, "HSE06 (AEXX=0.3)"),
    ],
)
def test_the_method_says_what_runs_and_corrections_refuse_the_rest(
    updates: dict[str, Any], functional: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SETTINGS, "VASP_INCAR_UPDATES", updates)
    assert vasp.method({"corrections": "none"}).functional == functional
    if functional == "PBE":
        assert vasp.method({}).functional == "PBE"
        return
    with pytest.raises(InputError, match=f"asks for {re.escape(functional)}; set corrections: none"):
        vasp.method({})


def test_hubbard_u_is_part_of_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    table = vasp.method({}).settings["hubbard_u"]
    assert set(table) == {"F", "O"}
    assert (table["O"]["Fe"], table["O"]["Ni"], table["F"]["V"]) == (5.3, 6.2, 3.25)
    monkeypatch.setattr(SETTINGS, "VASP_INCAR_UPDATES", {"ldau": False})
    without = vasp.method({"corrections": "none"})
    assert without.settings["hubbard_u"] == {}
    assert without.settings["incar_updates"] == {"LDAU": False}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_worker_whose_settings_ask_for_another_functional_refuses_before_it_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    maker = scf_maker(**COMMON, functional=vasp.method({}).functional)
    monkeypatch.setattr(SETTINGS, "VASP_INCAR_UPDATES", {"METAGGA": "R2SCAN"})
    with pytest.raises(EngineError, match="this worker asks for r2SCAN, and the Method says PBE"):
        maker.make.original(maker, NIAL)
    assert not list(tmp_path.glob("**/INCAR"))


def test_elements_without_a_potcar_are_refused() -> None:
    entry = code_of("vasp")
    assert entry.refuses(NIAL, {}) is None
    radon = PROTOTYPES["A1"].build("Rn", None, 40.0)
    assert "no POTCAR for Rn" in str(entry.refuses(radon, {}))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the PATH, alone."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_what_is_missing_is_named_with_its_remedy(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SETTINGS, "VASP_CMD", "srun -n 4 vasp_std")
    monkeypatch.setattr(vasp, "PYMATGEN_SETTINGS", {})
    found = vasp.available()
    assert not found.ready
    assert "srun, vasp_std is not on the PATH" in found.detail
    assert "PMG_VASP_PSP_DIR" in found.detail
    for name in ("srun", "vasp_std"):
        (programs / name).touch(mode=0o755)
    (programs / "POT_GGA_PAW_PBE").mkdir()
    monkeypatch.setattr(vasp, "PYMATGEN_SETTINGS", {"PMG_VASP_PSP_DIR": str(programs)})
    assert vasp.available().ready


@pytest.mark.parametrize("zipped", [False, True])
def test_the_last_contcar_is_taken_up(zipped: bool, tmp_path: Path) -> None:
    assert last_contcar(tmp_path, NIAL) is None
    moved = NIAL.copy()
    moved.scale_lattice(NIAL.volume * 0.9)
    text = Poscar(moved.get_sorted_structure()).get_str()
    if zipped:
        (tmp_path / "CONTCAR.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (tmp_path / "CONTCAR").write_text(text)
    found = last_contcar(tmp_path, NIAL)
    assert found is not None
    assert found.volume == pytest.approx(NIAL.volume * 0.9, rel=1e-4)


@pytest.mark.parametrize("text", ["", "Ni Al\n1.0\n", "garbage " * 30])
def test_a_contcar_that_is_not_whole_is_left_aside(text: str, tmp_path: Path) -> None:
    (tmp_path / "CONTCAR").write_text(text)
    assert last_contcar(tmp_path, NIAL) is None


def test_the_contcar_of_other_atoms_is_left_aside(tmp_path: Path) -> None:
    (tmp_path / "CONTCAR").write_text(Poscar(CRYSTALS["insulator"]).get_str())
    assert last_contcar(tmp_path, NIAL) is None
