"""What OPTIMADE serves follows the store, and a file of it reads back."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from optimade.utils import insert_from_jsonl

from fermiloop.platform.errors import FailureError, InputError, NotFoundError
from fermiloop.platform.store import candidates, connection, optimade_entries, optimade_export, spectra
from fermiloop.schemas.campaign import Campaign
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import CampaignState, Origin, Stage


def served(**match: object) -> dict[str, dict]:
    return {row["_id"]: row for row in optimade_entries.entries(match)}


@pytest.fixture
def campaign(stored, proposal, method, curve) -> dict[str, str]:
    """A running campaign with three candidates, of which one became a material with a curve."""
    Campaign(id="pd-like", spec={"name": "pd-like"}, spec_text="").save(force_insert=True)
    material = stored("Ni", "Al", origin=Origin.CAMPAIGN)
    spectra.save(material, *curve(0.0), method=method, calculation="calc-1")
    made = [
        proposal(("Ni", "Al"), 1, 0, generator="ftcp", preset="paper", stage=Stage.EVALUATED, material=material),
        proposal(("Ni", "Pt"), 1, 1, stage=Stage.PASSED, scores={"energy_above_hull": 0.02, "similarity": 0.9}),
        proposal(("Ni", "Cu"), 1, 2),
    ]
    return dict(zip(("AlNi", "NiPt", "CuNi"), candidates.save_many(made), strict=True)) | {"material": material}


def test_a_repeat_changes_nothing(campaign):
    assert optimade_entries.sync() == 4
    assert optimade_entries.sync() == 0
    assert optimade_entries.refresh() == 0
    assert set(served()) == set(campaign.values())


def test_where_everything_came_from(campaign, method):
    optimade_entries.sync()
    rows = served()
    material, candidate = rows[campaign["material"]], rows[campaign["NiPt"]]
    assert (material["kind"], material["origin"], material["licence"]) == ("material", "campaign", "MIT")
    assert (material["method"], material["calculation"]) == (method, "calc-1")
    assert (candidate["kind"], candidate["stage"], candidate["energy_above_hull"]) == ("candidate", "passed", 0.02)
    assert rows[campaign["AlNi"]]["dos_fingerprint"] == material["dos_fingerprint"]
    assert max(material["dos_fingerprint"]) > 5
    assert candidate["dos_fingerprint"] is None
    assert rows[campaign["AlNi"]]["relationships"]["references"]["data"][0]["id"] == "ren-2022"


def test_what_changes_is_brought_in_and_what_goes_is_taken_out(campaign, stored):
    optimade_entries.sync()
    first = served()[campaign["CuNi"]]
    candidates.update(campaign["CuNi"], stage=Stage.PASSED, scores={"similarity": 0.8})
    later = stored("Ti", "Al")
    assert optimade_entries.refresh() == 2
    changed = served()[campaign["CuNi"]]
    assert (changed["stage"], changed["similarity"]) == ("passed", 0.8)
    assert changed["last_modified"] >= first["last_modified"]
    Material.objects(id=later).delete()
    Candidate.objects(id=campaign["CuNi"]).delete()
    assert optimade_entries.refresh() == 2
    assert set(served()) == set(campaign.values()) - {campaign["CuNi"]}


def test_a_curve_that_comes_after_its_material_is_seen(campaign, stored, method, curve):
    key = stored("Ti", "Al")
    optimade_entries.sync()
    assert served()[key]["dos_fingerprint"] is None
    spectra.save(key, *curve(1.0), method=method)
    assert optimade_entries.refresh() == 1
    assert served()[key]["method"] == method


def test_a_campaign_that_has_closed_since_is_compared_once_more(campaign):
    optimade_entries.sync()
    candidates.update(campaign["CuNi"], stage=Stage.FAILED)
    Campaign.objects(id="pd-like").update(set__state=CampaignState.FINISHED)
    assert optimade_entries.refresh() == 1
    assert optimade_entries.refresh() == 0


def test_a_new_layout_makes_everything_again(campaign, monkeypatch):
    optimade_entries.sync()
    monkeypatch.setattr(optimade_entries, "LAYOUT", optimade_entries.LAYOUT + 1)
    assert optimade_entries.refresh() == 4


def test_it_may_be_dropped(campaign):
    optimade_entries.sync()
    for name in (optimade_entries.STRUCTURES, optimade_entries.STATE):
        connection.database().drop_collection(name)
    assert optimade_entries.refresh() == 4


def test_an_export_holds_the_campaign_and_its_materials(campaign, stored, tmp_path: Path):
    stored("Ti", "Al")
    path = tmp_path / "pd-like.jsonl"
    assert optimade_export.write("pd-like", path) == 4
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["x-optimade"]["meta"]["api_version"] == "1.2.0"
    assert [(line["type"], line["id"]) for line in lines[1:3]] == [("info", "structures"), ("info", "references")]
    assert {line["id"] for line in lines if line.get("type") == "structures"} == set(campaign.values())
    assert [line["id"] for line in lines if line.get("type") == "references"] == ["ren-2022"]
    described = lines[1]["properties"]
    for line in lines[3:]:
        if line["type"] == "structures":
            assert line["attributes"].keys() <= described.keys() | {"last_modified"}
    assert list(tmp_path.iterdir()) == [path]
    first = path.read_text()
    assert optimade_export.write("pd-like", path) == 4
    assert path.read_text() == first


def test_another_server_takes_an_export_in(campaign, tmp_path: Path):
    class Other(list):
        insert = list.extend

    logging.getLogger("optimade").addHandler(logging.NullHandler())  # or that package makes a log file
    path = tmp_path / "pd-like.jsonl"
    optimade_export.write("pd-like", path)
    taken = {"structures": Other(), "references": Other()}
    insert_from_jsonl(path, taken)
    assert {row["id"] for row in taken["structures"]} == set(campaign.values())
    assert [row["id"] for row in taken["references"]] == ["ren-2022"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda lines: lines[1:], "Line 1 "),
        (lambda lines: [*lines, lines[-1]], "repeats"),
        (lambda lines: [*lines, '{"type": "structures", "id": "x", "attributes": {}}'], "attributes.last_modified"),
        (lambda lines: [*lines, "{"], "JSONDecodeError"),
        (lambda lines: [*lines, '{"type": "spells", "id": "x"}'], "spells"),
    ],
)
def test_a_spoilt_file_does_not_read_back(campaign, tmp_path: Path, spoil, reason):
    path = tmp_path / "pd-like.jsonl"
    optimade_export.write("pd-like", path)
    path.write_text("\n".join(spoil(path.read_text().splitlines())))
    with pytest.raises(FailureError, match=reason):
        optimade_export.check(path)


def test_what_cannot_be_exported_leaves_nothing(campaign, tmp_path: Path):
    with pytest.raises(NotFoundError, match="'other'"):
        optimade_export.write("other", tmp_path / "other.jsonl")
    with pytest.raises(InputError, match="No such file"):
        optimade_export.write("pd-like", tmp_path / "none" / "x.jsonl")
    assert list(tmp_path.iterdir()) == []
