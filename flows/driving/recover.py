"""Recover: runs whose worker is gone go back to the queue; what they finished is adopted, not paid again.

A worker of the same host and namespace of process ids is looked up, so that a dead one is known at once. Every run
says all the time that it lives; one that is not heard for `silence_seconds`, by the clock of who listens, is lost
(`flows.processes`). One worker alone takes a lost run, and the lost one, should it wake up, can no longer end it.
What passes by itself in an instant is not called lost before it has lasted.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Final

from fermiloop.flows.campaigns.steps import logger
from fermiloop.flows.driving.retries import MOST_RERUNS
from fermiloop.flows.processes.heartbeat import silence_seconds
from fermiloop.flows.processes.identity import is_gone
from fermiloop.flows.queue.documents import fireworks, launches, workflows
from fermiloop.flows.queue.documents.rows import HELD, LaunchRow
from fermiloop.flows.queue.launchpad import SETTLE_SECONDS, SafeLaunchPad
from fermiloop.platform.store import calculations

LOCK_SECONDS: Final = 10.0
DATABASE_ERRORS: Final = "pymongo.errors"
LostRun = tuple[int, str, Callable[[], object]]


def recover(pad: SafeLaunchPad, myself: str) -> list[int]:
    """Put lost runs back into the queue; returns their firework ids.

    Called by a worker between two jobs, so whatever runs under its own name is lost too.
    """
    found = []
    for fw_id, remedy, repair in lost_runs(pad, myself):
        if repair():
            logger.info("recovered firework %d: %s", fw_id, remedy)
            found.append(fw_id)
    return found


def give_back(pad: SafeLaunchPad, myself: str) -> list[int]:
    """Put the runs of a worker that was told to stop back into the queue, which is no failure; their firework ids."""
    found = []
    for launch in launches.running_of(pad, myself):
        launches.mark_given_back(pad, launch.launch_id)
        calculation = fireworks.calculation_of(pad, launch.fw_id)
        if _rerun(pad, launch, "RUNNING", myself, last=False):
            if calculation:
                calculations.put_back(calculation)
            logger.info("gave back firework %d: its worker was told to stop", launch.fw_id)
            found.append(launch.fw_id)
    return found


def lost_runs(pad: SafeLaunchPad, myself: str) -> Iterator[LostRun]:
    """Runs that ended without an end: the firework, what is done about it, and what does it, True where it did."""
    yield from _not_heard(pad, myself)
    yield from _ended_untold(pad, myself)
    yield from _taken_and_never_run(pad)
    yield from _failed_by_the_database(pad, myself)


def _not_heard(pad: SafeLaunchPad, myself: str) -> Iterator[LostRun]:
    """Runs whose worker is gone, or silent."""
    running = launches.running(pad)
    pad.watch.keep("run", (launch.launch_id for launch in running))
    for launch in running:
        silent = pad.watch.unchanged(("run", launch.launch_id), repr(launch.history))
        if launch.worker == myself or is_gone(launch.worker):
            why = "its worker is gone"
        elif silent >= silence_seconds():
            why = f"nothing was heard of it for {silent:.0f} s"
        else:
            continue
        yield _again(pad, launch, "RUNNING", myself, why)


def _ended_untold(pad: SafeLaunchPad, myself: str) -> Iterator[LostRun]:
    """Runs that ended, or were taken away, and whose firework was never told, since who was about to was killed."""
    running = fireworks.running(pad)
    known = launches.ends_of(pad, (one for firework in running for one in firework.launch_ids))
    pad.watch.keep("ended", (firework.fw_id for firework in running))
    for firework in running:
        own = [known[one] for one in firework.launch_ids if one in known]
        states = tuple(one.state for one in own)
        lasted = pad.watch.unchanged(("ended", firework.fw_id), states)
        if not own or any(state in HELD for state in states):
            continue
        newest = own[-1]
        if lasted < SETTLE_SECONDS and not is_gone(newest.taker or newest.worker):
            continue
        if newest.taker:
            yield _again(pad, newest, "FIZZLED", myself, "it was taken away and not run again")
        else:
            tell = functools.partial(_tell, pad, firework.fw_id)
            yield firework.fw_id, "it had ended without its workflow being told; now it is", tell


def _taken_and_never_run(pad: SafeLaunchPad) -> Iterator[LostRun]:
    """Fireworks that a worker reserved, which it does for an instant, and was killed."""
    reserved = fireworks.reserved(pad)
    pad.watch.keep("reserved", (firework.fw_id for firework in reserved))
    for firework in reserved:
        if pad.watch.unchanged(("reserved", firework.fw_id), repr(firework.updated_on)) >= SETTLE_SECONDS:
            free = functools.partial(fireworks.free, pad, firework)
            yield firework.fw_id, "it was reserved and never run; it may be taken again", free


def _failed_by_the_database(pad: SafeLaunchPad, myself: str) -> Iterator[LostRun]:
    """Fireworks that failed because the database was away."""
    for firework in fireworks.failed(pad):
        launch = launches.first_of(pad, firework.launch_ids)
        attempts = launches.count(pad, firework.fw_id)
        if launch is not None and DATABASE_ERRORS in launch.trace and attempts < MOST_RERUNS:
            yield _again(pad, launch, "FIZZLED", myself, "it had lost the database")


def _again(pad: SafeLaunchPad, launch: LaunchRow, state: str, myself: str, why: str) -> LostRun:
    """A run that is done once more, or given up."""
    attempts = launches.count_attempts(pad, launch.fw_id)
    last = attempts >= MOST_RERUNS
    remedy = f"{why}; {f'it is given up after {attempts} runs' if last else 'it is run again'}"
    return launch.fw_id, remedy, functools.partial(_rerun, pad, launch, state, myself, last=last)


def _rerun(pad: SafeLaunchPad, launch: LaunchRow, state: str, myself: str, *, last: bool) -> bool:
    """Take a run from its worker and let it be done again; False where another process was first."""
    if not pad.take_away(launch.launch_id, state, myself):
        return False
    calculation = fireworks.calculation_of(pad, launch.fw_id)
    if calculation:
        calculations.release(calculation, launch.worker)
        calculations.put_back(calculation, worker=launch.worker)  # so that it is shown with the worker that it has next
    _unlock(pad, launch.fw_id)
    if last:
        pad._refresh_wf(launch.fw_id)  # noqa: SLF001  (FireWorks has no other name for it)
    else:
        pad.rerun_fw(launch.fw_id)
    return True


def _tell(pad: SafeLaunchPad, fw_id: int) -> bool:
    _unlock(pad, fw_id)
    pad._refresh_wf(fw_id)  # noqa: SLF001
    return True


def _unlock(pad: SafeLaunchPad, fw_id: int) -> None:
    """Take away the workflow's lock that a killed worker holds: it stays shut for longer than any change takes."""
    deadline = time.monotonic() + LOCK_SECONDS
    while workflows.is_locked(pad, fw_id):
        if time.monotonic() > deadline:
            workflows.unlock(pad, fw_id)
            return
        time.sleep(0.1)
