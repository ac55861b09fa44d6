"""Whole evaluations by genuine outputs: worker, custodian, emmet, job store, adapter and store are the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.io.vasp import Vasprun

from fermiloop.flows.campaigns.enqueue import check_engine, enqueue
from fermiloop.flows.campaigns.fair_share import draw
from fermiloop.flows.campaigns.steps import method_of
from fermiloop.flows.driving.advance import advance_all
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.engines.vasp.outcar import cores
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, candidates, labels, materials, methods, spectra
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, Origin, Property, Stage

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

Evaluate = Callable[[str], Candidate]
WHOLE = """
name: silicon
target: {properties: [{name: band_gap, value: 0.65, tolerance: 0.1}]}
space: {elements: [Si], components: [1, 1], crystal_systems: [cubic], max_sites: 4}
generators: [{name: prototype_enumeration, proposals: 2}]
funnel: {stages: [geometry], potential: analytic}
acquisition: {name: random}
engine: {name: vasp, time_limit: 900}
budget: {rounds: 1, evaluations: 1, per_round: 1}
"""
STEPS = ["relax1", "relax2", "scf", "dos"]


def found_of(candidate: Candidate) -> tuple[Any, dict[Property, float], Any]:
    done = calculations.get(candidate.calculation)
    numbers = {row.property: row.value for row in labels.of_calculations([done.id])}
    curve = spectra.of_material(candidate.material, method=done.method)
    assert curve is not None
    return done, numbers, curve


def check_cost(calculation: str, n: int) -> None:
    """Every step is charged on the cores that OUTCAR names, at least as long as it wrote."""
    for step in STEPS:
        folder = isolation.step_folder(calculation, step)
        assert cores(folder / "attempt-1") == n
        began = json.loads((folder / "attempt-1.json").read_text())["began"]
        last = max(path.stat().st_mtime for path in (folder / "attempt-1").iterdir())
        paid = json.loads((folder / isolation.COST).read_text())
        assert paid["outcome"] == "done"
        assert paid["core_seconds"] >= n * (last - began) * 0.999 > 0.0


def states(curve: Any, lo: float, hi: float) -> float:
    x, y = curve.points(), curve.array()
    inside = (x >= lo - 1e-9) & (x <= hi + 1e-9)
    return float(np.trapezoid(y[inside], x[inside]))


def test_silicon(vasp: Any, select: Any, evaluate: Evaluate, outputs: Path) -> None:
    candidate = evaluate(select())
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert candidate.scores["hit"]
    assert vasp.runs == STEPS
    done, numbers, curve = found_of(candidate)
    assert done.state is CalculationState.COMPLETED
    scf, dos = (Vasprun(outputs / "Si" / step / "vasprun.xml.gz", parse_potcar_file=False) for step in ("scf", "dos"))
    gap, cbm, vbm, _ = dos.eigenvalue_band_properties
    assert numbers[Property.ENERGY_PER_ATOM] == pytest.approx(scf.final_energy / 2, abs=1e-9)
    assert numbers[Property.ENERGY_PER_ATOM] == pytest.approx(-5.425186, abs=1e-6)
    assert numbers[Property.BAND_GAP] == pytest.approx(gap, abs=1e-9)
    assert numbers[Property.BAND_GAP] == pytest.approx(0.6503, abs=1e-4)
    assert materials.structure(candidate.material).volume == pytest.approx(scf.final_structure.volume, rel=1e-6)
    assert curve.n_electrons == dos.parameters["NELECT"] == 8.0
    assert states(curve, -10.0, 0.0) == pytest.approx(7.178, abs=1e-3)
    x, y = curve.points(), curve.array()
    empty = x[y < 0.01]
    below, above = empty[empty < 0].min(initial=0.0), empty[(empty > 0) & (empty < 2)].max(initial=0.0)
    assert abs(below + above) <= 0.1  # the gap of the broadened curve lies about zero
    assert dos.efermi == pytest.approx(vbm, abs=0.05) or dos.efermi == pytest.approx(cbm, abs=0.05)  # at an edge
    check_cost(done.id, 4)  # 4 total cores
    assert done.result["functional"] == "PBE"
    assert done.result["hubbard_u"] == {}


def test_a_whole_campaign_of_silicon(vasp: Any, pad: Any, outputs: Path) -> None:
    """Launched, sampled, screened, selected, evaluated, recorded and closed, by a worker's own loop."""
    from fireworks import FWorker
    from fireworks.core.rocket_launcher import launch_rocket

    from fermiloop.db_init import setup

    setup.init()
    spec = parse_spec(WHOLE)
    known = materials.save(PROTOTYPES["A1"].build("Si", None, 15.0), origin=Origin.SEED, source={"name": "for tests"})
    labels.save(known, Property.BAND_GAP, 0.0, method=method_of(spec))  # something to learn from
    check_engine(spec)
    enqueue(spec, WHOLE)
    rng = np.random.default_rng(0)
    for _ in range(60):
        advance_all(pad, "me")
        query = draw(pad, rng)
        if query is None:
            break
        launch_rocket(pad, FWorker("me", query=query), strm_lvl="CRITICAL")
    ended = campaigns.get(spec.name)
    assert ended.state is CampaignState.FINISHED, ended.reason
    chosen = [one for one in candidates.of_campaign(spec.name) if one.calculation]
    assert [one.stage for one in chosen] == [Stage.EVALUATED], [one.reason for one in chosen]
    assert chosen[0].scores["hit"]
    assert vasp.runs == STEPS
    done, numbers, curve = found_of(chosen[0])
    assert done.ingested
    assert numbers[Property.ENERGY_PER_ATOM] == pytest.approx(-5.425186, abs=1e-6)
    assert numbers[Property.BAND_GAP] == pytest.approx(0.6503, abs=1e-4)
    assert states(curve, -10.0, 0.0) == pytest.approx(7.178, abs=1e-3)


def test_nothing_is_computed_a_second_time(vasp: Any, select: Any, evaluate: Evaluate, pad: Any) -> None:
    from fireworks import FWorker
    from fireworks.core.rocket_launcher import launch_rocket
    from jobflow.managers.fireworks import flow_to_workflow

    candidate = evaluate(select())
    done = calculations.get(candidate.calculation)
    paid = isolation.core_seconds(done.id)
    again = code_of("vasp").flow(done.id, materials.structure(candidate.material), {}, 900.0)
    pad.add_wf(flow_to_workflow(again))
    while pad.fireworks.find_one({"state": "READY"}, {"_id": 1}):
        launch_rocket(pad, FWorker("one"), strm_lvl="CRITICAL")
    assert vasp.runs == STEPS
    assert isolation.core_seconds(done.id) == paid
    assert pad.fireworks.count_documents({"state": "FIZZLED"}) == 0


def check_iron(vasp: Any, candidate: Candidate, outputs: Path) -> str:
    """The one genuine run of iron in each step's place; id of the Method of its results."""
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert vasp.runs == STEPS
    done, numbers, curve = found_of(candidate)
    run = Vasprun(outputs / "Fe" / "vasprun.xml.gz", parse_potcar_file=False)
    cell, own = done.result["computed_cell"], materials.get(candidate.material).n_sites
    assert cell["magnetic_moment"] == pytest.approx(9.165, abs=1e-3)  # of the cell that was computed, four atoms
    assert (cell["n_sites"], cell["n_electrons"]) == (4, run.parameters["NELECT"])
    assert numbers[Property.MAGNETIC_MOMENT] == pytest.approx(9.165 * own / 4, abs=1e-3)  # of the material's cell
    assert numbers[Property.ENERGY_PER_ATOM] == pytest.approx(run.final_energy / 4, abs=1e-9)
    assert numbers[Property.BAND_GAP] == 0.0
    assert numbers[Property.FERMI_LEVEL] == pytest.approx(run.efermi)
    assert curve.n_electrons * 4 / own == run.parameters["NELECT"] == 32.0
    assert states(curve, -10.0, 0.0) * 4 / own == pytest.approx(32.1, abs=0.1)
    check_cost(done.id, 64)  # 64 ranks of one thread
    assert done.result["functional"] == "RPBE"
    return str(done.method)


@pytest.mark.slow
def test_iron(vasp: Any, select: Any, evaluate: Evaluate, outputs: Path, updates: Any) -> None:
    """The run is one by RPBE, and so is the campaign that asks for it."""
    vasp.gives(outputs / "Fe")
    updates({"gga": "RP"})
    candidate = evaluate(select("Fe", "none"))
    method = methods.get(check_iron(vasp, candidate, outputs))
    assert method.functional == "RPBE"
    assert method.settings["incar_updates"] == {"GGA": "RP"}


@pytest.mark.slow
def test_what_ran_another_functional_is_kept_under_the_method_of_that(
    vasp: Any, select: Any, evaluate: Evaluate, outputs: Path
) -> None:
    vasp.gives(outputs / "Fe")
    chosen = select("Fe", "none")
    planned = calculations.of_campaign("genuine")[0].method
    ran = check_iron(vasp, evaluate(chosen), outputs)
    assert methods.get(planned).functional == "PBE"
    assert methods.get(ran).functional == "RPBE"
    assert methods.get(ran).settings == methods.get(planned).settings


@pytest.mark.slow
def test_corrections_of_what_ran_another_functional_are_refused(
    vasp: Any, select: Any, evaluate: Evaluate, outputs: Path
) -> None:
    vasp.gives(outputs / "Fe")
    candidate = evaluate(select("Fe", "MP2020"))
    assert candidate.stage is Stage.FAILED
    assert candidate.reason == (
        "static: MaterialsProject2020Compatibility is for PBE and PBE+U, and Fe was computed by RPBE; "
        "set corrections: none"
    )
