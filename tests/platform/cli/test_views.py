"""Lineage and reports as people see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fermiloop.platform.cli import campaign_view, lineage_view
from fermiloop.platform.cli.output import print_rich

EARLIER = [
    {"material": f"m-{i}", "formula": "NiAl", "candidate": f"c-old-{i}", "calculation": f"calc-old-{i}"}
    for i in range(14)
]
CHAIN: dict[str, Any] = {
    "candidate": "c-1", "formula": "NiPt", "campaign": "pd-like", "round": 2, "generator": "dos_composer",
    "preset": "factorised", "seed": 7,
    "parent": None, "stage": "evaluated", "reason": None,
    "verdicts": [{"stage": "geometry", "passed": True, "reason": None},
                 {"stage": "hull", "passed": False, "reason": "0.3 eV/atom above"}],
    "checkpoint": {"id": "ckpt-9", "generator": "dos_composer", "preset": "factorised", "seed": 3,
                   "files": {"weights.safetensors": "ab" * 32}},
    "snapshot": {"id": "snap-3", "n": 140, "method": "method-1", "curve_methods": ["method-1"],
                 "campaign_results": EARLIER},
    "labels": [{"id": "l-1", "property": "energy_per_atom", "value": -5.2, "unit": "eV/atom",
                "calculation": "calc-77"}],
    "calculations": [{"id": "calc-77", "state": "completed", "engine": "gpaw", "core_seconds": 31.0, "error": None}],
    "descendants": [{"checkpoints": [{"id": "ckpt-10", "generator": "dos_composer"}], "candidates": [{"id": "c-2"}]}],
}  # fmt: skip


def test_the_chain_names_every_link_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    print_rich(lineage_view.tree(CHAIN))
    out = capsys.readouterr().out
    links = ("c-1", "seed 7", "ckpt-9", "sha256 abab", "snap-3", "14 results", "calc-old-0", "passed geometry",
             "rejected hull: 0.3", "calc-77", "energy_per_atom -5.2 eV/atom", "ckpt-10", "1 candidates")  # fmt: skip
    order = [out.index(word) for word in links]
    assert order == sorted(order)
    assert "and 2 more" in out
    assert "calc-old-13" not in out


def test_a_candidate_of_no_training_has_no_snapshot(capsys: pytest.CaptureFixture[str]) -> None:
    chain = {**CHAIN, "parent": "m-5", "checkpoint": None, "snapshot": None, "labels": [], "calculations": []}
    print_rich(lineage_view.tree(chain))
    out = capsys.readouterr().out
    assert "made from material m-5" in out
    assert "learns nothing" in out
    assert "not evaluated" in out


def test_report_shows_rounds_funnel_evaluations_and_rates(
    capsys: pytest.CaptureFixture[str], summary: Callable[..., Any]
) -> None:
    print_rich(*campaign_view.report(summary()))
    out = capsys.readouterr().out
    shown = ("pd-like", "finished: the budget is spent", "best NiPt (c-1), score 0.91", "0.5 (0.09", "atoms overlap 3",
             "the time limit", "this campaign", "substitution", "a hit cost 2 evaluations")  # fmt: skip
    for text in shown:
        assert text in out
    assert campaign_view.line(summary()).endswith("1 evaluated, 1 failed; best NiPt with score 0.910")


def test_a_campaign_that_has_just_begun_has_no_best(
    capsys: pytest.CaptureFixture[str], summary: Callable[..., Any]
) -> None:
    begun = summary(state="running", reason=None, rounds=(), candidates=(), spent={})
    print_rich(*campaign_view.report(begun))
    assert "best" not in capsys.readouterr().out.replace("best score", "")
    assert campaign_view.line(begun) == "pd-like: running, round 0, 0 evaluated, 0 failed"
