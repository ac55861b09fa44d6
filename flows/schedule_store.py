"""A job store of APScheduler whose jobs are made from `Schedule` documents: nothing is pickled.

The documents are the truth. A calendar schedule fires at its times; the others are asked every so often whether
they have an occasion.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore, JobLookupError
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from fermiloop.flows.occasions import calendar
from fermiloop.platform.errors import UserError
from fermiloop.platform.store import schedules
from fermiloop.schemas.schedule import Schedule
from fermiloop.schemas.vocabulary import TriggerKind


class ScheduleJobStore(BaseJobStore):
    """Active schedules as jobs.

    Parameters
    ----------
    fire
        Called with the schedule's name and the time that it was due at, in ISO format.
    look_seconds
        How often a schedule without a calendar is asked.
    """

    def __init__(self, fire: Callable[[str, str], None], look_seconds: float) -> None:
        super().__init__()
        self._call, self._look_seconds = fire, look_seconds

    def lookup_job(self, job_id: str) -> Job | None:
        """The job of an active schedule."""
        return next((job for job in self.get_all_jobs() if job.id == job_id), None)

    def get_due_jobs(self, now: datetime) -> list[Job]:
        """Jobs whose time has come."""
        return [job for job in self.get_all_jobs() if job.next_run_time <= now]

    def get_next_run_time(self) -> datetime | None:
        """When the next job is due."""
        return min((job.next_run_time for job in self.get_all_jobs()), default=None)

    def get_all_jobs(self) -> list[Job]:
        """All jobs, the next one first."""
        made = [self._job(schedule) for schedule in schedules.find(active=True)]
        return sorted((job for job in made if job is not None), key=lambda job: (job.next_run_time, job.id))

    def update_job(self, job: Job) -> None:
        """Note when a job is due next."""
        schedules.set_next_look(job.id, job.next_run_time)

    def add_job(self, job: Job) -> None:
        """Refused: schedules are added to the store, by ``fermiloop schedule add``."""
        raise UserError(f"{job.id} is no schedule; add one with fermiloop schedule add.")

    def remove_job(self, job_id: str) -> None:
        """A calendar without a further date: the schedule is paused, not deleted."""
        if self.lookup_job(job_id) is None:
            raise JobLookupError(job_id)
        schedules.set_active(job_id, False)

    def remove_all_jobs(self) -> None:
        """Refused, as schedules belong to their owner."""
        raise UserError("Schedules are removed one by one, with fermiloop schedule remove.")

    def _job(self, schedule: Schedule) -> Job | None:
        trigger = self._trigger(schedule)
        due = schedule.next_look_at or trigger.get_next_fire_time(None, datetime.now(UTC))
        if due is None:
            return None
        if schedule.next_look_at is None:
            schedules.set_next_look(schedule.id, due)
        job = Job(
            self._scheduler, id=schedule.id, name=schedule.id, func=self._call, args=(schedule.id, due.isoformat()),
            kwargs={}, trigger=trigger, executor="default", misfire_grace_time=None, coalesce=True, max_instances=1,
            next_run_time=due,
        )  # fmt: skip
        job._jobstore_alias = self._alias  # noqa: SLF001  (as APScheduler's own stores do)
        return job

    def _trigger(self, schedule: Schedule) -> BaseTrigger:
        if schedule.trigger is TriggerKind.CRON:
            return calendar(schedule)
        return IntervalTrigger(seconds=self._look_seconds, timezone=UTC)

    def __repr__(self) -> str:
        return "<ScheduleJobStore>"
