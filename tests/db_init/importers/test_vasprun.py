"""vasprun.xml: one, packed or not, and folders of runs; what is unfinished or no VASP is refused in words."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import dispatch, vasprun
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra

Text = Callable[..., str]
NSCF = {"ICHARG": 11}
RELAX = {"NSW": 99, "IBRION": 2, "ISIF": 3}


def put(root: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (root / name).mkdir(parents=True)
        (root / name / "vasprun.xml").write_text(text)
    return root


def known(task: str = "static") -> dict[str, float]:
    """Labels of the only material, of one task."""
    (found,) = materials.find(materials.MaterialQuery())
    rows = labels.of_material(found.id)
    return {str(one.property): one.value for one in rows if methods.get(one.method).settings["task"] == task}


def reasons() -> dict[str, str]:
    return {one.excerpt.partition(":")[0]: one.reason for one in quarantine.find()}


def test_energy_of_the_static_run_and_gap_and_curve_of_the_uniform_one(
    database: str, tmp_path: Path, vasprun_text: Text
) -> None:
    runs = {
        "b_scf": vasprun_text(edges=(5.0, 6.0), level=5.9, points=301),
        "a_dos": vasprun_text(energy=-99.0, edges=(5.0, 6.2), level=6.2, tags=NSCF),
        "c_relax": vasprun_text(energy=-10.2, edges=(5.0, 5.9), tags={"NSW": 99, "IBRION": 2, "ISIF": 3}, points=301),
    }
    assert dispatch.load(str(put(tmp_path / "mine", **runs))) == LoadReport(1, 1, 0)
    assert known() == {"energy_per_atom": -5.0, "band_gap": pytest.approx(1.2, abs=1e-5), "fermi_level": 5.9}
    assert known("relax")["energy_per_atom"] == -5.1
    (material,) = materials.find(materials.MaterialQuery())
    (curve,) = spectra.all_of_material(material.id)
    empty = curve.points()[curve.array() < 0.01]
    assert (empty.min(), empty.max()) == (pytest.approx(-0.55, abs=0.06), pytest.approx(0.55, abs=0.06))
    assert dispatch.load(str(tmp_path / "mine")) == LoadReport(0, 2, 0)


def test_the_method_says_what_ran(database: str, tmp_path: Path, vasprun_text: Text) -> None:
    oxide = {"pair": ("Fe", "O"), "titles": ("PAW_PBE Fe_pv 02Aug2007", "PAW_PBE O 08Apr2002")}
    u_tags = {"LDAU": True, "LDAUU": (5.3, 0.0), "LDAUJ": (0.0, 0.0), "LDAUL": (2, 0)}
    runs = {
        "pbe": vasprun_text(),
        "r2scan": vasprun_text(tags={"METAGGA": "R2SCAN"}),
        "hse": vasprun_text(tags={"LHFCALC": True, "HFSCREEN": 0.2}),
        "d3": vasprun_text(tags={"IVDW": 12}),
        "cutoff": vasprun_text(tags={"ENCUT": 680.0}),
        "potential": vasprun_text(titles=("PAW_PBE Ni 02Aug2007", "PAW_PBE Al 04Jan2001")),
        "soc": vasprun_text(tags={"LSORBIT": True, "LNONCOLLINEAR": True}),
        "u": vasprun_text(a=2.9, tags=u_tags, **oxide),
        "plain": vasprun_text(a=2.9, **oxide),
    }
    assert dispatch.load(str(put(tmp_path, **runs)), options=LoadOptions(source="S")).quarantined == 0
    found = {}
    for material in materials.find(materials.MaterialQuery()):
        for label in labels.of_material(material.id):
            method = methods.get(label.method)
            found[str(label.entry).partition("/")[0]] = (method.id, method.functional, dict(method.settings))
    assert set(found) == set(runs)
    assert len({one[0] for one in found.values()}) == 8  # the oxide without U is of the plain Method
    assert found["plain"][0] == found["pbe"][0]
    names = {key: one[1].removesuffix(" (VASP)") for key, one in found.items()}
    assert names == {**dict.fromkeys(runs, "PBE"), "r2scan": "r2SCAN", "hse": "HSE06", "d3": "PBE-D3(BJ)"}
    assert found["u"][2]["hubbard"] == {"Fe": 5.3}
    assert found["soc"][2]["spin_orbit"] is True
    assert found["cutoff"][2]["cutoff"] == 680.0
    assert (found["pbe"][2]["potentials"], found["potential"][2]["potentials"]) == ("PAW_PBE", "PAW_PBE (Ni)")


def test_calculations_that_differ_in_what_ran_are_not_put_together(
    database: str, tmp_path: Path, vasprun_text: Text
) -> None:
    runs = {"scf": vasprun_text(), "dos": vasprun_text(edges=(5.0, 6.2), tags={**NSCF, "METAGGA": "SCAN"})}
    dispatch.load(str(put(tmp_path, **runs)))
    (material,) = materials.find(materials.MaterialQuery())
    functional = {one.value: methods.get(one.method).functional for one in labels.of_material(material.id)}
    assert functional[-5.0] == "PBE (VASP)"
    assert {"PBE (VASP)", "SCAN (VASP)"} == set(functional.values())
    assert "no energy: the calculation is not self-consistent" in reasons()["dos/vasprun.xml"]


def test_of_several_static_runs_the_lowest_counts_whatever_they_are_called(
    database: str, tmp_path: Path, vasprun_text: Text
) -> None:
    texts = [vasprun_text(energy=value, edges=(5.0, 5.0 + value + 11.0)) for value in (-10.0, -10.4, -10.2)]
    for n, order in enumerate(itertools.permutations(texts)):
        folder = put(tmp_path / str(n), **dict(zip("abc", order, strict=True)))
        assert dispatch.load(str(folder), options=LoadOptions(source=f"S{n}")).quarantined == 2
        (material,) = materials.find(materials.MaterialQuery())
        own = [x for x in labels.of_material(material.id) if methods.get(x.method).settings["source"] == f"S{n}"]
        assert {str(one.property): one.value for one in own} == {
            "energy_per_atom": -5.2, "band_gap": pytest.approx(0.6, abs=1e-5), "fermi_level": 5.0,
        }  # fmt: skip
    assert all("the lower -5.200000 eV/atom, which counts" in reason for reason in reasons().values())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"steps": 60}, "electronic loop did not converge in 60 steps"),
        ({"steps": 0}, "holds no finished step"),
        ({"energy": 1422.0}, "711 eV/atom, which no crystal has"),
        ({"energy": float("inf")}, "eV/atom, which no crystal has"),
        ({"tags": {**NSCF}, "weights": (0.2,) * 5}, "along the lines of a band structure"),
        ({"tags": {"NSW": 50, "IBRION": 0}}, "molecular dynamics"),
        ({"tags": {"IBRION": 8}}, "response function, phonons"),
        ({"tags": {"ALGO": "GW0"}}, "no energy of the ground state"),
        ({"tags": {**RELAX, "EDIFFG": -0.02}, "force": 0.05}, "0.05 eV/Å is left, above the 0.02 eV/Å of EDIFFG"),
        ({"tags": {**RELAX, "IMAGES": 5}}, "a path between crystals (IMAGES)"),
        ({"tags": {"I_CONSTRAINED_M": 1}}, "Its moments are held (I_CONSTRAINED_M)"),
        ({"tags": {"ISMEAR": -2}}, "Its occupations are given (ISMEAR = -2)"),
        ({"tags": {**RELAX, "PSTRESS": 100.0}}, "a pressure of 100 kbar (PSTRESS)"),
        ({"tags": {"NELECT": 7.0}, "valence": 4.0}, "its cell bears a charge of +1"),
        ({"tags": {"NSW": 1, "IBRION": 2, "LDAU": True, "LDAUU": (1.0, 2.0, 3.0)}}, "LDAUU has 3 values for 2 species"),
    ],
)
def test_what_gives_no_labels_is_refused_in_words(
    database: str, tmp_path: Path, vasprun_text: Text, options: dict[str, Any], told: str
) -> None:
    put(tmp_path, bad=vasprun_text(**options), good=vasprun_text(a=3.1))
    assert dispatch.load(str(tmp_path)) == LoadReport(1, 0, 1)
    assert told in reasons()["bad/vasprun.xml"]
    assert dispatch.load(str(tmp_path)) == LoadReport(0, 1, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text[: len(text) * 2 // 3], "cut off or damaged"),
        (lambda text: text[: text.index("<calculation>")], "cut off or damaged"),
        (lambda text: text.replace("<modeling>", "<!DOCTYPE x [<!ENTITY a 'b'>]><modeling>"), "defines entities"),
        (lambda text: " " * (1 << 20) + "<!DOCTYPE modeling>" + text, "defines entities"),
        (lambda text: text.replace("modeling", "html"), "does not begin as VASP writes it"),
        (lambda text: text.replace("ISO-8859-1", "UTF-7"), "does not begin as VASP writes it"),
        (lambda _: "", "does not begin as VASP writes it"),
        (
            lambda text: text.replace("<calculation>", "<!--").replace("</calculation>", "-->"),
            "no finished step|lacks what",
        ),
        (lambda text: text.replace("crystal>", "cell>"), "lacks what a finished calculation writes"),
    ],
)
def test_damaged_and_hostile_files_are_refused_in_words(
    database: str, tmp_path: Path, vasprun_text: Text, change: Callable[[str], str], told: str
) -> None:
    put(tmp_path, bad=change(vasprun_text()), good=vasprun_text(a=3.1))
    assert dispatch.load(str(tmp_path)) == LoadReport(1, 0, 1)
    (reason,) = reasons().values()
    assert any(one in reason for one in told.split("|"))


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("vasprun.xml", bytes),
        ("vasprun.xml.gz", gzip.compress),
        ("vasprun.xml.bz2", bz2.compress),
        ("vasprun.xml.xz", lzma.compress),
        ("NiAl_vasprun.xml", bytes),
        ("vasprun.static.xml", bytes),
        ("vasprun.xml.relax2.gz", gzip.compress),
    ],
)
def test_packed_and_renamed_files_are_read(
    database: str, tmp_path: Path, vasprun_text: Text, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(vasprun_text().encode()))
    assert dispatch.load(str(tmp_path / name)) == LoadReport(1, 0, 0)
    assert known()["energy_per_atom"] == -5.0


def test_a_packed_file_is_bounded_and_a_broken_one_told(
    database: str, tmp_path: Path, vasprun_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vasprun, "LARGEST", 3_000_000)
    for name, content in (
        ("bomb", gzip.compress(vasprun_text().encode() + b" " * 4_000_000)),
        ("cut", gzip.compress(vasprun_text().encode())[:-300]),
        ("wrong", b"no gzip"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vasprun.xml.gz").write_bytes(content)
    assert dispatch.load(str(tmp_path)) == LoadReport(0, 0, 3)
    found = {key.partition("/")[0]: reason for key, reason in reasons().items()}
    assert "larger than 3 MB unpacked" in found["bomb"]
    assert "cannot be read" in found["cut"]
    assert "cannot be read" in found["wrong"]


def test_a_folder_may_hold_runs_and_structure_files(database: str, tmp_path: Path, vasprun_text: Text) -> None:
    put(tmp_path, run=vasprun_text())
    start = Structure(Lattice.cubic(3.3), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    start.to(str(tmp_path / "run" / "POSCAR"))  # where the run began: no crystal of its own
    start.to(str(tmp_path / "other.cif"))
    assert dispatch.load(str(tmp_path)) == LoadReport(2, 0, 0)
    assert {m.source["key"] for m in materials.find(materials.MaterialQuery())} == {"run/vasprun.xml", "other.cif"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no vasprun"):
        vasprun.load(tmp_path / "empty")
    with pytest.raises(InputError, match="There is no file"):
        vasprun.load(tmp_path / "vasprun.xml")


@pytest.mark.parametrize("level", [5.0, 5.0005, 4.9995, 5.3, 5.6, 5.5995, 5.6005])
def test_the_gap_is_found_wherever_vasp_puts_the_level(level: float) -> None:
    bands = np.zeros((3, 4, 2))
    bands[:, :, 0] = [[1.0, 5.0, 5.6, 7.0], [0.5, 4.0, 6.0, 7.5], [0.0, 3.0, 6.5, 8.0]]
    bands[:, :2, 1] = 1.0
    assert vasprun.edges_of([bands], level) == (5.0, 5.6)
    assert vasprun.edges_of([bands, bands + np.array([0.1, 0.0])], 5.3) == (5.1, 5.6)
    assert vasprun.edges_of([bands], 4.5) is None


def test_a_gap_that_closes_on_the_mesh_makes_a_metal(database: str, tmp_path: Path, vasprun_text: Text) -> None:
    put(tmp_path, scf=vasprun_text(edges=(5.0, 5.0), level=4.9))
    dispatch.load(str(tmp_path))
    (material,) = materials.find(materials.MaterialQuery())
    assert known()["band_gap"] == 0.0
    curve = spectra.of_material(material.id)
    assert curve is not None
    assert np.isfinite(curve.array()).all()


def test_genuine_runs_of_silicon_and_iron(database: str, silicon: Path) -> None:
    report = dispatch.load(str(silicon), options=LoadOptions(source="S"))
    assert report == LoadReport(2, 1, 1)  # silicon twice, relaxed and static; iron; the worse of two relaxations told
    found = {m.formula: m for m in materials.find(materials.MaterialQuery())}
    by_task = {(m, "static"): {} for m in found} | {("Si", "relax"): {}}
    for formula, material in found.items():
        for label in labels.of_material(material.id):
            by_task[formula, methods.get(label.method).settings["task"]][str(label.property)] = label.value
    assert by_task["Si", "static"] == {
        "energy_per_atom": pytest.approx(-5.425186, abs=1e-6), "band_gap": pytest.approx(0.6503, abs=1e-4),
        "fermi_level": pytest.approx(5.9249, abs=1e-4), "magnetic_moment": pytest.approx(0.0, abs=1e-3),
    }  # fmt: skip
    moment = by_task["Fe", "static"]["magnetic_moment"] * 4 / found["Fe"].n_sites  # of the cell of the files
    assert moment == pytest.approx(9.165, abs=1e-3)
    assert by_task["Si", "relax"]["energy_per_atom"] == pytest.approx(-5.425218, abs=1e-6)
    curve = spectra.of_material(found["Si"].id)
    assert curve is not None
    occupied = (curve.points() > -10.01) & (curve.points() < 0.01)
    assert float(np.trapezoid(curve.array()[occupied], curve.points()[occupied])) == pytest.approx(7.178, abs=0.01)
    (told,) = quarantine.find()
    assert "relax2/vasprun.xml of the same crystal" in told.reason


def test_the_moment_comes_from_the_outcar_alone(database: str, silicon: Path, tmp_path: Path) -> None:
    (tmp_path / "vasprun.xml").write_bytes((silicon / "Fe" / "vasprun.xml").read_bytes())
    dispatch.load(str(tmp_path / "vasprun.xml"))
    assert "magnetic_moment" not in known()
    (tmp_path / "OUTCAR.gz").write_bytes(gzip.compress((silicon / "Fe" / "OUTCAR").read_bytes()))
    dispatch.load(str(tmp_path / "vasprun.xml"))
    (material,) = materials.find(materials.MaterialQuery())
    assert known()["magnetic_moment"] * 4 / material.n_sites == pytest.approx(9.165, abs=1e-3)


def test_a_genuine_file_that_was_cut_off_is_refused(database: str, silicon: Path, tmp_path: Path) -> None:
    whole = (silicon / "scf" / "vasprun.xml").read_bytes()
    for share in (0.02, 0.3, 0.9):
        (tmp_path / "vasprun.xml").write_bytes(whole[: int(share * len(whole))])
        assert dispatch.load(str(tmp_path / "vasprun.xml")) == LoadReport(0, 0, 1)
    assert "cut off or damaged" in next(iter(reasons().values()))


REACHED = " reached required accuracy - stopping structural energy minimisation\n"
STOPPED = " soft stop encountered!  aborting job ...\n"


@pytest.mark.parametrize(("text", "refused"), [(STOPPED, 1), (REACHED + STOPPED, 0), (REACHED, 0), ("", 0)])
def test_a_relaxation_that_a_stopcar_ended_did_not_converge(
    database: str, tmp_path: Path, vasprun_text: Text, text: str, refused: int
) -> None:
    put(tmp_path, run=vasprun_text(tags={**RELAX, "EDIFFG": 1e-4}))
    (tmp_path / "run" / "OUTCAR").write_text(text)
    assert dispatch.load(str(tmp_path)).quarantined == refused
    assert all("it was stopped before it converged" in reason for reason in reasons().values())


def test_a_cell_without_charge_and_a_relaxation_with_small_forces_are_taken(
    database: str, tmp_path: Path, vasprun_text: Text
) -> None:
    runs = {
        "neutral": vasprun_text(tags={"NELECT": 8.0}, valence=4.0),
        "relaxed": vasprun_text(a=3.4, tags={**RELAX, "EDIFFG": -0.02}, force=0.019),
    }
    dispatch.load(str(put(tmp_path, **runs)))
    assert len(list(materials.find(materials.MaterialQuery()))) == 2
    assert not any("charge" in reason or "EDIFFG" in reason for reason in reasons().values())


def outcar(moment: str) -> str:
    said = f" number of electron       8.0000000 magnetization {moment}\n"
    return said.replace(moment, "9.0 9.0 9.0") + said + " E-fermi :   5.0     XC(G=0):  -9.0     alpha+bet : -7.0\n"


@pytest.mark.parametrize(
    ("moment", "total"),
    [("      0.0000010       3.0000000      -4.0000000", 5.0), ("     -2.5000000", 2.5)],
    ids=["three components", "one"],
)
def test_the_moment_of_all_components(
    database: str, tmp_path: Path, vasprun_text: Text, moment: str, total: float
) -> None:
    crossed = {"LSORBIT": True, "LNONCOLLINEAR": True} if total == 5.0 else {"ISPIN": 2}
    put(tmp_path, run=vasprun_text(tags=crossed))
    (tmp_path / "run" / "OUTCAR").write_text(outcar(moment))
    dispatch.load(str(tmp_path))
    assert known()["magnetic_moment"] == pytest.approx(total, abs=1e-6)


def test_each_of_several_runs_of_a_folder_has_its_own_outcar(database: str, tmp_path: Path, vasprun_text: Text) -> None:
    for name, a, moment in (("relax", 3.0, "1.0"), ("static", 3.6, "2.0")):
        (tmp_path / f"vasprun.{name}.xml").write_text(vasprun_text(a=a, tags={"ISPIN": 2}))
        (tmp_path / f"OUTCAR.{name}").write_text(outcar(moment))
    (tmp_path / "OUTCAR").write_text(outcar("7.0"))
    (tmp_path / "vasprun_lone.xml").write_text(vasprun_text(a=4.2, tags={"ISPIN": 2}))
    dispatch.load(str(tmp_path))
    found = {}
    for one in materials.find(materials.MaterialQuery()):
        found |= {
            label.entry: label.value for label in labels.of_material(one.id) if label.property == "magnetic_moment"
        }
    assert found == {"vasprun.relax.xml": 1.0, "vasprun.static.xml": 2.0}
