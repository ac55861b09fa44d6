"""Labels out of real emmet task documents, after the round through JSON that the job store makes them take."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from jobflow import JobStore
from maggma.stores import MemoryStore
from monty.json import MontyDecoder, MontyEncoder

from fermiloop.flows.engines.vasp import VaspSettings
from fermiloop.flows.engines.vasp_labels import correction_of, labels_of, moment_of
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
    assert found["n_electrons"] == 13.0
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
    dos = again(vasp_document(MGO, gap=4.0, curve=square_dos(bottom=3.8, top=15)))
    found = labels_of(vasp_document(MGO), dos, PLAIN)
    x, y = np.array(found["energies"]), np.array(found["density"])
    assert found["gap"] == 4.0
    assert x[np.abs(y - 1.0).argmin()] == pytest.approx(2.0, abs=0.06)  # the conduction band begins half a gap up


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
        labels_of(vasp_document(NIAL), vasp_document(NIAL, curve=full), PLAIN)
    assert labels_of(vasp_document(NIAL), vasp_document(NIAL, curve=square_dos(height=37.5 / 12.0)), PLAIN)


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
