"""Which migrations the database has seen."""

from __future__ import annotations

from mongoengine import DictField, IntField, ListField

from fermiloop.schemas.base import BaseDocument


class SchemaVersion(BaseDocument):
    """The one document with the id ``schema``."""

    meta = {"collection": "schema_version"}

    version = IntField(required=True, min_value=0)
    applied = ListField(DictField())  # version, title, at
