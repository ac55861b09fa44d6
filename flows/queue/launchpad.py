"""FireWorks and jobflow on the store's own database.

FireWorks takes its new ids with an update that returns the document before the change; on the
embedded server that form is not atomic and workflows are lost. `SafeLaunchPad` takes them with the form that
returns the document after, which is right on every server.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from fireworks import Firework, FWAction, FWorker, LaunchPad, Workflow
from jobflow import SETTINGS, Flow, Job, JobStore
from jobflow.managers.fireworks import flow_to_workflow
from maggma.stores import MongoStore
from maggma.stores.gridfs import GridFSStore
from pymongo import ReturnDocument
from pymongo.errors import DocumentTooLarge, PyMongoError

from fermiloop.flows.processes.heartbeat import Watch, ping_seconds
from fermiloop.flows.processes.identity import is_gone
from fermiloop.flows.queue.documents import fireworks, launches, workflows
from fermiloop.flows.queue.documents.rows import CALCULATION_KEY, CAMPAIGN_KEY
from fermiloop.platform.settings import settings
from fermiloop.platform.store import calculations, connection

DATA_STORE: Final = "data"  # curves: too large for a job's document
SETTLE_SECONDS: Final = 60.0  # what is over in an instant where all goes well is lost after so long
logger = logging.getLogger("fermiloop.flows")


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
    """LaunchPad whose ids never repeat, and on which each run is one worker's: taken, ended and lost once."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.watch = Watch()
        self.in_hand = ""  # name of the job that is run now
        self.stopping = False  # told to stop: a job that is cut off is given back, it has not failed
        self._taker, self._claimed = "", ""
        self._reserved: int | None = None  # firework that is about to run
        self._told_at: dict[int, float] = {}  # when the run in hand last said that it lives

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
        self._taker = fworker.name
        firework, launch = super().checkout_fw(fworker, launch_dir, *args, **more)
        if firework is not None and CALCULATION_KEY in firework.spec:
            calculations.start(firework.spec[CALCULATION_KEY], fworker.name)
        self.in_hand = firework.name if firework is not None else ""
        self._told_at = {} if launch is None else {launch: self.watch.moment()}
        return firework, launch

    def complete_launch(
        self, launch_id: int, action: FWAction | None = None, state: str = "COMPLETED"
    ) -> dict[str, Any]:
        """End a run, unless it was taken away: a worker that was silent for too long and wakes up changes nothing."""
        self.in_hand = ""
        if self.stopping and state == "FIZZLED":
            return {}  # `recover.give_back` follows
        launch = self.get_launch_by_id(launch_id)
        launch.state, launch.action = state, action or launch.action
        try:
            ended = launches.end(self, launch_id, launch.to_db_dict())
        except DocumentTooLarge:
            return dict(super().complete_launch(launch_id, action, state))  # which keeps it in GridFS
        if ended:
            for fw_id in fireworks.of_launch(self, launch_id):
                self._refresh_wf(fw_id)
        else:
            logger.warning("run %d was lost and given to another worker; what it computed lies on disk", launch_id)
        if self._claimed:
            calculations.release(self._claimed, launch.fworker.name)
            self._claimed = ""
        return dict(launch.to_dict())

    def restore_backup_data(self, launch_id: int, fw_id: int) -> None:
        """As it was before a failed end; not where the run was taken away meanwhile."""
        if launches.is_held(self, launch_id):
            super().restore_backup_data(launch_id, fw_id)

    def take_away(self, launch_id: int, state: str, by: str) -> bool:
        """Take a run from its worker, or from one that began to and is lost; True for one taker only."""
        before = launches.taker_of(self, launch_id)
        if before and before != by and not self._is_over(("taken", launch_id), before):
            return False
        return launches.take_away(self, launch_id, state, by, before)

    def ping_launch(self, launch_id: int, *args: Any, **more: Any) -> None:
        """Say that a run lives, unless it has just said so; where the database is away, say it next time.

        The thread that asks must not end. FireWorks asks twice more at the end of each run.
        """
        moment = self.watch.moment()
        if moment - self._told_at.get(launch_id, float("-inf")) < ping_seconds() / 2:
            return
        try:
            super().ping_launch(launch_id, *args, **more)
            if launch_id in self._told_at:
                self._told_at = {launch_id: moment}
        except PyMongoError:
            self.watch.begin_again()  # the others could not be heard either

    def add_wf(self, wf: Workflow | Firework, reassign_all: bool = True) -> dict[int, int]:
        """Add a workflow; its first jobs may be taken once all of it is there, so that a kill leaves no half."""
        whole = Workflow.from_firework(wf) if isinstance(wf, Firework) else wf
        old_new = self._upsert_fws(list(whole.id_fw.values()), reassign_all=reassign_all)
        whole._reassign_ids(old_new)  # noqa: SLF001  (as LaunchPad.add_wf does)
        roots = list(whole.root_fw_ids)
        for root in roots:
            whole.id_fw[root].state = whole.fw_states[root] = "READY"
        workflows.insert(self, whole.to_db_dict())
        fireworks.mark_ready(self, roots)
        return dict(old_new)

    def bulk_add_wfs(self, wfs: list[Workflow]) -> None:
        """Add workflows one by one: the bulk form takes its ids in its own way."""
        for workflow in wfs:
            self.add_wf(workflow)

    def _get_a_fw_to_run(
        self, query: dict[str, Any] | None = None, fw_id: int | None = None, checkout: bool = True
    ) -> Firework | None:
        """The next firework whose calculation nobody else works at; reserved by compare-and-set."""
        if fw_id is not None or not checkout:
            return super()._get_a_fw_to_run(query, fw_id, checkout)
        passed: list[int] = []
        while True:
            found = fireworks.next_ready(self, query, passed)
            if found is None:
                return None
            passed.append(found.fw_id)
            calculation = found.calculation or ""
            if calculation and not self._claim(calculation):
                continue
            if fireworks.reserve(self, found.fw_id):
                self._claimed = calculation
                firework = super()._get_a_fw_to_run(None, found.fw_id)
                self._reserved = None if firework is None else firework.fw_id
                return firework
            if calculation:
                calculations.release(calculation, self._taker)

    def _refresh_wf(self, fw_id: int) -> None:
        """Tell the workflow of a firework's state; that one is run now is one field, and changes nothing else there."""
        begins, self._reserved = fw_id == self._reserved, None
        if begins and workflows.mark_running(self, fw_id):
            return
        super()._refresh_wf(fw_id)

    def _claim(self, calculation: str) -> bool:
        """Take the right to a calculation, also over a worker that is lost."""
        if calculations.claim(calculation, self._taker):
            return True
        holder = calculations.claimant(calculation)
        if holder is None:
            return not calculations.exists(calculation)
        lost = is_gone(holder) or self._is_left(calculation, holder)
        return lost and calculations.claim(calculation, self._taker, over=holder)

    def _is_left(self, calculation: str, holder: str) -> bool:
        """Whether a worker has kept a right that it no longer uses; a run of it that is silent is `recover`'s."""
        used = launches.holds_any(self, holder, fireworks.of_calculation(self, calculation))
        seen = None if used else holder
        return self.watch.unchanged(("claim", calculation), seen) > SETTLE_SECONDS and seen is not None

    def _is_over(self, key: tuple[str, int], worker: str) -> bool:
        """Whether a worker that was about to do something has died, or not done it for so long that it must have."""
        return is_gone(worker) or self.watch.unchanged(key, worker) > SETTLE_SECONDS

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
        for collection in (fireworks, launches, workflows):
            collection.create_indexes(pad)
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
