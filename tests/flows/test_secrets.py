"""The database's password: in no firework, job store's name, process argument or calculation's environment."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from jobflow import Flow, Job

from fermiloop.flows.driving import workers
from fermiloop.flows.engines.steps import children, warm
from fermiloop.flows.queue.launchpad import add_flow, job_store, launchpad
from fermiloop.platform.settings import settings, without_secrets
from fermiloop.platform.store import campaigns, connection, embedded


def password_of(uri: str) -> str:
    return uri.rpartition("@")[0].rpartition(":")[2]


def test_no_document_of_the_queue_holds_the_password(database: str, server_uri: str) -> None:
    pad = launchpad()
    add_flow(pad, Flow([Job(os.path.basename, ("x",))]), "pd-like", {})
    rows = [repr(row) for name in pad.db.list_collection_names() for row in pad.db[name].find()]
    pad.connection.close()
    assert rows
    assert not [row for row in rows if password_of(server_uri) in row]
    store = job_store()
    assert password_of(server_uri) not in f"{store.name}{store.docs_store.name}{store.additional_stores['data'].name}"


def test_a_calculation_knows_no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", "mongodb://u:s3cret@h/")
    monkeypatch.setenv("MP_API_KEY", "s3cret")
    settings.cache_clear()
    kept = without_secrets(os.environ)
    assert "FERMILOOP_DATA_DIR" in kept
    assert "s3cret" not in repr(kept)
    seen = {}

    def note(arguments: list[str], **more: object) -> None:
        seen.update(arguments=arguments, environment=more["env"])
        raise InterruptedError

    monkeypatch.setattr(subprocess, "Popen", note)
    for begin in (lambda: children.FreshChild(tmp_path), lambda: warm._Server(children.environment())):
        seen.clear()
        with pytest.raises(InterruptedError):
            begin()
        assert "s3cret" not in repr(seen)
        assert "FERMILOOP_DATA_DIR" in seen["environment"]


@pytest.mark.faults
def test_a_supervisor_of_workers_waits_for_a_server_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", embedded.ensure(tmp_path))  # so that nothing of ours starts it again
    settings.cache_clear()
    monkeypatch.setattr(connection, "SELECTION_MS", 200)
    (tmp_path / "data").mkdir()
    looks: list[float] = []

    def done() -> bool:
        campaigns.find()
        looks.append(time.monotonic())
        if len(looks) == 1:
            embedded.stop(tmp_path)
            monkeypatch.setattr(connection, "connect", come_back)
        return len(looks) == 3

    tries: list[float] = []
    connect = connection.connect

    def come_back() -> None:
        tries.append(time.monotonic())
        if len(tries) == 4:  # away for some looks
            embedded.ensure(tmp_path)
        connection.disconnect()
        connect()

    try:
        workers.supervise(1, until_idle=False, done=done)
        assert len(tries) >= 4
    finally:
        connection.disconnect()
        embedded.stop(tmp_path)
