"""A worker that listens to the queue; its id is its name."""

from __future__ import annotations

from mongoengine import DateTimeField, IntField, StringField

from fermiloop.schemas.base import BaseDocument


class Worker(BaseDocument):
    """What a worker says of itself every few seconds; gone once it has ended."""

    meta = {"collection": "workers"}

    host = StringField(required=True)
    pid = IntField(required=True)
    doing = StringField(default="")  # name of the job in hand, empty where it waits
    since = DateTimeField()  # both by the clock of the database server
    last = DateTimeField()
