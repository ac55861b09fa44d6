"""A small synthetic library in the store, so that whole campaigns run in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fermiloop.db_init import setup
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import tasks
from fermiloop.flows.queue.launchpad import SafeLaunchPad, configure_jobflow, launchpad
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import labels, materials, methods, spectra
from fermiloop.schemas.vocabulary import Origin, Property

ELEMENTS = ("Al", "Ni", "Cu", "Pd", "Ti", "Pt")
CAMPAIGN = """
name: {name}
target:
  dos: {{material: Pd}}
  hit_similarity: 0.9
  exclude: [Pd]
space: {{elements: [Al, Ni, Cu, Ti, Pt], components: [1, 2], crystal_systems: [cubic], max_sites: 4}}
generators:
  - {{name: substitution, proposals: 12}}
  - {{name: random_pick, proposals: 16, options: {{potential: none}}}}
funnel: {{stages: [geometry, duplicates, target], potential: analytic}}
acquisition: {{name: upper_confidence_bound}}
engine: {{name: analytic, settings: {settings}, time_limit: {limit}}}
budget: {{rounds: 2, evaluations: {evaluations}, per_round: {per_round}}}
seed: 3
"""


@pytest.fixture
def library(database: str, tmp_path: Path) -> str:
    """Cubic crystals of six elements with the analytic engine's curves; the id of its Method."""
    setup.init()
    record = code_of("analytic").method({})
    method = methods.save(record.engine, record.functional, record.settings, record.code_versions)
    pairs = [("A1", a, None) for a in ELEMENTS] + [("A2", a, None) for a in ELEMENTS]
    pairs += [("B2", a, b) for i, a in enumerate(ELEMENTS) for b in ELEMENTS[i + 1 :] if (i + len(b + a)) % 2]
    for prototype, a, b in pairs:
        structure = PROTOTYPES[prototype].build(a, b, 14.0)
        found = tasks.analytic_static({"structure": structure.as_dict()}, tmp_path)
        material = materials.save(
            structure, origin=Origin.SEED, source={"name": "synthetic, for tests"}, prototype=prototype
        )
        spectra.save(material, found["energies"], found["density"], method=method, n_electrons=found["n_electrons"])
        energy = AnalyticPotential().energies([structure])[0]
        labels.save(material, Property.ENERGY_PER_ATOM, energy, method=method)
    return method


@pytest.fixture
def pad(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SafeLaunchPad]:
    """LaunchPad of the database with that library, jobs run in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    configure_jobflow()
    made = launchpad()
    yield made
    made.connection.close()


Campaign = Callable[..., tuple[CampaignSpec, str]]


@pytest.fixture
def campaign() -> Campaign:
    """Maker of a campaign on the synthetic library, with its text."""
    return _campaign


def _campaign(
    name: str, *, settings: str = "{}", limit: int = 60, evaluations: int = 4, per_round: int = 2
) -> tuple[CampaignSpec, str]:
    text = CAMPAIGN.format(name=name, settings=settings, limit=limit, evaluations=evaluations, per_round=per_round)
    return parse_spec(text), text
