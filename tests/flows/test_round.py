"""A round as a flow: a chain of small jobs, with no address written into it."""

from __future__ import annotations

from jobflow import Flow
from jobflow.managers.fireworks import flow_to_workflow

from fermiloop.flows.queue.documents.workflows import has_workflow
from fermiloop.flows.queue.launchpad import configure_jobflow, launchpad
from fermiloop.flows.round import RoundMaker


def test_no_address_is_written_into_a_workflow(database: str, server_uri: str) -> None:
    pad = launchpad()
    configure_jobflow()
    workflow = flow_to_workflow(RoundMaker().make("x", 1), store=None, metadata={"fermiloop_round": "x/1"})
    pad.add_wf(workflow)
    written = str(list(pad.fireworks.find({}))) + str(list(pad.workflows.find({})))
    assert "mongodb://" not in written
    assert has_workflow(pad, "fermiloop_round", "x/1")
    assert not has_workflow(pad, "fermiloop_round", "x/2")
    pad.connection.close()


def test_a_round_is_one_chain_of_small_jobs() -> None:
    flow = RoundMaker().make("pd-like", 3)
    assert isinstance(flow, Flow)
    assert [job.name for job in flow.jobs] == ["retrain", "sample", "screen", "select", "close"]
    for job, parents in flow.iterflow():
        assert job.function_args[:2] == ("pd-like", 3)
        assert len(parents) == (0 if job.name == "retrain" else 1)
