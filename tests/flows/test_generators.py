"""Every generator runs in a campaign: trained from the store, sampled, and its proposals kept with their lineage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fermiloop.flows.driving import launching
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.store import campaigns, candidates, checkpoints, labels, training
from fermiloop.schemas.vocabulary import CampaignState

TEXT = """
name: {name}
target:
  dos: {{material: Pd}}
  exclude: [Pd]
  properties: [{{name: formation_energy_per_atom, value: -0.1, tolerance: 0.2}}]
space:
  elements: [Al, Ni, Cu, Ti, Pt]
  components: [1, 2]
  crystal_systems: [cubic, hexagonal, trigonal, tetragonal, orthorhombic, monoclinic, triclinic]
  max_sites: 6
generators: {generators}
funnel: {{stages: [geometry, target], potential: analytic}}
engine: {{name: analytic}}
budget: {{rounds: 1, evaluations: 1, per_round: 1}}
seed: 3
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PyXtal and ASE warn about what they try and give up
def test_every_generator_runs_in_a_campaign(library: str, quick_options: dict[Any, Any]) -> None:
    for place, material in enumerate(training.materials_of(library)):
        labels.save(material, "formation_energy_per_atom", -0.02 * place, method=library)
    rows = []
    for name, entry in GENERATORS.items():
        if name == "pool":  # which proposes what it is given, and nothing is
            continue
        preset = entry.presets[-1] if entry.presets else None
        options = quick_options.get((name, preset), {})
        rows.append({"name": name, "proposals": 4, "options": options} | ({"preset": preset} if preset else {}))
    text = TEXT.format(name="everyone", generators=json.dumps(rows))
    launching.launch(parse_spec(text), text)
    assert campaigns.get("everyone").state is CampaignState.FINISHED
    trained = campaigns.round_of("everyone", 1).checkpoints
    proposed = {c.generator.partition("/")[0] for c in candidates.of_campaign("everyone")}
    silent = set(GENERATORS) - proposed - {"pool"}
    assert len(proposed) >= len(GENERATORS) - 4, f"nothing came of {silent}"
    assert silent <= {"ftcp", "imatgen", "ccdcgan"}  # a training of a second may decode nothing that is possible
    for candidate in candidates.of_campaign("everyone"):
        assert candidate.checkpoint in trained.values()
        assert checkpoints.get(candidate.checkpoint).generator == candidate.generator.partition("/")[0]
