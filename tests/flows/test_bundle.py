"""A campaign goes from one database to another and says the same of itself there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from fermiloop.db_init import bundle, bundle_export, setup
from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.steps import cheap_method_of, training_method_of
from fermiloop.flows.driving import launching
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, candidates, checkpoints, lineage
from fermiloop.schemas.vocabulary import CheckpointState


@pytest.fixture
def elsewhere(database: str, server_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Move on to another, empty database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"

    def move() -> None:
        monkeypatch.setenv("FERMILOOP_DATABASE", name)
        settings.cache_clear()
        setup.init()

    yield move
    with MongoClient(server_uri) as client:
        client.drop_database(name)


def told(name: str) -> str:
    """Report and explanations as the command line prints them."""
    chains = []
    for candidate in candidates.of_campaign(name):
        chain = lineage.explain(candidate.id)
        chain["descendants"] = [lineage.descendants(made["id"]) for made in chain["calculations"]]
        chains.append(chain)
    return json.dumps([summarise(read_record(name)), chains], sort_keys=True, default=str)


@pytest.mark.slow
def test_report_and_lineage_are_the_same_elsewhere(
    library: str, campaign: Any, elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    spec, text = campaign("travelling", evaluations=2, per_round=1)
    launching.launch(spec, text)
    before, proposed = told("travelling"), len(candidates.of_campaign("travelling"))
    path = tmp_path / "travelling.tar.gz"
    methods = [training_method_of(spec), cheap_method_of(spec)]
    manifest = bundle_export.export("travelling", path, methods=methods)
    assert manifest.counts["candidates"] == proposed
    assert {(one.source, one.licence) for one in manifest.licences} >= {("analytic", "that of each material")}

    elsewhere()
    report = bundle.load(path)
    assert report.loaded == sum(manifest.counts.values())
    assert (report.already, report.quarantined) == (0, 0)
    assert told("travelling") == before
    assert campaigns.get("travelling").spec_text == text
    assert all(found.state is CheckpointState.CHALLENGER for found in checkpoints.find())
    for found in checkpoints.find():
        (tmp_path / found.id).mkdir()
        checkpoints.fetch(found.id, tmp_path / found.id)
        assert list((tmp_path / found.id).iterdir())

    again = bundle.load(path)
    assert (again.loaded, again.already) == (0, report.loaded)
    assert told("travelling") == before
