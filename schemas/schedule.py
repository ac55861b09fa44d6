"""A schedule of retraining, its firings, and the lease by which one scheduler leads."""

from __future__ import annotations

from mongoengine import BooleanField, DateTimeField, DictField, EnumField, IntField, StringField

from fermiloop.schemas.base import BaseDocument, now
from fermiloop.schemas.vocabulary import RunState


class Schedule(BaseDocument):
    """When a generator is retrained; its id is its name."""

    meta = {"collection": "schedules"}

    generator = StringField(required=True)
    preset = StringField()
    options = DictField()
    method = StringField(required=True)  # whose labels and curves are learned
    trigger = StringField(required=True)  # name in `flows.schedules.triggers`
    value = StringField(required=True)  # cron text, number of labels, significance level, or campaign
    zone = StringField(default="UTC")  # of the cron text
    active = BooleanField(default=True)
    seed = IntField(default=0)
    labels = IntField(default=0)  # by the method, when the schedule was added
    sequence = IntField(default=0)  # of its adding, see platform.store.sequence
    next_look_at = DateTimeField()  # when a calendar is due next; none for other triggers
    created_at = DateTimeField(default=now)


class ScheduleRun(BaseDocument):
    """One firing; its id is ``schedule@key``, so that no firing is taken twice."""

    meta = {"collection": "schedule_runs"}

    schedule = StringField(required=True)
    key = StringField(required=True)  # the firing: a due time, a count of labels, a round
    reason = StringField(required=True)
    state = EnumField(RunState, default=RunState.RUNNING)
    sequence = IntField(default=0)  # orders firings, see platform.store.sequence
    leader = StringField()
    attempts = IntField(default=1)
    labels = IntField(default=0)  # by the method, when it fired
    snapshot = StringField()
    checkpoint = StringField()  # the challenger
    champion = StringField()  # the one it was compared with
    gate = DictField()
    told = StringField()  # the gate's reason, or the error
    started_at = DateTimeField(default=now)
    finished_at = DateTimeField()


class Lease(BaseDocument):
    """A right that one process at a time has, until it runs out."""

    meta = {"collection": "leases"}

    holder = StringField(required=True)
    until = DateTimeField(required=True)
