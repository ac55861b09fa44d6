"""What a campaign stands on, and documents as they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import bundle_contents, calculations, campaigns, candidates, labels, snapshots
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState


@pytest.fixture
def campaign(stored: Callable[..., str], method: str, other_method: str, proposal: Callable[..., Candidate]) -> Any:
    """A campaign that evaluated one candidate and learned from another one's result; ids by what they are."""
    library, parent, result, stranger = stored("Al"), stored("Cu"), stored("Ni", "Al"), stored("Pd")
    for material in (library, result):
        labels.save(material, "band_gap", 0.0, method=method)
    labels.save(stranger, "band_gap", 0.0, method=other_method)
    labels.save(library, "band_gap", 1.0, method=other_method)
    campaigns.create("pd-like", {"name": "pd-like"}, "name: pd-like\n")
    campaigns.plan_round("pd-like", 1)
    snapshot = snapshots.freeze([library], query={}, split_seed=0, method=method, campaign="pd-like")
    campaigns.update_round("pd-like", 1, snapshot=snapshot)
    made = proposal(parent=parent)
    done = calculations.plan(made.id, made.to_structure(), engine="gpaw", method=method, settings={}, campaign="other")
    calculations.finish(done, CalculationState.COMPLETED, core_seconds=1.0, result={"material": result})
    made.calculation, made.material = done, result
    candidates.save_many([made, proposal(campaign="other")])
    return {"library": library, "parent": parent, "result": result, "stranger": stranger, "method": method,
            "calculation": done, "candidate": made.id, "snapshot": snapshot}  # fmt: skip


def test_a_campaign_with_what_it_stands_on_and_nothing_else(campaign: Any) -> None:
    found = bundle_contents.closure("pd-like")
    assert list(found) == list(bundle_contents.KINDS)
    assert found["materials"] == sorted([campaign["library"], campaign["parent"], campaign["result"]])
    assert found["methods"] == [campaign["method"]]
    assert found["calculations"] == [campaign["calculation"]]
    assert found["candidates"] == [campaign["candidate"]]
    assert found["snapshots"] == [campaign["snapshot"]]
    assert len(found["labels"]) == 2
    assert found["campaigns"] == ["pd-like"]
    with pytest.raises(NotFoundError):
        bundle_contents.closure("nobody")


def test_a_method_that_the_file_names_brings_its_library(campaign: Any, other_method: str) -> None:
    found = bundle_contents.closure("pd-like", [other_method])
    assert campaign["stranger"] in found["materials"]
    assert len(found["labels"]) == 4


def test_older_bundles_may_lack_what_came_later() -> None:
    without = [name for name in bundle_contents.KINDS if name != "settings"]
    assert bundle_contents.missing_from(without, 1) == []
    assert bundle_contents.missing_from(without, 2) == ["settings"]
    assert bundle_contents.missing_from([], 1) == without
    assert bundle_contents.OF_THE_CAMPAIGN == ("campaigns", "rounds", "candidates")


def test_documents_are_read_as_they_lie_and_inserted_once(campaign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_contents, "BATCH", 1)
    ids = [campaign["result"], "m-none", campaign["library"]]
    rows = list(bundle_contents.read("materials", ids))
    assert [row["_id"] for row in rows] == sorted([campaign["result"], campaign["library"]])
    assert bundle_contents.insert("materials", [*rows, rows[0] | {"_id": "m-new"}]) == 1
    assert bundle_contents.insert("materials", []) == 0


@pytest.mark.parametrize("change", [{"colour": "red"}, {"n_sites": "two"}, {"structure": {}}, {"fingerprint": "x"}])
def test_a_document_of_another_shape_is_refused(campaign: Any, change: dict[str, Any]) -> None:
    (row,) = bundle_contents.read("materials", [campaign["library"]])
    assert bundle_contents.document("materials", row).id == campaign["library"]
    with pytest.raises(InputError):
        bundle_contents.document("materials", row | change)


def test_a_file_is_stored_once(database: str) -> None:
    assert bundle_contents.file_content("a" * 64) is None
    assert bundle_contents.put_file("a" * 64, b"weights", "model")
    assert not bundle_contents.put_file("a" * 64, b"other", "model")
    assert bundle_contents.file_content("a" * 64) == b"weights"
