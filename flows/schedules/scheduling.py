"""Scheduled retraining: documents of the store, one leader among any number of processes.

The process that holds the lease leads, and looks at every active schedule. A calendar's next due time is kept with its
schedule, in UTC; what was missed while nobody led is made up once. Each firing is a `ScheduleRun` of unique id, so
that it is taken once; a firing whose leader died is taken up by the next one, from the state that its training left.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from pymongo.errors import PyMongoError

from fermiloop.flows.campaigns.steps import logger
from fermiloop.flows.processes.identity import worker_name
from fermiloop.flows.queue.giving_back import AWAY
from fermiloop.flows.schedules import gate, learning, triggers
from fermiloop.platform.campaign.gate import Verdict, compare
from fermiloop.platform.errors import DatabaseError, FermiloopError, UserError
from fermiloop.platform.search.gate_scores import scorer_of
from fermiloop.platform.store import checkpoints, connection, labels, leases, methods, schedules, sequence
from fermiloop.schemas.base import now
from fermiloop.schemas.schedule import Schedule, ScheduleRun
from fermiloop.schemas.vocabulary import CheckpointState, RunState

LEASE: Final = "scheduler"
LEASE_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 30.0
TICK: Final = 1.0
MOST_ATTEMPTS: Final = 5
"""Times that a firing is begun; a training that ends its process again and again would keep all others waiting."""


def add(schedule: Schedule) -> None:
    """Check and save a schedule.

    Raises
    ------
    InputError
        If the generator does not learn, or the trigger's value is invalid.
    UserError
        If one of that name is there.
    """
    scorer_of(schedule.generator)
    triggers.of(schedule).check(schedule)
    methods.get(schedule.method)
    schedule.labels = labels.count(schedule.method)
    schedule.next_look_at = _next_due(schedule, schedule.created_at)
    schedules.add(schedule)


def set_active(name: str, active: bool) -> None:
    """Pause or resume a schedule; what a calendar names while it is paused is not made up.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    schedules.set_active(name, active)
    schedules.set_next_look(name, _next_due(schedules.get(name), now()) if active else None)


def look(name: str, leader: str) -> ScheduleRun | None:
    """Ask a schedule whether it is to fire, and fire it; the firing, None where nothing is due."""
    schedule = schedules.get(name)
    moment = now()
    due = _due(schedule, moment)
    firing = triggers.of(schedule).firing(schedule, due)
    run = None if firing is None else _begin(schedule, firing, leader)
    if due is not None:  # after the firing was noted: a kill in between loses none, and its id lets none run twice
        schedules.set_next_look(name, _next_due(schedule, moment))
    if run is None:
        return None
    retrain(schedule, run.id, leader)
    return schedules.run_of(run.id)


def _due(schedule: Schedule, moment: datetime) -> str | None:
    """The time, in ISO format, that a calendar named before a moment and that nobody has looked at, if there is one."""
    due, following = schedule.next_look_at, _next_due(schedule, moment)
    if (due is None) is not (following is None):  # kept or paused by an earlier version
        schedules.set_next_look(schedule.id, following)
    if due is None or following is None:
        return None
    return due.isoformat() if due <= moment else None


def _next_due(schedule: Schedule, after: datetime) -> datetime | None:
    return triggers.of(schedule).next_due(schedule, after)


def _begin(schedule: Schedule, firing: triggers.Firing, leader: str) -> ScheduleRun | None:
    """Take a firing; None where it was taken before."""
    run = schedules.begin(schedule.id, firing.key, firing.reason, leader, labels.count(schedule.method))
    if run is not None:
        logger.info("schedule %s fires: %s", schedule.id, firing.reason)
    return run


def fire(schedule: Schedule, key: str, reason: str, leader: str) -> ScheduleRun | None:
    """Take a firing and retrain; None where it was taken before."""
    run = _begin(schedule, triggers.Firing(key, reason), leader)
    if run is None:
        return None
    retrain(schedule, run.id, leader)
    return schedules.run_of(run.id)


def retrain(schedule: Schedule, run: str, leader: str) -> None:
    """Train a challenger, ask the gate, and write what became of it."""
    try:
        made, given = learning.train(
            schedule.generator, schedule.preset, dict(schedule.options), schedule.method, schedule.seed
        )
        verdict, champion = _promoted_before(run, made) or gate.examine(made, schedule.method, given.test)
        if not schedules.holds(run, leader):
            logger.warning("schedule run %s is no longer this process's; nothing is promoted", run)
            return
        if verdict.promote:
            checkpoints.promote(made)
        state = RunState.PROMOTED if verdict.promote else RunState.REFUSED
        told = {**verdict.as_dict(), "dropped": given.dropped}
        schedules.finish(run, leader, state, verdict.reason, checkpoint=made, champion=champion, gate=told)
        logger.info("schedule run %s: %s %s: %s", run, made, state, verdict.reason)
    except AWAY:
        raise  # the firing stays open and is taken up again
    except Exception as error:  # noqa: BLE001  (a training that broke would break again, and no other would be reached)
        why = str(error) if isinstance(error, FermiloopError) else f"{type(error).__name__}: {error}"
        schedules.finish(run, leader, RunState.FAILED, why)
        logger.warning("schedule run %s failed: %s", run, why)


def _promoted_before(run: str, made: str) -> tuple[Verdict, None] | None:
    """The verdict of a firing that was killed after it had promoted its checkpoint; None where it had not."""
    checkpoint, begun = checkpoints.get(made), schedules.run_of(run)
    promoted = checkpoint.promoted_sequence, checkpoint.promoted_at
    is_own = sequence.is_after(*promoted, begun.sequence, begun.started_at)
    if checkpoint.state is not CheckpointState.CHAMPION or not is_own:
        return None
    nothing = compare([], None)
    return Verdict(True, "It was promoted before the firing was cut off.", nothing, nothing), None


def take_up(leader: str, *, others: bool = True) -> int:
    """Go on with firings that were cut off: this leader's own, and others', whose leader is gone; how many."""
    taken = 0
    for run in schedules.unfinished():
        if run.leader != leader and not others:
            continue
        if run.attempts >= MOST_ATTEMPTS:
            told = f"It was cut off {run.attempts} times, perhaps for lack of memory, and is given up."
            schedules.finish(run.id, run.leader, RunState.FAILED, told)
            logger.warning("schedule run %s: %s", run.id, told)
            continue
        if not schedules.take_over(run.id, run.leader, leader):
            continue
        logger.info("schedule run %s is taken up after %s", run.id, run.leader)
        taken += 1
        try:
            retrain(schedules.get(run.schedule), run.id, leader)
        except UserError as error:  # the schedule was removed meanwhile
            schedules.finish(run.id, leader, RunState.FAILED, str(error))
    return taken


def look_at_all(leader: str, *, fresh: bool = True) -> list[ScheduleRun]:
    """Go on with what was cut off, then look at every active schedule; the firings that came of it.

    Parameters
    ----------
    leader
        This process, which trains nothing else now.
    fresh
        Whether it has just begun to lead, so that what others left is its own now.
    """
    take_up(leader, others=fresh)
    found = []
    for schedule in schedules.find(active=True):
        try:
            found.append(look(schedule.id, leader))
        except UserError as error:  # one that was removed meanwhile, or that an earlier version allowed
            logger.warning("schedule %s is left out: %s", schedule.id, error)
    return [run for run in found if run is not None]


def run_once(leader: str | None = None) -> list[ScheduleRun]:
    """Look at every active schedule once; the firings that came of it. Without the lease nothing is done."""
    me = leader or worker_name()
    if not leases.take(LEASE, me, LEASE_SECONDS):
        logger.info("%s leads; nothing is done here", leases.holder(LEASE))
        return []
    try:
        with _renewed(me):
            return look_at_all(me)
    finally:
        leases.give_back(LEASE, me)


@contextlib.contextmanager
def _renewed(me: str) -> Iterator[None]:
    """Keep the lease meanwhile: a training takes longer than it lasts."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(LEASE_SECONDS / 3):
            with contextlib.suppress(*AWAY):
                leases.take(LEASE, me, LEASE_SECONDS)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class SchedulerProcess:
    """Runs until a signal; leads where nobody else does. A training in hand is finished first, at a second signal not.

    Parameters
    ----------
    lease_seconds
        After so long without a sign another process takes over.
    look_seconds
        How often triggers other than the calendar are asked; a calendar that is due is seen within a second.
    """

    def __init__(self, lease_seconds: float = LEASE_SECONDS, look_seconds: float = LOOK_SECONDS) -> None:
        self.me = worker_name()
        self.lease_seconds, self.look_seconds = lease_seconds, look_seconds
        self.stopping = False
        self._pool = ThreadPoolExecutor(1)  # one training at a time, while this thread renews the lease
        self._work: Future[list[ScheduleRun]] | None = None
        self._looked = time.monotonic()

    def run(self, told: Callable[[str], None]) -> None:
        """Lead, or wait to; `told` is given each change in a sentence."""
        for which in (signal.SIGTERM, signal.SIGINT):
            signal.signal(which, self._stop)
        led = fresh = False
        while not self.stopping or self._busy():
            leads = self._renew()
            if leads != led:
                led = fresh = leads
                told(f"{self.me} leads." if leads else f"{self.me} no longer leads.")
            if leads and not self.stopping and not self._busy() and (fresh or self._is_time()):
                self._work = self._pool.submit(look_at_all, self.me, fresh=fresh)
                self._looked, fresh = time.monotonic(), False
            time.sleep(min(TICK, self.lease_seconds / 4))
        if led:
            leases.give_back(LEASE, self.me)

    def _renew(self) -> bool:
        try:
            connection.connect()
            return leases.take(LEASE, self.me, self.lease_seconds)
        except (PyMongoError, DatabaseError) as error:
            logger.warning("the database is away (%s)", type(error).__name__)
            return False

    def _is_time(self) -> bool:
        """Whether a calendar is due, or the others are to be asked again."""
        try:
            return time.monotonic() - self._looked >= self.look_seconds or schedules.is_due(now(), triggers.TIMED)
        except PyMongoError:
            return False  # at the next turn the lease says what is the matter

    def _busy(self) -> bool:
        """Whether a look or a training goes on; what ended one that failed is told in the log."""
        if self._work is None or not self._work.done():
            return self._work is not None
        error, self._work = self._work.exception(), None
        if error is not None:
            logger.warning("the schedules are looked at again: %s: %s", type(error).__name__, error)
        return False

    def _stop(self, which: int, _frame: Any) -> None:
        self.stopping = True
        signal.signal(which, signal.SIG_DFL)
