"""What a package made stays readable once it is no longer installed, and using it says which package that was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.rounds import sample
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.generators.protocol import Proposal, Target
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.search.gate_scores import scorer_of
from fermiloop.platform.store import campaigns, candidates, checkpoints, snapshots

TEXT = """
name: of-a-group
target: {dos: {material: Pd}}
space: {elements: [Ni, Pt]}
generators: [{name: substitution, proposals: 5}]
funnel: {stages: [geometry, duplicates, target]}
budget: {rounds: 1, evaluations: 2, per_round: 2}
"""


@pytest.fixture
def gone(database: str, tmp_path: Path) -> str:
    """A campaign with names of a package that is not installed, a checkpoint and a candidate of it; the checkpoint."""
    tree = parse_spec(TEXT).as_dict()
    tree["generators"][0] |= {"name": "hers", "preset": "fast"}
    tree["acquisition"] |= {"name": "her_choice", "options": {"power": 2}}
    tree["surrogate"] |= {"name": "her_model", "options": {"deep": True}}
    tree["funnel"] |= {"stages": ["geometry", "price", "target"], "options": {"price": {"most": 1}}}
    campaigns.create("of-a-group", tree, TEXT)
    (tmp_path / "weights.safetensors").write_bytes(b"x" * 8)
    config = {"preset": "fast", "options": {}, "plugin": {"package": "her-group", "version": "2.1"}}
    snapshot = snapshots.freeze([], query={}, split_seed=0, method="x")
    made = checkpoints.save(
        tmp_path, generator="hers", preset="fast", config=config, metrics={}, history=[], snapshot=snapshot, seed=0
    )
    proposal = Proposal(PROTOTYPES["A1"].build("Pt", None, 15.0), 0.5)
    candidates.save_many([sample.document("of-a-group", 1, "hers/fast", 0, proposal, made, 0)])
    return made


def test_lists_show_it_with_its_package(gone: str, cli: Callable[..., Any]) -> None:
    rows = {row["name"]: row for row in cli("generators", "list", "--json").json()}
    assert rows["hers"]["package"] == "her-group 2.1, not installed"
    assert rows["hers"]["checkpoints"] == 1
    assert rows["ftcp"]["package"] == ""
    assert "fast" in cli("generators", "show", "hers").out
    for name in ("hers", "hers/fast"):
        (row,) = cli("candidates", "find", "--generator", name, "--json").json()
        assert (row["generator"], row.get("preset", "fast")) == ("hers", "fast")
    chain = cli("candidates", "explain", row["id"], "--json").json()
    assert chain["checkpoint"]["package"] == "her-group 2.1"
    assert "by the package her-group 2.1" in cli("candidates", "explain", row["id"]).out
    assert cli("candidates", "find", "--generator", "his").code == 2
    assert "of-a-group" in cli("campaign", "list", "--json").out


def test_a_stored_campaign_is_read_and_what_uses_it_says_what_is_missing(gone: str) -> None:
    spec = spec_of("of-a-group")
    assert (spec.generators[0].name, spec.acquisition.name, spec.surrogate.name) == ("hers", "her_choice", "her_model")
    with pytest.raises(NotFoundError, match=r"hers came with the package her-group 2\.1, which is not installed here"):
        sample.propose(spec, spec.generators[0], gone, Target(), 1, 0)
    with pytest.raises(NotFoundError, match="hers is no generator; choose one of dos_composer"):
        scorer_of("hers")
    with pytest.raises(InputError, match="her_choice is no acquisition; choose one of probability"):
        spec.acquisition.build()
