"""Rows of documents of which little is there, as of one just written, or asked for in part."""

from __future__ import annotations

from fermiloop.flows.queue.documents.rows import FireworkRow, LaunchRow, firework_row, launch_row


def test_of_what_was_not_asked_for_nothing_is_said() -> None:
    assert firework_row({"fw_id": 3, "launches": None, "spec": None}) == FireworkRow(3)
    assert launch_row({"launch_id": 4, "action": None, "fworker": None, "state_history": None}) == LaunchRow(4)
    assert launch_row({"launch_id": 4, "action": {"stored_data": {"_exception": None}}}).trace == ""


def test_the_newest_run_is_the_last() -> None:
    assert FireworkRow(1).newest_launch is None
    assert FireworkRow(1, launch_ids=(7, 9)).newest_launch == 9


def test_a_run_begins_when_it_runs_not_when_it_is_reserved() -> None:
    history = ({"state": "RESERVED", "created_on": "1"}, {"state": "RUNNING", "created_on": "2"})
    assert LaunchRow(1, history=history).began_at == "2"
    assert LaunchRow(1, history=history[:1]).began_at is None
