"""Scheduled retraining: APScheduler on documents of the store, one leader among any number of processes.

APScheduler keeps its jobs in a store of ours (`flows.schedule_store`), which makes them from `Schedule` documents; its
own MongoDB store keeps pickles. Whoever holds the lease leads; each occasion is a `ScheduleRun` of unique id, so that
it is taken once; a firing whose leader died is taken up by the next one, from the state that its training left.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from pymongo.errors import PyMongoError

from fermiloop.flows import gate, learning, occasions
from fermiloop.flows.recover import worker_name
from fermiloop.flows.schedule_store import ScheduleJobStore
from fermiloop.flows.steps import logger
from fermiloop.platform.errors import DatabaseError, FermiloopError
from fermiloop.platform.search.gate_scores import scorer_of
from fermiloop.platform.store import checkpoints, connection, labels, leases, methods, schedules
from fermiloop.schemas.schedule import Schedule, ScheduleRun
from fermiloop.schemas.vocabulary import RunState

LEASE: Final = "scheduler"
LEASE_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 30.0
TICK: Final = 1.0


def add(schedule: Schedule) -> None:
    """Check and save a schedule.

    Raises
    ------
    InputError
        If the generator does not learn, or the trigger's value does not hold.
    UserError
        If one of that name is there.
    """
    scorer_of(schedule.generator)
    occasions.check(schedule)
    methods.get(schedule.method)
    schedule.labels = labels.count(schedule.method)
    schedules.add(schedule)


def look(name: str, due: str | None, leader: str) -> ScheduleRun | None:
    """Ask a schedule whether it is to fire, and fire it; the firing, None where there is no occasion."""
    schedule = schedules.get(name)
    occasion = occasions.of(schedule, due)
    return None if occasion is None else fire(schedule, occasion.key, occasion.reason, leader)


def fire(schedule: Schedule, key: str, reason: str, leader: str) -> ScheduleRun | None:
    """Take an occasion and retrain; None where it was taken before."""
    run = schedules.begin(schedule.id, key, reason, leader, labels.count(schedule.method))
    if run is None:
        return None
    logger.info("schedule %s fires: %s", schedule.id, reason)
    retrain(schedule, run.id, leader)
    return schedules.run_of(run.id)


def retrain(schedule: Schedule, run: str, leader: str) -> None:
    """Train a challenger, ask the gate, and write what became of it."""
    try:
        made, given = learning.train(
            schedule.generator, schedule.preset, dict(schedule.options), schedule.method, schedule.seed
        )
        verdict, champion = gate.examine(made, schedule.method, given.test)
        if not schedules.holds(run, leader):
            logger.warning("schedule run %s is no longer this process's; nothing is promoted", run)
            return
        if verdict.promote:
            checkpoints.promote(made)
        state = RunState.PROMOTED if verdict.promote else RunState.REFUSED
        told = {**verdict.as_dict(), "dropped": given.dropped}
        schedules.finish(run, leader, state, verdict.reason, checkpoint=made, champion=champion, gate=told)
        logger.info("schedule run %s: %s %s: %s", run, made, state, verdict.reason)
    except (PyMongoError, DatabaseError):
        raise  # the database is away: the firing stays open and is taken up again
    except FermiloopError as error:
        schedules.finish(run, leader, RunState.FAILED, str(error))
        logger.warning("schedule run %s failed: %s", run, error)


def take_up(leader: str) -> int:
    """Go on with firings whose leader is gone; how many were taken up."""
    taken = 0
    for run in schedules.unfinished():
        if run.leader == leader or not schedules.take_over(run.id, run.leader, leader):
            continue
        logger.info("schedule run %s is taken up after %s", run.id, run.leader)
        taken += 1
        try:
            retrain(schedules.get(run.schedule), run.id, leader)
        except FermiloopError as error:  # the schedule was removed meanwhile
            schedules.finish(run.id, leader, RunState.FAILED, str(error))
    return taken


def run_once(leader: str | None = None) -> list[ScheduleRun]:
    """Look at every active schedule once; the firings that came of it. Without the lease nothing is done."""
    me = leader or worker_name()
    if not leases.take(LEASE, me, LEASE_SECONDS):
        logger.info("%s leads; nothing is done here", leases.holder(LEASE))
        return []
    try:
        take_up(me)
        found = (look(schedule.id, occasions.last_due(schedule), me) for schedule in schedules.find(active=True))
        return [run for run in found if run is not None]
    finally:
        leases.give_back(LEASE, me)


class SchedulerProcess:
    """Runs until a signal; leads where nobody else does.

    Parameters
    ----------
    lease_seconds
        After so long without a sign another process takes over.
    look_seconds
        How often triggers other than the calendar are asked.
    """

    def __init__(self, lease_seconds: float = LEASE_SECONDS, look_seconds: float = LOOK_SECONDS) -> None:
        self.me = worker_name()
        self.lease_seconds, self.look_seconds = lease_seconds, look_seconds
        self.stopping = False
        self._scheduler: BackgroundScheduler | None = None

    def run(self, told: Callable[[str], None]) -> None:
        """Lead, or wait to; `told` is given each change in a sentence."""
        for which in (signal.SIGTERM, signal.SIGINT):
            signal.signal(which, self._stop)
        while not self.stopping:
            leads = self._renew()
            if leads and self._scheduler is None:
                self._begin()
                told(f"{self.me} leads.")
            elif not leads and self._scheduler is not None:
                self._end(wait=False)
                told(f"{self.me} no longer leads.")
            if self._scheduler is not None:
                self._scheduler.wakeup()  # what other processes added is seen
            time.sleep(min(TICK, self.lease_seconds / 4))
        self._end(wait=False)
        leases.give_back(LEASE, self.me)

    def _renew(self) -> bool:
        try:
            connection.connect()
            return leases.take(LEASE, self.me, self.lease_seconds)
        except (PyMongoError, DatabaseError) as error:
            logger.warning("the database is away (%s)", type(error).__name__)
            connection.disconnect()
            return False

    def _begin(self) -> None:
        logger.info("%s leads", self.me)
        one_at_a_time = {"default": ThreadPoolExecutor(1)}
        self._scheduler = BackgroundScheduler(executors=one_at_a_time, timezone="UTC")
        self._scheduler.add_jobstore(ScheduleJobStore(self._fire, self.look_seconds), "default")
        self._scheduler.start()
        self._scheduler.add_executor(ThreadPoolExecutor(1), "takeover")
        self._scheduler.add_jobstore("memory", "takeover")
        self._scheduler.add_job(take_up, args=(self.me,), executor="takeover", jobstore="takeover")

    def _fire(self, name: str, due: str) -> None:
        look(name, due, self.me)

    def _end(self, *, wait: bool) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=wait)
            self._scheduler = None

    def _stop(self, *_: Any) -> None:
        self.stopping = True
