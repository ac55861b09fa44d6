"""The API on a small store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from fermiloop.platform.api.app import create_app
from fermiloop.platform.api.work import Limits
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, candidates, labels, materials, methods, spectra, tokens
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, Origin, Property, Role, Stage

PAIRS = (("Ni", "Al"), ("Pd", "Al"), ("Ni", "Ti"), ("Cu", "Pd"))
SPEC = (
    "{name: %s, target: {dos: {material: Pd}}, space: {elements: [Ni, Pt]}, "
    "generators: [{name: substitution, proposals: 5}], budget: {rounds: 1, evaluations: 2, per_round: 2}}"
)


@dataclass(frozen=True)
class World:
    """Ids of what is stored, and a token of each role."""

    materials: tuple[str, ...]
    candidates: tuple[str, ...]
    calculation: str
    tokens: dict[Role, str]

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
    campaigns.create("pd-like", parse_spec(SPEC % "pd-like").as_dict(), SPEC % "pd-like")
    campaigns.plan_round("pd-like", 1)
    candidates.save_many(proposals)
    calculation = calculations.plan(
        proposals[0].id, proposals[0].to_structure(), engine="gpaw", method=method, settings={},
        campaign="pd-like",
    )  # fmt: skip
    calculations.finish(calculation, CalculationState.FAILED, core_seconds=3.0, error="SCF (did) not converge")
    candidates.update(proposals[0].id, stage=Stage.EVALUATED, material=known[0], calculation=calculation)
    made = {role: tokens.create(f"the-{role}", role) for role in Role}
    return World(tuple(known), tuple(one.id for one in proposals), calculation, made)


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
        app = create_app(limits=limits, **how)
        headers = world.bearer(role) if role else None
        made.append(TestClient(app, headers=headers, raise_server_exceptions=False))
        return made[-1]

    yield make
    for one in made:
        one.close()
