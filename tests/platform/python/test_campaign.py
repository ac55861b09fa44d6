"""A campaign from Python, from a mapping to its candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import fermiloop
from fermiloop.platform.errors import InputError, NotFoundError, SpecError, UserError

TREE: dict[str, Any] = {
    "name": "from-python",
    "target": {"dos": {"material": "Pd"}, "exclude": ["Pd"], "stable_within": None},
    "space": {"elements": ("Al", "Ni", "Pt", "Pd", "Cu", "Ti"), "max_sites": np.int64(4)},
    "generators": [{"name": "substitution", "proposals": 12}],
    "funnel": {"stages": ["geometry"], "potential": "analytic"},
    "acquisition": {"name": "random"},
    "engine": {"name": "analytic", "time_limit": 60},
    "retrain": {"source": "gpaw"},
    "budget": {"rounds": 1, "evaluations": 2, "per_round": 2},
    "seed": 3,
}


def test_a_campaign_runs_from_a_mapping_to_its_candidates(store: dict[str, Any], tmp_path: Path) -> None:
    campaign = fermiloop.Campaign.from_dict(TREE)
    assert campaign.validate() == []
    assert campaign.plan()["rounds"] == (2,)
    told: list[float] = []
    assert campaign.launch(progress=lambda stage, share: told.append(share)) is campaign
    assert told
    assert campaign.state == campaign.wait(timeout=1) == "finished"
    assert campaign.status()["candidates"]["evaluated"] == 2
    found = campaign.candidates(stage="evaluated")
    assert len(found) == 2
    assert {"formula", "generator", "score", "computed_similarity"} <= set(found.to_dataframe().columns)
    none = campaign.candidates(stage="failed").to_dataframe()
    assert set(none.columns) == set(found.to_dataframe().columns)
    assert len(found.dos()) == len(found.structures()) == 2
    assert found[0].explain()["campaign"] == "from-python"
    assert fermiloop.candidates.get(found[0].id)["formula"] == found[0]["formula"]
    report = campaign.report(html=tmp_path / "report")
    assert report["name"] == "from-python"
    assert (tmp_path / "report" / "index.html").is_file()
    again = fermiloop.Campaign.open("from-python")
    assert again.spec == campaign.spec
    with pytest.raises(InputError, match="opened by its name"):
        again.launch()
    assert again.clone("another").name == "another"


def test_one_that_is_queued_is_paused_resumed_and_cancelled(store: dict[str, Any]) -> None:
    campaign = fermiloop.Campaign.from_dict({**TREE, "name": "queued"})
    with pytest.raises(InputError, match="exclude"):
        campaign.launch(queue=True, workers=2)
    campaign.launch(queue=True)
    assert campaign.wait(timeout=0.1) == "running"
    campaign.pause()
    assert campaign.state == "paused"
    campaign.resume()
    campaign.cancel(wait=True)
    assert campaign.state == "cancelled"
    with pytest.raises(UserError, match="has ended"):
        campaign.cancel()


def test_files_and_mistakes(database: str, tmp_path: Path) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_text(yaml.safe_dump({**TREE, "space": {"elements": ["Al", "Ni"]}}))
    assert fermiloop.Campaign.from_file(path).name == "from-python"
    with pytest.raises(SpecError, match="did you mean"):
        fermiloop.Campaign.from_dict({**TREE, "generators": [{"name": "substitutio", "proposals": 3}]})
    with pytest.raises(NotFoundError):
        fermiloop.Campaign.open("none")
    with pytest.raises(NotFoundError):
        fermiloop.Campaign.from_dict(TREE).state  # noqa: B018


def test_what_stands_in_the_way_is_told_before_a_launch(database: str) -> None:
    (first, *_) = fermiloop.Campaign.from_dict(TREE).validate()
    assert "The store holds no labels that gpaw computed" in first
