"""The engine gpaw-hydrogen: its settings and Method, its flow, what it tells, and a genuine calculation."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.gpaw_hydrogen import task
from fermiloop.flows.engines.gpaw_hydrogen.declaration import GPAW_HYDROGEN
from fermiloop.flows.engines.gpaw_hydrogen.energies import PROPERTY, interstitial_energy, summary
from fermiloop.flows.engines.gpaw_hydrogen.engine import ENGINE
from fermiloop.flows.engines.gpaw_hydrogen.makers import HydrogenMaker
from fermiloop.flows.engines.gpaw_hydrogen.settings import GpawHydrogenSettings, of_hydrogen
from fermiloop.flows.engines.gpaw_hydrogen.sites import interstitial_sites
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import results_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import EngineError, InputError, SpecError
from fermiloop.platform.plugins.curve_key import curve_key
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.testing.engines import check_engine, computed

AL = Structure(Lattice([[0, 2.02, 2.02], [2.02, 0, 2.02], [2.02, 2.02, 0]]), ["Al"], [[0, 0, 0]])
COARSE = {"cutoff": 250.0, "kpoint_density": 1.0, "relax_kpoint_density": 1.0, "hydrogen_kpoint_density": 1.0}
SMALL = COARSE | {"cells": 1, "box": 5.0, "dos_hi": 2.0, "relax_fmax": 0.5, "hydrogen_fmax": 0.2}
CAMPAIGN = """
name: hydrides
target: {properties: [{name: hydrogen_interstitial_energy, at_most: 0}], stable_within: null}
space: {elements: [Mo, Co], components: [2, 2], max_sites: 4}
generators: [{name: substitution, proposals: 4}]
engine: {name: ENGINE}
budget: {rounds: 1, evaluations: 1, per_round: 1}
"""


def test_energy_is_that_of_an_atom_of_the_molecule() -> None:
    assert interstitial_energy(-20.0, -16.5, -6.6) == pytest.approx(-0.2)


def test_the_lower_site_counts() -> None:
    assert summary([{"energy": 0.1}, {"energy": -0.2}]) == {PROPERTY: -0.2}


def test_engine_and_property_are_declared() -> None:
    assert code_of("gpaw-hydrogen").method({}) == ENGINE.method({})
    assert PROPERTY in GPAW_HYDROGEN.properties({})
    assert PROPERTIES[PROPERTY].unit == "eV/H"
    assert PROPERTIES[PROPERTY].fault(-0.18) is None


def test_the_engine_does_what_campaigns_ask_of_it() -> None:
    check_engine(GPAW_HYDROGEN, compute=False)


def test_campaigns_ask_for_the_property() -> None:
    assert parse_spec(CAMPAIGN.replace("ENGINE", "gpaw-hydrogen")).engine.name == "gpaw-hydrogen"
    with pytest.raises(SpecError, match="use gpaw-hydrogen"):
        parse_spec(CAMPAIGN.replace("ENGINE", "gpaw"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"separation": 1.0}, "separation of the gpaw-hydrogen engine is 1; write one from 2 to 15"),
        ({"cells": -1}, "cells"),
        ({"sites": 0}, "sites"),
        ({"cells": 1.5}, "whole number"),
        ({"seperation": 5.0}, "did you mean separation"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        of_hydrogen(given)


def test_how_hydrogen_is_placed_is_part_of_the_method_and_how_it_is_relaxed_is_not() -> None:
    plain = ENGINE.method({})
    assert ENGINE.method({"cells": 1}) != plain
    assert ENGINE.method({"hydrogen_steps": 5, "hydrogen_fmax": 0.1}) == plain


def test_its_curves_are_those_of_gpaw() -> None:
    one, other = code_of("gpaw").method({}), ENGINE.method({"cells": 1})
    keys = {curve_key(method.engine, method.functional, method.settings) for method in (one, other)}
    assert len(keys) == 1
    assert None not in keys


def test_hard_elements_need_a_cutoff_of_their_own() -> None:
    oxide = Structure(Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    remedy = "write engine: {name: gpaw-hydrogen, settings: {cutoff: 600, relax_extra_cutoff: 200}}"
    assert ENGINE.refusal(oxide, {}) == f"O needs a cutoff of 600 eV, not 400: {remedy}"
    assert str(ENGINE.refusal(oxide, {"cutoff": 600.0})).endswith(remedy)
    assert ENGINE.refusal(oxide, {"cutoff": 600.0}, relax=False) is None
    assert ENGINE.refusal(oxide, {"cutoff": 600.0, "relax_extra_cutoff": 200.0}) is None


def test_hydrogen_comes_last_and_far_from_atoms() -> None:
    (octahedral, *_) = interstitial_sites(AL, 4)
    filled = task.with_hydrogen_at(AL, AL, octahedral)
    assert filled[-1].specie.symbol == "H"
    assert filled.get_distance(0, 1) == pytest.approx(octahedral.radius, abs=1e-3)


def test_one_molecule_serves_all_crystals_of_a_method() -> None:
    ours = GpawHydrogenSettings()
    assert task.molecule_key(ours, {"gpaw": "1"}) == task.molecule_key(GpawHydrogenSettings(cells=2), {"gpaw": "1"})
    assert task.molecule_key(ours, {"gpaw": "1"}) != task.molecule_key(GpawHydrogenSettings(box=9.0), {"gpaw": "1"})
    assert task.molecule_key(ours, {"gpaw": "1"}) != task.molecule_key(ours, {"gpaw": "2"})


def test_what_is_computed_already_is_not_computed_again(tmp_path: Path) -> None:
    """With every energy on disk the task tells the result without GPAW."""
    chosen = GpawHydrogenSettings(cells=1)
    molecule = tmp_path / "molecules" / f"H2-{task.molecule_key(chosen, {})}"
    kept = {molecule / "molecule.json": {"energy": -6.6, "bond": 0.75}}
    kept[tmp_path / "host.json"] = {"total": -3.7, "magnetic_moment": 0.0}
    for number, (kind, total) in enumerate((("octahedral", -7.1), ("tetrahedral", -6.8)), 1):
        kept[tmp_path / f"site-{number}" / "site.json"] = {"kind": kind, "total": total}
    for path, value in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    labels = {"structure": AL.as_dict(), "energy": -3.7}
    given = {"labels": labels, "settings": vars(chosen), "versions": {}, "molecules": str(tmp_path / "molecules")}
    found = results_of({"hydrogen": task.run(given, tmp_path)})
    assert found.properties == {PROPERTY: pytest.approx(-0.1)}
    told = found.computed_by()["hydrogen"]["sites"]
    assert {site["kind"]: site["energy"] for site in told} == pytest.approx({"octahedral": -0.1, "tetrahedral": 0.2})


def test_a_crystal_with_no_room_is_told(tmp_path: Path) -> None:
    labels = {"structure": Structure(Lattice.cubic(1.3), ["Pd"], [[0, 0, 0]]).as_dict()}
    given = {"labels": labels, "settings": {}, "versions": {}, "molecules": str(tmp_path)}
    with pytest.raises(EngineError, match="no interstitial site"):
        task.run(given, tmp_path)


def test_a_molecule_is_left_as_it_is(tmp_path: Path) -> None:
    boxed = Structure(Lattice.cubic(9.0), ["N", "N"], [[0.5, 0.5, 0.44], [0.5, 0.5, 0.56]])
    labels = {"structure": boxed.as_dict(), "energy": -16.0}
    given = {"labels": labels, "settings": {}, "versions": {}, "molecules": str(tmp_path)}
    assert task.run(given, tmp_path) == labels


def test_a_finished_step_is_taken_up_by_the_job() -> None:
    """Jobflow hands on the relaxed crystal as an object; the child is given it as a dictionary."""
    folder = isolation.step_folder("calc-finished", "hydrogen")
    folder.mkdir(parents=True)
    (folder / isolation.OUTPUT).write_text(json.dumps({"structure": AL.as_dict(), "properties": {PROPERTY: 0.3}}))
    made = HydrogenMaker(settings=vars(GpawHydrogenSettings()), calculation="calc-finished")
    found = made.make.original(made, {"structure": AL, "energy": -3.7})
    assert found["properties"] == {PROPERTY: 0.3}
    asked = json.loads((folder / isolation.INPUT).read_text())["labels"]
    assert Structure.from_dict(asked["structure"]) == AL


@pytest.mark.slow
def test_aluminium_by_gpaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coarse and small, but genuine: both sites, one molecule, and the curve of the crystal without hydrogen."""
    if find_spec("gpaw") is None:
        pytest.skip("GPAW is not installed: pip install '.[dft]' in fermiloop's folder")
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path))
    found = computed(ENGINE, AL, SMALL, 600.0, "calc-aluminium")
    told = found.details["hydrogen"]
    assert {site["site"] for site in told["sites"]} == {"octahedral Al6", "tetrahedral Al4"}
    assert found.properties[PROPERTY] == pytest.approx(min(site["energy"] for site in told["sites"]))
    assert 0.7 < told["molecule"]["bond"] < 0.85
    assert len(found.structure) == 1
    assert found.density is not None
    assert len(list((tmp_path / "molecules").iterdir())) == 1
