"""Input that was refused, kept with its reason."""

from __future__ import annotations

from mongoengine import DateTimeField, IntField, StringField

from fermiloop.schemas.base import BaseDocument, now

EXCERPT = 500  # characters kept


class Quarantine(BaseDocument):
    """One refused line or file."""

    meta = {"collection": "quarantine"}

    source = StringField(required=True)
    line = IntField()
    reason = StringField(required=True)
    excerpt = StringField(max_length=EXCERPT)
    created_at = DateTimeField(default=now)
