"""The engine gpaw-hydrogen: its settings and Method, its flow, what it tells, and a genuine calculation."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ase.calculators.emt import EMT
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.element_references import shipped
from fermiloop.flows.driving import computing
from fermiloop.flows.engines.gpaw_hydrogen import dft, task
from fermiloop.flows.engines.gpaw_hydrogen.declaration import GPAW_HYDROGEN
from fermiloop.flows.engines.gpaw_hydrogen.energies import PROPERTY, interstitial_energy, summary
from fermiloop.flows.engines.gpaw_hydrogen.engine import ENGINE
from fermiloop.flows.engines.gpaw_hydrogen.makers import HydrogenMaker
from fermiloop.flows.engines.gpaw_hydrogen.settings import GpawHydrogenSettings, of_hydrogen
from fermiloop.flows.engines.gpaw_hydrogen.sites import interstitial_sites
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import results_of
from fermiloop.flows.engines.steps import geometry, isolation
from fermiloop.flows.evaluations import asking
from fermiloop.flows.evaluations.asking import Given
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import EngineError, InputError, SpecError
from fermiloop.platform.plugins.curve_key import curve_key
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.store import calculations, labels
from fermiloop.platform.testing.engines import check_engine, computed

AL = Structure(Lattice([[0, 2.02, 2.02], [2.02, 0, 2.02], [2.02, 2.02, 0]]), ["Al"], [[0, 0, 0]])
PD = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.0), ["Pd"], [[0, 0, 0]])
MOLECULE = {"energy": -6.6, "bond": 0.75}
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


class Emt(EMT):
    """Effective-medium theory in GPAW's place: it takes no time."""

    def get_number_of_spins(self) -> int:
        return 1


@pytest.fixture
def emt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dft, "calculator", lambda *_, **__: Emt())


@pytest.fixture
def begun(emt: None, monkeypatch: pytest.MonkeyPatch) -> list[Structure]:
    """What relaxations begin with, in their order."""
    found: list[Structure] = []
    atoms_of = dft._atoms

    def noted(structure: Structure, settings: GpawHydrogenSettings, log: Path) -> Any:
        found.append(structure)
        return atoms_of(structure, settings, log)

    monkeypatch.setattr(dft, "_atoms", noted)
    return found


def task_of(crystal: Structure, place: Path, moments: list[float] | None = None, **chosen: Any) -> dict[str, Any]:
    """What the child is given, with the molecule computed already."""
    own = GpawHydrogenSettings(**chosen)
    folder = place / "molecules" / f"H2-{task.molecule_key(own, {})}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "molecule.json").write_text(json.dumps(MOLECULE))
    labels = {"structure": crystal.as_dict(), "energy": -3.7, "gap": 0.0}
    return {
        "labels": labels,
        "settings": vars(own),
        "versions": {},
        "moments": moments,
        "molecules": str(place / "molecules"),
    }


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


def test_workers_that_need_the_molecule_together_compute_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing = []

    def slow(settings: GpawHydrogenSettings, folder: Path) -> dict[str, Any]:
        computing.append(folder)
        time.sleep(0.5)
        return MOLECULE

    monkeypatch.setattr(dft, "molecule", slow)
    with ThreadPoolExecutor(3) as workers:
        found = list(workers.map(lambda _: task._molecule(GpawHydrogenSettings(), tmp_path, {}), range(3)))
    assert found == [MOLECULE] * 3
    assert len(computing) == 1


def test_what_is_computed_already_is_not_computed_again(tmp_path: Path) -> None:
    """With every energy on disk the task tells the result without GPAW."""
    kept = {tmp_path / "host" / "host.json": {"total": -3.7, "magnetic_moment": 0.0}}
    for number, (kind, total) in enumerate((("octahedral", -7.1), ("tetrahedral", -6.8)), 1):
        kept[tmp_path / f"site-{number}" / "site.json"] = {"kind": kind, "total": total}
    for path, value in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    given = task_of(AL, tmp_path, cells=1)
    found = results_of({"hydrogen": task.run(given, tmp_path)})
    assert found.properties == {PROPERTY: pytest.approx(-0.1)}
    told = found.computed_by()["hydrogen"]["sites"]
    assert {site["kind"]: site["energy"] for site in told} == pytest.approx({"octahedral": -0.1, "tetrahedral": 0.2})


def test_the_crystal_without_hydrogen_is_relaxed_as_with_it(tmp_path: Path, emt: None) -> None:
    """What the atoms of a crystal gain that was handed over as it is does not count as hydrogen's."""
    handed_over = PD.copy()
    handed_over.translate_sites([0], [0.3, 0.0, 0.0], frac_coords=False)
    told = [
        task.run(task_of(one, place, cells=cells, sites=1, hydrogen_steps=100), place)["details"]["hydrogen"]
        for one, cells, place in ((PD, 4, tmp_path / "relaxed"), (handed_over, 1, tmp_path / "as it is"))
    ]
    first, second = (one["cell"] for one in told)
    assert (first["atoms"], second["atoms"]) == (4, 4)
    assert (first["steps"], second["steps"] > 0) == (0, True)
    assert second["total"] == pytest.approx(first["total"], abs=1e-3)
    for one in told:
        energy = interstitial_energy(one["sites"][0]["total"], one["cell"]["total"], MOLECULE["energy"])
        assert one["sites"][0]["energy"] == pytest.approx(energy)


def test_moments_that_were_given_reach_the_supercell_with_hydrogen_and_without(
    tmp_path: Path, begun: list[Structure]
) -> None:
    task.run(task_of(PD, tmp_path, [2.0, 2.0, -2.0, -2.0], cells=2, sites=1), tmp_path)
    without, filled = begun
    antiferromagnet = [-2.0, -2.0, 2.0, 2.0]  # whose primitive cell has two atoms
    assert sorted(without.site_properties["magmom"]) == antiferromagnet
    assert sorted(filled.site_properties["magmom"][:-1]) == antiferromagnet
    assert (filled[-1].specie.symbol, filled[-1].properties["magmom"]) == ("H", 0.0)


def test_a_relaxation_that_goes_on_begins_with_the_given_moments(tmp_path: Path, begun: list[Structure]) -> None:
    asked, moved = PD.copy(site_properties={"magmom": [2.0, 2.0, -2.0, -2.0]}), PD.copy()
    moved.translate_sites([0], [0.1, 0.0, 0.0], frac_coords=False)
    (tmp_path / geometry.FILE).write_text(json.dumps({"structure": geometry.plain(moved), "written": 1}))
    dft.relaxed(asked, GpawHydrogenSettings(), tmp_path)
    assert begun[0].cart_coords[0] == pytest.approx(moved.cart_coords[0])
    assert begun[0].site_properties["magmom"] == [2.0, 2.0, -2.0, -2.0]


@pytest.mark.parametrize("make", [ENGINE.flow, ENGINE.static])
def test_the_flow_hands_moments_to_its_last_step(make: Any) -> None:
    asked = PD.copy(site_properties={"magmom": [[0, 0, 2.0], [0, 0, 2.0], [0, 0, -2.0], None]})
    (*_, last) = make("calc-m", asked, {}, 900.0).jobs
    assert last.maker.moments == [2.0, 2.0, -2.0, 0.0]
    (*_, last) = make("calc-m", PD, {}, 900.0).jobs
    assert last.maker.moments is None


@pytest.mark.parametrize(
    ("crystal", "chosen", "why"),
    [
        (Structure(Lattice.cubic(1.3), ["Pd"], [[0, 0, 0]]), {}, "no interstitial site: no hole between 1.2 and 3 Å"),
        (shipped()["Rb"].structure, {}, "no interstitial site"),
        (shipped()["Cs"].structure, {}, "no interstitial site"),
        (PD, {"separation": 15.0}, "no supercell of 64 cells"),
    ],
    ids=["dense", "Rb", "Cs", "cells"],
)
def test_a_crystal_with_no_room_keeps_what_was_paid_for(
    tmp_path: Path, crystal: Structure, chosen: dict[str, Any], why: str
) -> None:
    given = task_of(crystal, tmp_path, **chosen)
    made = task.run(given, tmp_path)
    assert {name: made[name] for name in given["labels"]} == given["labels"]
    found = results_of({"hydrogen": made})
    assert found.properties == {}
    assert why in found.missing[PROPERTY]
    assert found.computed_by() == {"hydrogen": {"sites": []}, "missing": found.missing}


def test_a_site_that_does_not_end_leaves_the_others_and_what_was_paid_for(
    tmp_path: Path, emt: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []

    def relaxed(structure: Structure, settings: GpawHydrogenSettings, folder: Path) -> dft.Relaxed:
        computed.append(folder.name)
        if folder.name == "site-2" and settings.hydrogen_steps == 30:
            raise EngineError("positions did not converge to 0.05 eV/Å in 30 steps: 0.38 eV/Å is left")
        return relax(structure, settings, folder)

    relax = dft.relaxed
    monkeypatch.setattr(dft, "relaxed", relaxed)
    found = results_of({"hydrogen": task.run(task_of(PD, tmp_path, cells=4), tmp_path)})
    assert found.energy_per_atom is not None
    assert found.properties == {}
    octahedral, tetrahedral = found.details["hydrogen"]["sites"]
    assert tetrahedral["error"].startswith("positions did not converge")
    assert "energy" not in tetrahedral
    told = f"the lowest of the others has {octahedral['energy']:.3f} eV per H, and it is no higher"
    assert found.missing == {
        PROPERTY: f"1 of 2 sites did not end, the first tetrahedral Pd4: {tetrahedral['error']}; {told}"
    }
    again = results_of({"hydrogen": task.run(task_of(PD, tmp_path, cells=4, hydrogen_steps=60), tmp_path)})
    assert again.missing == {}
    assert computed == ["host", "site-1", "site-2", "site-2"]
    assert again.properties[PROPERTY] <= octahedral["energy"]


def test_a_host_that_does_not_end_leaves_what_was_paid_for(tmp_path: Path, emt: None) -> None:
    handed_over = PD.copy()
    handed_over.translate_sites([0], [0.3, 0.0, 0.0], frac_coords=False)
    found = results_of({"hydrogen": task.run(task_of(handed_over, tmp_path, cells=1, hydrogen_steps=1), tmp_path)})
    assert found.missing[PROPERTY].startswith("the supercell without hydrogen: positions did not converge")


def test_without_self_consistency_a_relaxation_has_not_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpaw = pytest.importorskip("gpaw", reason="GPAW is not installed: pip install '.[dft]' in fermiloop's folder")

    class Adrift(Emt):
        def calculate(self, *_: Any, **__: Any) -> None:
            raise gpaw.KohnShamConvergenceError

    monkeypatch.setattr(dft, "calculator", lambda *_, **__: Adrift())
    with pytest.raises(EngineError, match="self-consistency was not reached in 80 steps"):
        dft.relaxed(PD, GpawHydrogenSettings(), tmp_path)


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device"), RuntimeError("crashed")])
def test_what_is_no_fault_of_the_crystal_fails_the_step(
    tmp_path: Path, emt: None, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def relaxed(structure: Structure, settings: GpawHydrogenSettings, folder: Path) -> dft.Relaxed:
        if folder.name == "site-2":
            raise error
        return relax(structure, settings, folder)

    relax = dft.relaxed
    monkeypatch.setattr(dft, "relaxed", relaxed)
    with pytest.raises(type(error)):
        task.run(task_of(PD, tmp_path, cells=4), tmp_path)


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


def test_what_the_steps_left_is_recorded_by_the_queue(database: str) -> None:
    """Crystals among the details become objects between two jobs, and a document holds none."""
    (calculation,) = asking.launch([Given(PD, "Pd.cif")], "gpaw-hydrogen", SMALL)
    crystal = Structure.from_dict(calculations.get(calculation).structure)
    relaxed = {"structure": geometry.plain(crystal), "energy": -5.2}
    static = relaxed | {"gap": 0.0, "n_electrons": 10.0, "energies": [-9.0, 0.0, 9.0], "density": [1.0, 1.0, 1.0]}
    site = {"site": "octahedral Pd6", "energy": -0.1, "structure": geometry.plain(crystal)}
    hydrogen = static | {"properties": {PROPERTY: -0.1}, "details": {"hydrogen": {"sites": [site]}}}
    for step, output in (("relax", relaxed), ("static", static), ("hydrogen", hydrogen)):
        folder = isolation.step_folder(calculation, step)
        folder.mkdir(parents=True)
        (folder / isolation.OUTPUT).write_text(json.dumps(output))
    (found,) = computing.run([calculation], workers=None)
    assert found.reason is None
    assert (found.state, found.has_curve) == ("completed", True)
    (kept,) = calculations.get(calculation).result["hydrogen"]["sites"]
    assert Structure.from_dict(kept["structure"]) == crystal
    assert labels.values([str(found.material)], PROPERTY, found.method) == {found.material: -0.1}


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
