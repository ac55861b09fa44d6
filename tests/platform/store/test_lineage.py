"""From a candidate back to what it was learned from, and from a calculation on to what it led to."""

from __future__ import annotations

import json

import pytest

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import (
    calculations,
    candidates,
    checkpoints,
    labels,
    lineage,
    materials,
    snapshots,
    spectra,
)
from fermiloop.schemas.vocabulary import CalculationState, Origin, Stage


@pytest.fixture
def two_rounds(stored, method, crystal, curve, proposal, tmp_path) -> dict[str, str]:
    """A seed material, round 1's candidate with its result, and round 2's candidate that learned from it."""
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    known = {"seed": stored("Pd")}
    spectra.save(known["seed"], *curve(0.0), method=method)

    def trained(number: int) -> str:
        ids = spectra.materials_with(method)
        known[f"snapshot {number}"] = snapshots.freeze(ids, query={}, split_seed=7, method=method)
        return checkpoints.save(
            tmp_path, generator="dos_composer", preset="paper", config={}, metrics={"top1": 0.5}, history=[1.0],
            snapshot=known[f"snapshot {number}"], seed=number,
        )  # fmt: skip

    known["checkpoint 1"] = trained(1)
    verdict = {"stage": "geometry", "passed": True, "reason": None, "value": 2.5}
    first = proposal(("Ni", "Al"), 1, checkpoint=known["checkpoint 1"], parent=known["seed"], verdicts=[verdict])
    (known["candidate 1"],) = candidates.save_many([first])
    structure = crystal("Ni", "Al")
    known["calculation"] = calculations.plan(first.id, structure, engine="gpaw", method=method, settings={})
    about = {"origin": Origin.CAMPAIGN, "source": {"name": "pd-like"}, "candidate": first.id}
    known["result"] = materials.save(structure, **about)
    spectra.save(known["result"], *curve(1.0), method=method, calculation=known["calculation"])
    known["label"] = labels.save(
        known["result"], "energy_per_atom", -5.2, method=method, calculation=known["calculation"]
    )
    calculations.finish(
        known["calculation"], CalculationState.COMPLETED, core_seconds=20.0, result={"material": known["result"]}
    )
    candidates.update(
        first.id, stage=Stage.EVALUATED, calculation=known["calculation"], material=known["result"],
        scores={"score": 0.8},
    )  # fmt: skip
    known["checkpoint 2"] = trained(2)
    (known["candidate 2"],) = candidates.save_many([proposal(("Ni", "Ti"), 2, checkpoint=known["checkpoint 2"])])
    return known


def test_a_result_is_explained(two_rounds, method):
    chain = lineage.explain(two_rounds["candidate 1"])
    assert (chain["candidate"], chain["formula"]) == (two_rounds["candidate 1"], "AlNi")
    assert (chain["campaign"], chain["round"], chain["stage"]) == ("pd-like", 1, "evaluated")
    assert (chain["generator"], chain["preset"], chain["seed"]) == ("substitution", "paper", 7)
    assert (chain["parent"], chain["material"]) == (two_rounds["seed"], two_rounds["result"])
    assert chain["scores"] == {"score": 0.8}
    assert [verdict["stage"] for verdict in chain["verdicts"]] == ["geometry"]
    (label,) = chain["labels"]
    assert (label["id"], label["value"], label["unit"]) == (two_rounds["label"], -5.2, "eV/atom")
    assert (label["method"], label["calculation"]) == (method, two_rounds["calculation"])
    (calculation,) = chain["calculations"]
    assert (calculation["state"], calculation["core_seconds"]) == ("completed", 20.0)


def test_round_two_learned_from_round_one(two_rounds):
    before, after = (lineage.explain(two_rounds[f"candidate {number}"]) for number in (1, 2))
    assert (before["snapshot"]["n"], before["snapshot"]["campaign_results"]) == (1, [])
    assert after["checkpoint"]["id"] == two_rounds["checkpoint 2"]
    assert list(after["checkpoint"]["files"]) == ["weights.safetensors"]
    assert (after["snapshot"]["id"], after["snapshot"]["n"]) == (two_rounds["snapshot 2"], 2)
    assert after["snapshot"]["content_hash"] != before["snapshot"]["content_hash"]
    assert after["snapshot"]["campaign_results"] == [
        {
            "material": two_rounds["result"],
            "formula": "AlNi",
            "candidate": two_rounds["candidate 1"],
            "calculation": two_rounds["calculation"],
        }
    ]
    assert (after["labels"], after["calculations"]) == ([], [])


def test_the_reverse(two_rounds):
    led_to = lineage.descendants(two_rounds["calculation"])
    assert led_to["material"] == two_rounds["result"]
    assert led_to["labels"] == [two_rounds["label"]]
    assert led_to["snapshots"] == [two_rounds["snapshot 2"]]
    assert [c["id"] for c in led_to["checkpoints"]] == [two_rounds["checkpoint 2"]]
    assert led_to["candidates"] == [{"id": two_rounds["candidate 2"], "formula": "TiNi", "round": 2}]


def test_all_of_it_is_json(two_rounds):
    for chain in (lineage.explain(two_rounds["candidate 1"]), lineage.descendants(two_rounds["calculation"])):
        assert json.loads(json.dumps(chain)) == chain


def test_a_candidate_without_a_checkpoint_or_a_calculation(database, proposal):
    (key,) = candidates.save_many([proposal()])
    chain = lineage.explain(key)
    assert (chain["checkpoint"], chain["snapshot"], chain["calculations"], chain["labels"]) == (None, None, [], [])


def test_a_calculation_that_gave_nothing(method, crystal):
    key = calculations.plan(None, crystal("Ni", "Al"), engine="gpaw", method=method, settings={})
    assert lineage.descendants(key) == {
        "calculation": key, "material": None, "labels": [], "snapshots": [], "checkpoints": [], "candidates": [],
    }  # fmt: skip


def test_what_is_not_there(database):
    with pytest.raises(NotFoundError, match="c-none"):
        lineage.explain("c-none")
    with pytest.raises(NotFoundError, match="calc-none"):
        lineage.descendants("calc-none")
