"""Lineage and reports as people see them."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.platform.cli import campaign_view, lineage_view
from fermiloop.platform.cli.output import print_rich

CHAIN: dict[str, Any] = {
    "candidate": "c-1", "formula": "NiPt", "generator": "dos_composer", "seed": 7, "checkpoint": "ckpt-9",
    "stage": "evaluated", "verdicts": [{"stage": "hull", "passed": True, "reason": None}],
    "snapshot": {"id": "snap-3", "n": 140, "content_hash": "ab", "includes": [f"calc-{i}" for i in range(14)]},
    "labels": [{"id": "l-1", "property": "energy_per_atom", "value": -5.2, "unit": "eV/atom", "method": "method-1"}],
    "calculations": [{"id": "calc-77", "state": "completed", "engine": "gpaw", "core_seconds": 31.0}],
}  # fmt: skip


def test_the_chain_names_every_link(capsys: pytest.CaptureFixture[str]) -> None:
    print_rich(lineage_view.tree(CHAIN))
    out = capsys.readouterr().out
    order = [
        out.index(word) for word in ("c-1", "seed 7", "ckpt-9", "snap-3", "14 results", "calc-0", "calc-77", "l-1")
    ]
    assert order == sorted(order)
    assert "and 2 more" in out


def test_a_candidate_of_no_training_has_no_snapshot(capsys: pytest.CaptureFixture[str]) -> None:
    chain = {**CHAIN, "checkpoint": None, "snapshot": None, "labels": [], "calculations": []}
    print_rich(lineage_view.tree(chain))
    out = capsys.readouterr().out
    assert "needs no training" in out
    assert "not evaluated" in out


def test_report_shows_rounds_funnel_and_rates(capsys: pytest.CaptureFixture[str]) -> None:
    tally = {"stage": "geometry", "n_in": 8, "n_out": 5, "reasons": {"atoms overlap": 3}, "core_seconds": 0.1}
    row = {
        "number": 1, "proposed": 10, "unique": 9, "novel": 8, "passed": 5, "selected": 2, "evaluated": 2, "failed": 0,
        "ingested": 2, "best_score": 0.91, "checkpoints": ["ckpt-1"], "hits": 1, "hit_rate": 0.5, "hit_low": 0.09,
        "hit_high": 0.91, "funnel": [tally],
    }  # fmt: skip
    summary = {
        "name": "pd-like", "state": "finished", "evaluations": 2, "failures": 0, "core_seconds": 120.0, "rounds": [row],
        "best": {"candidate": "c-1", "formula": "NiPt", "score": 0.91}, "baseline": {"hit_rate": 0.1},
    }  # fmt: skip
    print_rich(*campaign_view.report(summary))
    out = capsys.readouterr().out
    for text in ("pd-like", "NiPt", "0.5 (0.09 to 0.91)", "atoms overlap 3", "hit_rate"):
        assert text in out


def test_a_campaign_that_has_just_begun_has_no_best(capsys: pytest.CaptureFixture[str]) -> None:
    summary = {"name": "x", "state": "running", "evaluations": 0, "failures": 0, "core_seconds": 0.0, "rounds": [],
               "best": None, "baseline": {}}  # fmt: skip
    print_rich(*campaign_view.report(summary))
    assert "running" in capsys.readouterr().out
