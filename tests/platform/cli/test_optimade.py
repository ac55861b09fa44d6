"""The commands of OPTIMADE: brought up to date once, written once, told in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import candidates
from fermiloop.schemas.candidate import Candidate


@pytest.fixture
def proposed(database: str) -> str:
    """A campaign with one candidate."""
    structure = PROTOTYPES["A1"].build("Pd", None, 15.0)
    made = Candidate(
        id=Candidate.make_id("pd-like", 1, "substitution", 0), campaign="pd-like", round=1, generator="substitution",
        index=0, structure=structure.as_dict(), formula="Pd", formula_lower="pd", elements=["Pd"],
        chemical_system="Pd", n_sites=1, seed=7, score=0.5,
    )  # fmt: skip
    return candidates.save_many([made])[0]


def test_sync_and_export(cli: Callable[..., Any], proposed: str, tmp_path: Path) -> None:
    assert cli("optimade", "sync", "--json").json() == {"changed": 1}
    assert cli("optimade", "sync").out == "0 entries brought up to date.\n"
    path = tmp_path / "pd-like.jsonl"
    assert cli("optimade", "export", "pd-like", str(path), "--json").json()["structures"] == 1
    assert proposed in {json.loads(line).get("id") for line in path.read_text().splitlines()}


def test_a_campaign_that_is_not_there(cli: Callable[..., Any], proposed: str, tmp_path: Path) -> None:
    refused = cli("optimade", "export", "pd-lik", str(tmp_path / "x.jsonl"))
    assert (refused.code, refused.out) == (2, "")
    assert "'pd-lik'" in refused.err
    assert list(tmp_path.glob("*.jsonl")) == []
