"""The engine ``flow``: a Maker of the user's own, its output read by paths, in a child with all that steps have."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore

from fermiloop.flows.engines.flow.engine import ENGINE
from fermiloop.flows.engines.flow.reading import at
from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.flows.engines.sanity import fault_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import EngineError, InputError, SpecError
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.representations.prototypes import PROTOTYPES

CRYSTAL = PROTOTYPES["B2"].build("Al", "Ni", 14.0)
OUTPUTS: dict[str, Any] = {
    "energy_per_atom": "output.energy_per_atom",
    "bulk_modulus": {"path": "bulk.0.k", "unit": "GPa", "factor": 100},
    "magnetic_moment": "moment",
}
SETTINGS: dict[str, Any] = {
    "maker": "group_flows:SqueezeMaker",
    "arguments": {"by": 0.8},
    "structure": "structure",
    "outputs": OUTPUTS,
    "dos": {"energies": "curve.energies", "densities": "curve.densities", "fermi_level": "fermi"},
}
CAMPAIGN = """
name: one
target: {properties: [{name: %s, at_least: 1.0}], stable_within: null}
space: {elements: [Ni, Pt]}
generators: [{name: substitution, proposals: 5}]
engine: {name: flow, settings: {maker: "group_flows:SqueezeMaker", outputs: {bulk_modulus: bulk.0.k}}}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""


def evaluated(calculation: str, settings: dict[str, Any], limit: float = 120.0) -> EvaluationResult:
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    flow = ENGINE.flow(calculation, CRYSTAL, settings, limit)
    run_locally(flow, store=store, log=False, create_folders=False, raise_immediately=True)
    return ENGINE.results({name: ref.resolve(store) for name, ref in flow.output.items()})


def test_a_flow_is_run_in_a_child_and_read_by_its_paths_and_a_rerun_pays_nothing() -> None:
    found = evaluated("calc-flow", SETTINGS)
    assert found.structure.volume == pytest.approx(CRYSTAL.volume * 0.8 * 0.8)
    assert found.energy_per_atom == pytest.approx(-3.2)
    assert found.magnetic_moment == 4.0
    assert found.properties == {"bulk_modulus": 150.0}
    assert found.energies is not None
    assert found.density is not None
    assert found.energies[0] == pytest.approx(-10.0)  # counted from the Fermi level
    assert set(np.round(found.density, 6)) == {1.5}  # both spins
    assert fault_of(found) is None
    assert len(list(isolation.step_folder("calc-flow", "flow").glob("jobs/job_*"))) == 3
    cost = isolation.core_seconds("calc-flow")
    assert cost > 0
    assert evaluated("calc-flow", SETTINGS).energy_per_atom == found.energy_per_atom
    assert isolation.core_seconds("calc-flow") == cost


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"outputs": {"energy_per_atom": "output.energies.0"}},
            "the flow gives nothing at output.energies.0: output has no energies, but energy_per_atom",
        ),
        ({"outputs": {"bulk_modulus": "words"}}, "the flow gives 'much' at words, which is no finite number"),
        ({"structure": "words"}, "the flow gives str at words, which is no crystal"),
        ({"maker": "group_flows:failing", "arguments": {}}, "RuntimeError: the self-consistency did not converge"),
        ({"maker": "group_flows:number", "arguments": {}}, "gives float for a crystal, neither a Flow nor a Job"),
        ({"maker": "group_flows:silent", "arguments": {}}, "gives a flow without an output"),
    ],
)
def test_what_fails_says_why_in_a_sentence(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(EngineError, match="flow of calc-bad failed"):
        evaluated("calc-bad", SETTINGS | change)
    failure = isolation.read_failure("calc-bad")
    assert failure is not None
    assert failure.step == "flow"
    assert reason in failure.reason


def test_a_flow_ends_with_its_time() -> None:
    slow = {"maker": "group_flows:resting", "outputs": {"energy_per_atom": "energy_per_atom"}}
    with pytest.raises(EngineError, match=r"ran out of its 8 s"):
        evaluated("calc-slow", slow, limit=8.0)


def test_the_method_holds_the_maker_its_arguments_its_outputs_and_its_version() -> None:
    made = ENGINE.method(SETTINGS)
    assert made.functional == "group_flows:SqueezeMaker"
    assert made.settings["arguments"] == {"by": 0.8}
    assert made.settings["outputs"] == OUTPUTS
    assert made.settings["version"]["group_flows"].startswith("sha256:")
    assert "jobflow" in made.code_versions
    assert json.loads(json.dumps(made.settings)) == made.settings
    assert ENGINE.method(SETTINGS | {"arguments": {"by": 0.7}}).settings != made.settings
    of_package = ENGINE.method(SETTINGS | {"maker": "jobflow:Maker", "arguments": {}})
    assert set(of_package.settings["version"]) == {"jobflow"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"maker": ""}, "name a jobflow Maker as package.module:name"),
        ({"maker": "group_flows:Nothing"}, "group_flows has no Nothing"),
        ({"maker": "no_such_module:Maker"}, "no_such_module cannot be imported"),
        ({"maker": "group_flows:word"}, "is str, neither a jobflow Maker nor a callable"),
        ({"maker": "group_flows:made"}, "is made already"),
        ({"maker": "pathlib:Path", "arguments": {}}, "has no method make"),
        ({"arguments": {"buy": 1}}, r"does not take these arguments .*known are name, by"),
        ({"maker": "group_flows:of_callable", "arguments": {"buy": 1}}, "known are by"),
        ({"maker": "group_flows:PickyMaker", "arguments": {"by": 2}}, "ValueError: by must be less than 1"),
        ({"arguments": [1]}, "must be a mapping"),
        ({"arguments": {"by": {"@module": "os"}}}, "has the key '@module'"),
        ({"outputs": {}}, "name at least one property"),
        ({"outputs": {"taste": "output"}}, "The property 'taste' is unknown"),
        ({"outputs": {"bulk_modulus": {"path": "k", "unit": "eV"}}}, "is in eV, and bulk_modulus is kept in GPa"),
        ({"outputs": {"bulk_modulus": {"path": "k", "times": 2}}}, "has the key 'times'"),
        ({"outputs": {"bulk_modulus": {"path": "k", "factor": "x"}}}, "must be a number"),
        ({"outputs": {"bulk_modulus": 3}}, "must be a mapping"),
        ({"outputs": {"bulk_modulus": {}}}, "names no path"),
        ({"dos": {"energies": "x"}}, "dos.densities is no path"),
        ({"dos": {"energies": "x", "densities": "y", "broadening": -1}}, "from 0 to 5 eV"),
        ({"dos": {"energies": "x", "densities": "y", "fermi": "z"}}, "has the key 'fermi'"),
        ({"structure": 3}, "must be a path"),
    ],
)
def test_settings_are_refused_at_launch(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        ENGINE.method(SETTINGS | change)


def test_a_target_is_one_of_the_outputs() -> None:
    assert parse_spec(CAMPAIGN % "bulk_modulus").engine.name == "flow"
    with pytest.raises(SpecError, match=r"gives no band_gap for target.properties; name it in engine.settings.outputs"):
        parse_spec(CAMPAIGN % "band_gap")
    assert ENGINES["flow"].has_dos(SETTINGS)
    assert "energy_above_hull" in ENGINES["flow"].properties(SETTINGS)


def test_a_path_goes_through_attributes_keys_and_lists_but_not_behind_them() -> None:
    assert at({"a": [{"b": CRYSTAL}]}, "a.0.b.lattice.volume") == CRYSTAL.volume
    with pytest.raises(EngineError, match="a is a list of 1 and has no 3"):
        at({"a": [1]}, "a.3")
    with pytest.raises(EngineError, match="has no __class__"):
        at(CRYSTAL, "__class__")
