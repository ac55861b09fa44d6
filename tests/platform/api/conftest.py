"""The API on a small store, with recorders in place of the flows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from fermiloop.platform.api.actions import Actions, Launched
from fermiloop.platform.api.app import create_app
from fermiloop.platform.api.campaign_text import read
from fermiloop.platform.api.work import Limits
from fermiloop.platform.errors import UserError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID, cosine
from fermiloop.platform.store import calculations, campaigns, candidates, labels, materials, methods, spectra, tokens
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, Origin, Property, Role, Stage

PAIRS = (("Ni", "Al"), ("Pd", "Al"), ("Ni", "Ti"), ("Cu", "Pd"))
SPEC = (
    "{name: %s, target: {dos: {material: Pd}}, space: {elements: [Ni, Pt]}, "
    "generators: [{name: substitution, proposals: 5}], budget: {rounds: 1, evaluations: 2, per_round: 2}}"
)


@dataclass(frozen=True)
class Found:
    """One neighbour."""

    material: str
    formula: str | None
    value: float


@dataclass
class Flows:
    """What was asked of the flows."""

    calls: list[tuple[str, Any]] = field(default_factory=list)

    def note(self, what: str) -> Callable[[Any], Any]:
        def call(value: Any) -> Any:
            self.calls.append((what, value))
            return len(value)

        return call

    def launch(self, text: str) -> Launched:
        spec = read(text)
        fresh = campaigns.create(spec.name, spec.as_dict(), text)
        self.calls.append(("launch", text))
        return Launched(spec.name, fresh)

    def pause(self, name: str) -> None:
        if campaigns.get(name).state is not CampaignState.RUNNING:
            raise UserError(f"The campaign {name} is not running.")
        campaigns.set_state(name, CampaignState.PAUSED)

    def resume(self, name: str) -> None:
        campaigns.set_state(name, CampaignState.RUNNING)

    def cancel(self, name: str, wait: bool) -> list[dict[str, Any]]:
        campaigns.set_state(name, CampaignState.CANCELLED)
        self.calls.append(("cancel", (name, wait)))
        return [{"formula": "NiAl", "worker": "host~1", "since": None}]

    def summary(self, name: str) -> dict[str, Any]:
        return {"name": campaigns.get(name).id, "best": None, "wrong": float("nan")}

    def search(self, curve: np.ndarray, metric: str, window: tuple[float, float], limit: int) -> list[Found]:
        near = []
        for material in materials.find(materials.MaterialQuery(limit=100)):
            stored = spectra.of_material(material.id)
            if stored is not None:
                there = DOS_GRID.resample(stored.points(), stored.array())
                near.append(Found(material.id, material.formula, float(cosine(there, curve))))
        return sorted(near, key=lambda one: -one.value)[:limit]

    def actions(self) -> Actions:
        return Actions(
            launch=self.launch, pause=self.pause, resume=self.resume, cancel=self.cancel, rerun=self.note("rerun"),
            ignore=self.note("ignore"), summary=self.summary, dos_search=self.search,
        )  # fmt: skip


@dataclass(frozen=True)
class World:
    """Ids of what is stored, and a token of each role."""

    materials: tuple[str, ...]
    candidates: tuple[str, ...]
    calculation: str
    tokens: dict[Role, str]
    flows: Flows

    def bearer(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}


def populate() -> World:
    method = methods.save("gpaw", "PBE", {"cutoff": 400}, {"gpaw": "26.7"})
    known, proposals = [], []
    for i, (a, b) in enumerate(PAIRS):
        crystal = PROTOTYPES["B2"].build(a, b, 12.0)
        material = materials.save(
            crystal, origin=Origin.IMPORT, source={"name": "test", "key": str(i), "licence": "MIT"}
        )
        x = np.linspace(-10.0, 10.0, 401)
        spectra.save(material, x, 3 * np.exp(-((x - i) ** 2)), method=method)
        labels.save(material, Property.BAND_GAP, 0.5 * i, method=method)
        known.append(material)
        formula = crystal.composition.reduced_formula
        proposals.append(
            Candidate(
                id=Candidate.make_id("pd-like", 1, "substitution", i), campaign="pd-like", round=1,
                generator="substitution", index=i, structure=crystal.as_dict(), formula=formula,
                formula_lower=formula.lower(), elements=sorted((a, b)), chemical_system="-".join(sorted((a, b))),
                n_sites=2, seed=7, score=0.5, scores={"energy_above_hull": 0.05 * i},
            )
        )  # fmt: skip
    campaigns.create("pd-like", {"name": "pd-like"}, SPEC % "pd-like")
    campaigns.plan_round("pd-like", 1)
    candidates.save_many(proposals)
    calculation = calculations.plan(
        proposals[0].id, proposals[0].to_structure(), engine="gpaw", method=method, settings={},
        campaign="pd-like",
    )  # fmt: skip
    calculations.finish(calculation, CalculationState.FAILED, core_seconds=3.0, error="SCF (did) not converge")
    candidates.update(proposals[0].id, stage=Stage.EVALUATED, material=known[0], calculation=calculation)
    made = {role: tokens.create(f"the-{role}", role) for role in Role}
    return World(tuple(known), tuple(one.id for one in proposals), calculation, made, Flows())


@pytest.fixture(scope="session")
def populated() -> Callable[[], World]:
    """Maker of a small store in the database that is connected."""
    return populate


@pytest.fixture
def world(database: str) -> World:
    """A small store."""
    return populate()


Client = Callable[..., TestClient]


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    """Maker of clients of the API on that store."""
    made = []

    def make(role: Role | None = None, *, limits: Limits | None = None, **how: Any) -> TestClient:
        app = create_app(world.flows.actions(), limits=limits, **how)
        headers = world.bearer(role) if role else None
        made.append(TestClient(app, headers=headers, raise_server_exceptions=False))
        return made[-1]

    yield make
    for one in made:
        one.close()
