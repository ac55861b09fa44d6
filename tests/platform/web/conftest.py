"""A store with a campaign as it stands after a round, and pages over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dash.development.base_component import Component

from fermiloop.db_init import setup
from fermiloop.flows.campaigns.preflight import Problem
from fermiloop.flows.queue.running import Running
from fermiloop.platform.app import calculations as app_calculations
from fermiloop.platform.app import campaigns as app_campaigns
from fermiloop.platform.app import curves as app_curves
from fermiloop.platform.app import queue as app_queue
from fermiloop.platform.app.campaigns import CampaignFile, Launched
from fermiloop.platform.app.curves import Curve
from fermiloop.platform.campaign import scores
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import UserError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import calculations, campaigns, candidates, labels, materials, methods, spectra
from fermiloop.platform.web.site import Site
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, Origin, Property, Stage

# one module each, as the pages import them
app = SimpleNamespace(campaigns=app_campaigns, calculations=app_calculations, curves=app_curves, queue=app_queue)

TEXT = """
name: {name}
target: {{dos: {{material: Pd}}, hit_similarity: 0.9}}
space: {{elements: [Al, Ni, Cu]}}
generators: [{{name: substitution, proposals: 4}}]
engine: {{name: analytic, time_limit: 10}}
budget: {{rounds: 2, evaluations: 4, per_round: 2}}
"""
PAIRS = (("Ni", "Al"), ("Cu", "Al"), ("Ni", "Cu"))
SCRIPT = "<script>alert(1)</script>"


@dataclass
class Calls:
    """What the pages asked for, of functions that the tests of flows look at."""

    made: list[tuple[Any, ...]] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    workers: list[Any] = field(default_factory=list)

    def stand_in(self, patch: pytest.MonkeyPatch) -> None:
        """Take the places of the application's functions and note what was asked."""

        def note(module: Any, name: str, answer: Callable[..., Any]) -> None:
            def call(*given: Any, **named: Any) -> Any:
                self.made.append((name, *given, *named.values()))
                return answer(*given, **named)

            patch.setattr(module, name, call)

        for name in ("pause", "resume"):
            note(app.campaigns, name, lambda _: None)
        note(app.campaigns, "cancel", lambda _, wait: self.running)
        note(app.campaigns, "running", lambda _: self.running)
        note(app.campaigns, "enqueue", _enqueue)
        note(app.campaigns, "problems_of", _check)
        note(app.campaigns, "summary", summary)
        for name in ("rerun", "ignore"):
            note(app.calculations, name, len)
        note(app.curves, "similar", _near)
        note(app.queue, "listeners", lambda: self.workers)


@dataclass(frozen=True)
class Found:
    """One result of a search."""

    material: str
    formula: str | None
    value: float


def _near(curve: Curve, *, metric: str, limit: int) -> list[Found]:
    assert curve.values.shape == (DOS_GRID.n,)
    return [Found("m-1", "Pd", 0.75)]


def _enqueue(file: CampaignFile) -> Launched:
    fresh = campaigns.create(file.spec.name, file.spec.as_dict(), file.text)
    return Launched(file.spec.name, fresh)


def _check(text: str) -> list[Problem]:
    try:
        parse_spec(text)
    except UserError as error:
        return [Problem("", str(error))]
    return []


def summary(name: str) -> dict[str, Any]:
    """What a report holds, of the form that `summarise` makes."""
    spec = campaigns.get(name).spec
    curve = DOS_GRID.normalise(np.exp(-(DOS_GRID.points**2))).tolist()
    tally = {"stage": "geometry", "n_in": 3, "n_out": 3, "reasons": {}, "core_seconds": 0.1}
    return {
        "name": name, "state": "running", "reason": None, "evaluations": 1, "failures": 1, "core_seconds": 3.0,
        "rounds": [{"number": 1, "proposed": 3, "selected": 2, "evaluated": 1, "hits": 1, "funnel": [tally]}],
        "hits": {"hits": 1, "n": 1, "rate": 1.0, "low": 0.2, "high": 1.0},
        "baseline": {"random": {"hits": 0, "n": 0, "rate": None, "low": None, "high": None}},
        "cost_per_hit": {"core_seconds": 3.0}, "spent": {"evaluate": 3.0, "screen": 0.0},
        "earned": [
            {"generator": "ftcp", "evaluations": 2, "hits": 1, "rate": 0.5, "low": 0.1, "high": 0.9, "share": 1.0}],
        "insight": {
            "parity": [], "expected_hits": {"expected": 0.7, "found": 1, "n": 1}, "acceleration": [],
            "losses": [{"stage": "geometry", "rejected": 1, "predicted": 1, "expected_hits": 0.25}],
            "worst_stage": "geometry", "known_hits": None,
        },
        "target": {"name": "Pd", "kind": "dos", "grid": DOS_GRID.points.tolist(), "values": curve,
                   "hit": "cosine ≥ 0.9", "hit_remark": "hits need not be stable"},
        "evaluated": [],
        "curves": [{"formula": "NiAl", "score": 0.95, "values": curve}],
        "hull": {"elements": ["Al", "Ni"], "points": [
            {"formula": "NiAl", "fraction": 0.5, "formation_energy": -0.4, "candidate": "c-1"}]},
        "spec": spec,
    }  # fmt: skip


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What was asked for."""
    made = Calls()
    made.stand_in(monkeypatch)
    return made


@pytest.fixture
def site(calls: Calls) -> Site:
    """Pages on which the token ``good`` may do everything."""
    return Site(lambda token, role: None if token == "good" else f"No role {role}.")


@pytest.fixture
def filled(database: str) -> dict[str, str]:
    """Ids in a store with a campaign: one candidate computed, one failed, one rejected."""
    setup.init()
    text = TEXT.format(name="pd-like")
    campaigns.create("pd-like", parse_spec(text).as_dict(), text)
    return fill()


def fill() -> dict[str, str]:
    """What workers would write in the first round of the campaign."""
    campaigns.plan_round("pd-like", 1)
    method = methods.save("analytic", "analytic", {}, {})
    crystals = [PROTOTYPES["B2"].build(a, b, 12.0) for a, b in PAIRS]
    proposals = [_candidate(i, crystal) for i, crystal in enumerate(crystals)]
    candidates.save_many(proposals)
    good, bad, rejected = proposals
    runs = [
        calculations.plan(c.id, crystals[i], engine="analytic", method=method, settings={}, campaign="pd-like")
        for i, c in enumerate((good, bad))
    ]
    material = materials.save(
        crystals[0], origin=Origin.CAMPAIGN, source={"name": SCRIPT, "licence": "MIT"}, candidate=good.id
    )
    spectra.save(material, DOS_GRID.points, np.exp(-(DOS_GRID.points**2)), method=method, calculation=runs[0])
    labels.save(material, Property.ENERGY_PER_ATOM, -3.5, method=method, calculation=runs[0])
    for run in runs:
        calculations.start(run, "worker")
    calculations.finish(runs[0], CalculationState.COMPLETED, core_seconds=3.0, result={"material": material})
    calculations.finish(runs[1], CalculationState.FAILED, core_seconds=1.0, error=f"did not converge {SCRIPT}")
    computed = scores.evaluated(
        {"predicted_score": 0.9, "predicted_score_std": 0.05, "potential_energy_above_hull": 0.07},
        {"score": 0.95, "energy_above_hull": 0.01}, hit=True,
    )  # fmt: skip
    candidates.update(good.id, stage=Stage.EVALUATED, calculation=runs[0], material=material, scores=computed)
    candidates.update(bad.id, stage=Stage.FAILED, calculation=runs[1], reason="did not converge")
    verdict = {"stage": "geometry", "passed": False, "reason": "atoms too near"}
    candidates.update(rejected.id, stage=Stage.REJECTED, verdicts=[verdict])
    return {"candidate": good.id, "material": material, "failed": runs[1], "rejected": rejected.id, "method": method}


def _candidate(index: int, crystal: Any) -> Candidate:
    formula, symbols = crystal.composition.reduced_formula, sorted({s.specie.symbol for s in crystal})
    return Candidate(
        id=Candidate.make_id("pd-like", 1, "substitution", index), campaign="pd-like", round=1,
        generator="substitution", index=index, structure=crystal.as_dict(), formula=formula,
        formula_lower=formula.lower(), elements=symbols, chemical_system="-".join(symbols), n_sites=len(crystal),
        seed=7, score=0.5,
    )  # fmt: skip


def words(component: Any) -> str:
    """All text that a component shows."""
    if isinstance(component, Component):
        return words(getattr(component, "children", None))
    if isinstance(component, list | tuple):
        return " ".join(words(one) for one in component)
    return "" if component is None else str(component)


def links(component: Any) -> list[str]:
    """All addresses that a component links to."""
    found = [str(component.href)] if getattr(component, "href", None) else []
    inner = getattr(component, "children", component if isinstance(component, list | tuple) else None)
    for one in inner if isinstance(inner, list | tuple) else [inner]:
        if isinstance(one, Component | list | tuple):
            found += links(one)
    return found


@dataclass(frozen=True)
class Show:
    """What a component shows."""

    words: Callable[[Any], str] = words
    links: Callable[[Any], list[str]] = links


@pytest.fixture
def show() -> Show:
    """What a component shows, as text and as links."""
    return Show()


@pytest.fixture
def worker(database: str) -> Callable[[], dict[str, str]]:
    """Writer of a round of the campaign pd-like, as workers would."""
    setup.init()
    return fill


@pytest.fixture
def campaign_file() -> str:
    """The file of the campaign pd-like."""
    return TEXT.format(name="pd-like")
