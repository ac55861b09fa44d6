"""The engine of phonons: what it says of itself, what its child leaves, and what becomes of imaginary modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.chgnet_phonon import engine, task
from fermiloop.flows.engines.chgnet_phonon.settings import of_phonons
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import results_of
from fermiloop.flows.engines.sanity import fault_of
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.predictors.potential.phonons import Modes

NAME = "chgnet-phonon"
NIAL = Structure.from_spacegroup("Pm-3m", Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
LABELS = {"structure": NIAL.as_dict(), "energy": -10.6, "converged": True}


def asked(**settings: Any) -> dict[str, Any]:
    return {"labels": LABELS, "settings": {**of_phonons(settings).__dict__}}


def with_modes(monkeypatch: pytest.MonkeyPatch, frequencies: Any) -> None:
    modes = Modes(np.asarray(frequencies, dtype=float), np.ones(len(frequencies)), 32, 2)
    monkeypatch.setattr(task, "modes_of", lambda *_: modes)


def test_it_says_what_it_gives() -> None:
    declared = ENGINES[NAME]
    assert declared.curves({}) == ("phonon_dos",)
    assert not declared.gives_dos
    method = code_of(NAME).method({"displacement": 0.02, "fmax": 0.005})
    assert method.settings["displacement"] == 0.02
    assert "fmax" not in method.settings
    with pytest.raises(InputError, match=r"displacement of the chgnet-phonon engine is 3; write one from 0.001 to 0.1"):
        code_of(NAME).method({"displacement": 3})


def test_without_phonopy_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda _: None)
    found = engine.available()
    assert not found.ready
    assert "pip install '.[phonons]'" in found.detail


def test_a_stable_crystal_has_a_curve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_modes(monkeypatch, [[3.0, 3.0, 4.0, 7.0, 7.0, 8.0]] * 2)
    found = results_of({"phonons": task.run(asked(), tmp_path)})
    assert fault_of(found) is None
    points, values = found.curves["phonon_dos"]
    assert np.trapezoid(values, points) == pytest.approx(6.0, rel=1e-4)
    assert found.energy_per_atom == pytest.approx(-5.3)
    assert found.details["phonons"]["imaginary_modes"] == 0


def test_an_unstable_crystal_has_none_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_modes(monkeypatch, [[-3.0, 3.0, 4.0, 7.0, 7.0, 8.0], [1.0, 3.0, 4.0, 7.0, 7.0, 8.0]])
    found = results_of({"phonons": task.run(asked(), tmp_path)})
    assert found.curves == {}
    assert found.energy_per_atom == pytest.approx(-5.3)
    told = found.details["phonons"]
    assert told["imaginary_modes"] == pytest.approx(1 / 12, abs=1e-5)
    assert "8.3 % of the modes are imaginary" in told["refused"]


def test_nickel_aluminium_by_chgnet(tmp_path: Path) -> None:
    pytest.importorskip("phonopy", reason="phonopy is not installed: pip install '.[phonons]'")
    found = results_of({"phonons": task.run(asked(separation=5.0, mesh=15.0), tmp_path)})
    points, values = found.curves["phonon_dos"]
    assert np.trapezoid(values, points) == pytest.approx(6.0, rel=1e-3)
    assert 5 < found.details["phonons"]["highest_thz"] < 15
