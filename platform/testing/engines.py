"""What every engine must do, as a test of its own package calls it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, Final
from uuid import uuid4

import numpy as np
from jobflow import Flow, JobStore, OnMissing, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Structure

from fermiloop.flows.engines.protocol import Availability, EngineEntry, EvaluationResult, MethodRecord
from fermiloop.flows.engines.sanity import fault_of
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.declaration import load
from fermiloop.platform.plugins.engines import EngineDeclaration
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.representations.prototypes import PROTOTYPES

STRANGE: Final = "no_engine_has_such_a_setting"
LIMIT: Final = 120.0  # s, of a calculation of the check


def check_engine(
    declaration: EngineDeclaration,
    structures: Sequence[Structure] | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    compute: bool = True,
    time_limit: float = LIMIT,
) -> None:
    """Check an engine against what campaigns ask of it; what it computes goes into the data folder of the settings.

    Parameters
    ----------
    declaration
        Of the engine.
    structures
        Crystals that it computes in a short time; copper otherwise.
    settings
        Settings of the engine, beyond its defaults.
    compute
        Whether to compute the crystals, where the engine is available here.
    time_limit
        Seconds of one calculation.

    Raises
    ------
    AssertionError
        With what it does and should not.
    """
    code, given = load(declaration.code), dict(settings or {})
    assert isinstance(code, EngineEntry), f"{declaration.code} is {type(code).__name__} and no EngineEntry"
    crystals = list(structures or [PROTOTYPES["A1"].build("Cu", None, 11.8)])
    _check_gives(declaration, given)
    _check_method(declaration, code, given)
    found = code.available()
    assert isinstance(found, Availability), f"available gives {type(found).__name__}, not Availability"
    assert found.detail.strip(), "available says nothing: what is there, or how to install it"
    for crystal in crystals:
        _check_refusal(code, crystal, given)
        _check_flow(declaration, code.flow("calc-check", crystal, given, time_limit))
        if code.static is not None:
            _check_flow(declaration, code.static("calc-check", crystal, given, time_limit))
        if compute and found.ready and code.refusal(crystal, given) is None:
            _check_result(declaration, given, computed(code, crystal, given, time_limit))


def computed(
    code: EngineEntry, structure: Structure, settings: Mapping[str, Any], time_limit: float, calculation: str = ""
) -> EvaluationResult:
    """Results of an engine's flow, run in this process as a campaign runs it; an error of its own comes through."""
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    flow = code.flow(calculation or f"calc-check-{uuid4().hex[:12]}", structure, settings, time_limit)
    run_locally(flow, store=store, log=False, create_folders=False, raise_immediately=True)
    return code.results({name: reference.resolve(store) for name, reference in flow.output.items()})


def _check_gives(declaration: EngineDeclaration, settings: Mapping[str, Any]) -> None:
    kind = load(declaration.settings) if declaration.settings else None
    assert kind is None or is_dataclass(kind), f"{declaration.settings} is no dataclass"
    unknown = [name for name in declaration.properties(settings) if name not in PROPERTIES]
    assert not unknown, f"it gives {', '.join(unknown)}, which no package declares as a property"


def _check_method(declaration: EngineDeclaration, code: EngineEntry, settings: Mapping[str, Any]) -> None:
    first, second = code.method(settings), code.method(settings)
    assert isinstance(first, MethodRecord), f"method gives {type(first).__name__}, not MethodRecord"
    assert first == second, "the same settings are another Method the second time"
    assert first.engine == declaration.name, f"its Method is of {first.engine}, not of {declaration.name}"
    for what, value in (("settings", first.settings), ("code_versions", first.code_versions)):
        try:
            same = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise AssertionError(f"the {what} of its Method are not JSON-ready: {error}") from error
        assert same == value, f"the {what} of its Method are another thing as JSON: {value} and {same}"
    told = _refusal_of_strange(code, settings)
    assert told is not None, "it takes a setting that it does not have; refuse it with an InputError"
    assert STRANGE in told, f"the refusal of an unknown setting does not name it: {told}"
    assert "\n" not in told, "the refusal of an unknown setting is more than a sentence"


def _refusal_of_strange(code: EngineEntry, settings: Mapping[str, Any]) -> str | None:
    try:
        code.method({**settings, STRANGE: 1})
    except InputError as error:
        return str(error)
    return None


def _check_refusal(code: EngineEntry, crystal: Structure, settings: Mapping[str, Any]) -> None:
    for name, asked in (("refuses", code.refuses), ("refuses_to_relax", code.refuses_to_relax)):
        told = asked(crystal, settings)
        assert told is None or (isinstance(told, str) and told.strip()), f"{name} gives {told!r}, not words or None"
        assert asked(crystal, settings) == told, f"{name} says another thing the second time"


def _check_flow(declaration: EngineDeclaration, flow: Any) -> None:
    assert isinstance(flow, Flow), f"flow gives {type(flow).__name__}, not a jobflow Flow; see protocol.chain"
    assert isinstance(flow.output, Mapping), "the output of its flow is no mapping of steps; see protocol.chain"
    last = list(flow.output)[-1]
    assert last == declaration.last_step, f"its last step is {last}, and {declaration.last_step} is declared"
    for job, _ in flow.iterflow():
        waits = job.config.on_missing_references
        assert waits is OnMissing.NONE, f"the job {job.name} would wait for ever where one before failed: {waits}"


def _check_result(declaration: EngineDeclaration, settings: Mapping[str, Any], found: EvaluationResult) -> None:
    assert isinstance(found, EvaluationResult), f"results gives {type(found).__name__}, not EvaluationResult"
    fault = fault_of(found, declaration.lowest_energy)
    assert fault is None, f"a result of it is refused: {fault}"
    told = {
        "energy_per_atom": found.energy_per_atom,
        "band_gap": found.gap,
        "fermi_level": found.fermi_level,
        "magnetic_moment": found.magnetic_moment,
        **found.properties,
    }
    given = {name for name, value in told.items() if value is not None}
    undeclared = given - set(declaration.properties(settings))
    assert not undeclared, f"it gives {', '.join(sorted(undeclared))} without declaring that"
    assert given, "it gives no number at all"
    curve = found.density is not None and found.energies is not None
    said = declaration.has_dos(settings)
    assert curve == said, f"a density of states is {'' if said else 'not '}declared, and {'' if curve else 'not '}given"
    named = set(declaration.curves(settings))
    unnamed = set(found.curves) - named
    assert not unnamed, f"it gives the curves {', '.join(sorted(unnamed))} without declaring that"
    if curve:
        rising = np.diff(np.asarray(found.energies))
        assert (rising > 0).all(), "the energies of its density of states do not rise"
