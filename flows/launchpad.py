"""FireWorks and jobflow on the store's own database.

FireWorks takes its new ids with an update that returns the document before the change; on the
embedded server that form is not atomic and workflows are lost. `SafeLaunchPad` takes them with the form that
returns the document after, which is right on every server.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any, Final

from fireworks import Firework, FWorker, LaunchPad, Workflow
from jobflow import SETTINGS, Flow, Job, JobStore
from jobflow.managers.fireworks import flow_to_workflow
from maggma.stores import MongoStore
from maggma.stores.gridfs import GridFSStore
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from fermiloop.platform.settings import settings
from fermiloop.platform.store import calculations, connection, leases

DATA_STORE: Final = "data"  # curves: too large for a job's document
CAMPAIGN_KEY: Final = "_category"  # FireWorks' own; workers choose by it
CALCULATION_KEY: Final = "fermiloop_calculation"


class _Documents(MongoStore):
    """Store of documents whose name, which messages show, holds no password."""

    @property
    def name(self) -> str:
        """Database and collection."""
        return f"{self.database}/{self.collection_name}"


class _Files(GridFSStore):
    """Store of large outputs whose name, which messages show, holds no password."""

    @property
    def name(self) -> str:
        """Database and collection."""
        return f"{self.database}/{self.collection_name}"


class SafeLaunchPad(LaunchPad):
    """LaunchPad whose ids never repeat, and which judges silence by the clock of the database server."""

    def get_new_fw_id(self, quantity: int = 1) -> int:
        """First of `quantity` new firework ids."""
        return self._take("next_fw_id", quantity)

    def get_new_launch_id(self) -> int:
        """A new launch id."""
        return self._take("next_launch_id", 1)

    def checkout_fw(
        self, fworker: FWorker, launch_dir: str, *args: Any, **more: Any
    ) -> tuple[Firework | None, int | None]:
        """Take a firework; that of an evaluation marks its calculation as running."""
        firework, launch = super().checkout_fw(fworker, launch_dir, *args, **more)
        if firework is not None and CALCULATION_KEY in firework.spec:
            calculations.start(firework.spec[CALCULATION_KEY], fworker.name)
        if launch is not None:
            self.ping_launch(launch)  # FireWorks has noted the begin by this host's clock
        return firework, launch

    def ping_launch(self, launch_id: int, ptime: datetime | None = None, *args: Any, **more: Any) -> None:
        """Say that a run lives; where the database is away, say it next time: the thread that asks must not end."""
        with contextlib.suppress(PyMongoError):
            super().ping_launch(launch_id, ptime or leases.server_time(self.connection), *args, **more)

    def detect_lostruns(self, expiration_secs: float, *args: Any, **more: Any) -> Any:
        """Find runs of which nothing was heard for so long, by the clock of the database server."""
        fast = (
            datetime.now(UTC) - leases.server_time(self.connection)
        ).total_seconds()  # FireWorks asks this host's clock
        return super().detect_lostruns(expiration_secs + fast, *args, **more)

    def add_wf(self, wf: Workflow | Firework, reassign_all: bool = True) -> dict[int, int]:
        """Add a workflow; its first jobs may be taken once all of it is there, so that a kill leaves no half."""
        whole = Workflow.from_firework(wf) if isinstance(wf, Firework) else wf
        old_new = self._upsert_fws(list(whole.id_fw.values()), reassign_all=reassign_all)
        whole._reassign_ids(old_new)  # noqa: SLF001  (as LaunchPad.add_wf does)
        roots = list(whole.root_fw_ids)
        for root in roots:
            whole.id_fw[root].state = whole.fw_states[root] = "READY"
        self.workflows.insert_one(whole.to_db_dict())
        self.fireworks.update_many({"fw_id": {"$in": roots}}, {"$set": {"state": "READY"}})
        return dict(old_new)

    def bulk_add_wfs(self, wfs: list[Workflow]) -> None:
        """Add workflows one by one: the bulk form takes its ids in its own way."""
        for workflow in wfs:
            self.add_wf(workflow)

    def _take(self, counter: str, quantity: int) -> int:
        after = self.fw_id_assigner.find_one_and_update(
            {}, {"$inc": {counter: quantity}}, return_document=ReturnDocument.AFTER
        )
        return int(after[counter]) - quantity


def add_flow(pad: LaunchPad, flow: Flow, campaign: str, metadata: dict[str, Any]) -> None:
    """Add a flow of a campaign to the queue; what its jobs add later belongs to the campaign too."""
    for made in jobs_of(flow):
        made.config.manager_config[CAMPAIGN_KEY] = campaign
    pad.add_wf(flow_to_workflow(flow, store=None, metadata=metadata))


def jobs_of(flow: Flow | Job) -> list[Job]:
    """Every job of a flow, those of its inner flows too."""
    return [job for inner in flow.jobs for job in jobs_of(inner)] if isinstance(flow, Flow) else [flow]


def launchpad() -> SafeLaunchPad:
    """LaunchPad on the store's database, ready for use."""
    pad = SafeLaunchPad(host=connection.uri(), uri_mode=True, name=settings().database, strm_lvl="CRITICAL")
    if pad.fw_id_assigner.find_one({}) is None:
        pad.fireworks.create_index("fw_id", unique=True)
        pad.fireworks.create_index("state")
        pad.fireworks.create_index(f"spec.{CALCULATION_KEY}")
        pad.launches.create_index("launch_id", unique=True)
        pad.launches.create_index("fw_id")
        pad.workflows.create_index("nodes")
        # Last, so that where counters are, the indexes are too.
        pad.fw_id_assigner.update_one(
            {"_id": "counters"}, {"$setOnInsert": {"next_fw_id": 1, "next_launch_id": 1}}, upsert=True
        )
    return pad


def job_store() -> JobStore:
    """Jobflow's store on the same database: documents, and curves in GridFS."""
    address, name = connection.uri(), settings().database
    return JobStore(
        _Documents(name, "job_outputs", uri=address),
        additional_stores={DATA_STORE: _Files(name, "job_data", uri=address)},
    )


def configure_jobflow() -> JobStore:
    """Make this process's jobs use `job_store`, so that no address enters a firework."""
    store = job_store()
    SETTINGS.JOB_STORE = store
    return store


def has_workflow(pad: LaunchPad, key: str, value: Any) -> bool:
    """Whether a workflow with this metadata was added."""
    return pad.workflows.find_one({f"metadata.{key}": value}, {"_id": 1}) is not None
