"""A frozen training set: which materials, and a hash of all that they held."""

from __future__ import annotations

from mongoengine import DateTimeField, DictField, IntField, ListField, StringField

from fermiloop.schemas.base import BaseDocument, now

PAGE_SIZE = 2000  # ids a page, so that no document nears 16 MB


class Snapshot(BaseDocument):
    """Header of a snapshot; it never changes."""

    meta = {"collection": "snapshots"}

    query = DictField()
    n = IntField(required=True, min_value=0)
    content_hash = StringField(required=True)
    split_seed = IntField(required=True)
    method = StringField(required=True)  # of the labels
    curve_methods = ListField(StringField())  # of the curves, where they are not those of `method` alone
    campaign = StringField()
    created_at = DateTimeField(default=now)


class SnapshotPage(BaseDocument):
    """One page of a snapshot: its materials, and the curves and labels that they had."""

    meta = {"collection": "snapshot_pages"}

    snapshot = StringField(required=True)
    number = IntField(required=True, min_value=0)
    materials = ListField(StringField(), max_length=PAGE_SIZE)
    spectra = ListField(StringField())
    labels = ListField(StringField())
