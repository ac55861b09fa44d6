"""Labels out of real emmet task documents, after the round through JSON that the job store makes them take."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from jobflow import JobStore
from maggma.stores import MemoryStore
from monty.json import MontyDecoder, MontyEncoder
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import Dos

from fermiloop.flows.engines.curve import DosGrid
from fermiloop.flows.engines.vasp.engine import VaspSettings
from fermiloop.flows.engines.vasp.functional import correction_of
from fermiloop.flows.engines.vasp.labels import _check_bands, check_electrons, labels_of, moment_of, zero_and_gap
from fermiloop.platform.errors import EngineError
from fermiloop.platform.representations.prototypes import PROTOTYPES

NIAL = PROTOTYPES["B2"].build("Al", "Ni", 12.0)
MGO = PROTOTYPES["B1"].build("Mg", "O", 9.4)
SETTINGS = asdict(VaspSettings())
PLAIN = asdict(VaspSettings(corrections="none"))


def again(document: Any) -> Any:
    """The document as it comes back from the job store."""
    return MontyDecoder().decode(json.dumps(document, cls=MontyEncoder))


@pytest.mark.parametrize("spins", [1, 2])
def test_labels_are_those_of_the_document(vasp_document: Any, square_dos: Any, spins: int) -> None:
    scf = again(vasp_document(NIAL, energy=-11.0, moment=0.25))
    dos = again(vasp_document(NIAL, curve=square_dos(spins=spins)))
    found = labels_of(scf, dos, SETTINGS)
    assert found["energy"] == -11.0
    assert found["gap"] == 0.0
    assert found["fermi_level"] == 6.0
    assert found["magnetic_moment"] == 0.25
    assert found["n_electrons"] == 8.0
    x, y = np.array(found["energies"]), np.array(found["density"])
    assert (x[0], x[-1], len(x)) == (-10.0, 8.0, 361)
    assert y[np.abs(x - 2.0).argmin()] == pytest.approx(2.0, abs=1e-3)  # both spins summed
    assert y[np.abs(x + 4.0).argmin()] == pytest.approx(1.0, abs=0.15)  # the edge, broadened
    assert y[x < -4.5].max() == 0.0
    assert np.trapezoid(y[x <= 0], x[x <= 0]) == pytest.approx(8.0, abs=0.05)
    json.dumps(found)


def test_a_projected_curve_counts_by_its_total(vasp_document: Any, square_dos: Any) -> None:
    dos = again(vasp_document(NIAL, curve=square_dos(structure=NIAL)))
    assert labels_of(vasp_document(NIAL), dos, PLAIN)["density"][300] == pytest.approx(2.0, abs=1e-3)


def test_zero_lies_in_the_middle_of_an_insulators_gap(vasp_document: Any, square_dos: Any) -> None:
    dos = again(vasp_document(MGO, gap=4.0, curve=square_dos(top=15, gap=(-0.2, 3.8)), n_electrons=7.6))
    found = labels_of(vasp_document(MGO), dos, PLAIN)
    x, y = np.array(found["energies"]), np.array(found["density"])
    assert found["gap"] == 4.0
    upper = x > 0
    assert x[upper][np.abs(y[upper] - 1.0).argmin()] == pytest.approx(2.0, abs=0.06)  # half a gap up


def test_energies_are_corrected_as_the_materials_project_does(vasp_document: Any, square_dos: Any) -> None:
    scf, dos = again(vasp_document(MGO, energy=-12.0)), vasp_document(MGO, curve=square_dos())
    assert correction_of(scf) == pytest.approx(-0.687, abs=1e-3)  # of one oxide ion, Wang et al. 2021
    assert labels_of(scf, dos, SETTINGS)["energy"] == pytest.approx(-12.687, abs=1e-3)
    assert labels_of(scf, dos, PLAIN)["energy"] == -12.0
    assert correction_of(again(vasp_document(NIAL))) == 0.0


def test_pseudopotentials_that_the_scheme_does_not_know_are_refused(vasp_document: Any) -> None:
    with pytest.raises(EngineError, match="does not cover MgO as it was computed; set corrections: none"):
        correction_of(vasp_document(MGO, potcar="Mg_xy"))


def test_a_curve_that_ends_within_the_window_is_refused(vasp_document: Any, square_dos: Any) -> None:
    with pytest.raises(EngineError, match=r"ends 7\.00 eV above"):
        labels_of(vasp_document(NIAL), vasp_document(NIAL, curve=square_dos(top=7.0)), PLAIN)


def test_a_curve_with_too_few_bands_is_refused(vasp_document: Any, square_dos: Any) -> None:
    full = square_dos(height=39.0 / 12.0)  # 39 states below the top of the window; 19 whole bands hold 38
    with pytest.raises(EngineError, match="of 20 bands begins within 8 eV of the Fermi level; raise dos_bands_factor"):
        labels_of(vasp_document(NIAL), vasp_document(NIAL, curve=full, n_electrons=13.0), PLAIN)
    fitting = vasp_document(NIAL, curve=square_dos(height=37.5 / 12.0), n_electrons=12.5)
    assert labels_of(vasp_document(NIAL), fitting, PLAIN)


def bands(
    edges: list[tuple[float, float, float]], n: int, *, efermi: float = 0.0, spins: int = 1, **tags: Any
) -> tuple[Dos, Any]:
    """A curve of blocks (from, to, states) and the calculation of so many bands that it is of."""
    x = np.arange(-20.0, 30.0, 0.01)
    y = sum(np.where((x > lo) & (x <= hi), states / (hi - lo), 0.0) for lo, hi, states in edges)
    channels = dict.fromkeys((Spin.up, Spin.down)[:spins], y / spins)
    parameters = {"NBANDS": n, **tags}
    return Dos(efermi, x, channels), SimpleNamespace(input=SimpleNamespace(parameters=parameters))


WIDE = [(-3.0, 0.0, 6.0), (10.0, 12.0, 2.0)]  # an insulator whose last computed band lies 5 to 7 eV above mid-gap


@pytest.mark.parametrize("efermi", [0.0, 5.0, 10.0], ids=["at the valence edge", "in the middle", "at the other edge"])
def test_the_bands_check_takes_its_zero_from_the_gap(efermi: float) -> None:
    with pytest.raises(EngineError, match="the highest of 4 bands begins within 8 eV"):
        _check_bands(*bands(WIDE, 4, efermi=efermi), DosGrid())
    _check_bands(*bands(WIDE, 5, efermi=efermi), DosGrid())


@pytest.mark.parametrize(
    ("spins", "tags", "full", "enough"),
    [
        (1, {}, 4, 5),
        (2, {"ISPIN": 2}, 4, 5),
        (2, {"ISPIN": 2, "NUPDOWN": 2}, 4, 5),
        (1, {"LSORBIT": True, "LNONCOLLINEAR": True}, 8, 9),  # one electron in each band
        (1, {"LNONCOLLINEAR": True}, 8, 9),
    ],
)
def test_bands_hold_two_electrons_or_one(spins: int, tags: dict[str, Any], full: int, enough: int) -> None:
    with pytest.raises(EngineError, match=f"the highest of {full} bands"):
        _check_bands(*bands(WIDE, full, spins=spins, **tags), DosGrid())
    _check_bands(*bands(WIDE, enough, spins=spins, **tags), DosGrid())


def test_one_spin_may_run_out_of_bands_before_the_other() -> None:
    curve, calculation = bands(WIDE, 5, spins=2)
    curve.densities[Spin.up] = curve.densities[Spin.up] * 1.3
    with pytest.raises(EngineError, match="the highest of 5 bands"):
        _check_bands(curve, calculation, DosGrid())


@pytest.mark.parametrize(("efermi", "zero"), [(0.0, 5.0), (10.0, 5.0), (5.0, 5.0)])
def test_zero_is_found_from_the_curve_where_the_document_has_no_edges(efermi: float, zero: float) -> None:
    curve, _ = bands(WIDE, 5, efermi=efermi)
    found, gap = zero_and_gap(None, curve, curve.densities[Spin.up])
    assert found == pytest.approx(zero, abs=0.02)
    assert gap == pytest.approx(10.0, abs=0.04)


@pytest.mark.parametrize("held", [2.65, 64.0, float("nan")])
def test_a_curve_that_does_not_hold_the_valence_electrons_is_refused(held: float) -> None:
    x = np.arange(-60.0, 10.0, 0.01)
    y = np.where((x > -50.0) & (x <= 0.0), held / 50.0, 0.0)
    with pytest.raises(EngineError, match="electrons up to its zero, and the crystal has 32"):
        check_electrons(x, y, 0.0, 32.0)


@pytest.mark.parametrize(
    ("tags", "functional"),
    [
        ({"METAGGA": "R2SCAN"}, "r2SCAN"),
        ({"LHFCALC": True, "HFSCREEN": 0.2, "AEXX": 0.25}, "HSE06"),
        ({"IVDW": 11}, "PBE-D3"),
        ({"GGA": "BO", "LUSE_VDW": True}, "optB88-vdW"),
        ({"GGA": "PS"}, "PBEsol"),
        ({"GGA": "CA"}, "LDA"),
    ],
)
def test_documents_of_other_functionals_are_named_and_not_corrected(
    vasp_document: Any, square_dos: Any, tags: dict[str, Any], functional: str
) -> None:
    scf, dos = vasp_document(MGO), vasp_document(MGO, curve=square_dos())
    for document in (scf, dos):
        document.calcs_reversed[0].input.incar.update(tags)
    with pytest.raises(EngineError, match=re.escape(f"MgO was computed by {functional}; set corrections: none")):
        labels_of(again(scf), again(dos), SETTINGS)
    assert labels_of(again(scf), again(dos), PLAIN)["functional"] == functional
    with pytest.raises(EngineError, match=re.escape(f"ran {functional}, and the density of states PBE")):
        labels_of(again(scf), vasp_document(MGO, curve=square_dos()), PLAIN)


def test_hubbard_u_of_a_document_is_kept_with_its_labels(vasp_document: Any, square_dos: Any) -> None:
    oxide = PROTOTYPES["B1"].build("Fe", "O", 10.0)
    scf, dos = vasp_document(oxide), vasp_document(oxide, curve=square_dos())
    assert labels_of(again(scf), again(dos), PLAIN)["hubbard_u"] == {"Fe": 5.3}
    assert labels_of(vasp_document(NIAL), vasp_document(NIAL, curve=square_dos()), PLAIN)["hubbard_u"] == {}


def test_a_document_that_did_not_converge_is_no_result(vasp_document: Any, square_dos: Any) -> None:
    failed = vasp_document(NIAL).model_copy(update={"state": "failed"})
    with pytest.raises(EngineError, match="VASP did not converge"):
        labels_of(failed, vasp_document(NIAL, curve=square_dos()), PLAIN)


def test_a_document_without_a_curve_is_refused(vasp_document: Any) -> None:
    with pytest.raises(EngineError, match="holds no density of states"):
        labels_of(vasp_document(NIAL), vasp_document(NIAL), PLAIN)


@pytest.mark.parametrize(("moment", "expected"), [(None, 0.0), (2.5, 2.5)])
def test_moment_of_unpolarised_and_polarised_runs(vasp_document: Any, moment: float | None, expected: float) -> None:
    assert moment_of(again(vasp_document(NIAL, moment=moment))) == expected


def test_the_job_store_gives_the_document_back_as_the_adapter_takes_it(vasp_document: Any, square_dos: Any) -> None:
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    store.connect()
    document = vasp_document(NIAL, curve=square_dos())
    row = {"uuid": "a", "index": 1, "output": json.loads(json.dumps(document, cls=MontyEncoder)), "metadata": {}}
    store.update(row, key=["uuid", "index"])
    found = MontyDecoder().process_decoded(store.get_output("a", load=True))
    assert labels_of(found, found, PLAIN)["density"][300] == pytest.approx(2.0, abs=1e-3)


def test_of_crossed_spins_one_component_is_not_taken_for_the_moment(vasp_document: Any) -> None:
    found = again(vasp_document(NIAL, moment=0.25))
    found.calcs_reversed[0].input.parameters["LNONCOLLINEAR"] = True
    assert moment_of(found) is None
