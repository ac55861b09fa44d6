"""A crystal as OPTIMADE serves it: derived from a material or a candidate, and made again whenever that changes."""

from __future__ import annotations

from mongoengine import DateTimeField, IntField, ListField, StringField

from fermiloop.schemas.base import BaseDocument


class OptimadeEntry(BaseDocument):
    """Fields that are looked up; the others are those of `representations.optimade_fields`, as they are served."""

    meta = {"collection": "optimade_structures", "strict": False}

    kind = StringField(required=True)  # material or candidate
    campaign = StringField()
    stage = StringField()
    elements = ListField(StringField(), required=True)
    nelements = IntField(required=True)
    nsites = IntField(required=True)
    chemical_formula_reduced = StringField(required=True)
    last_modified = DateTimeField(required=True)
    revision = StringField(required=True)  # hash of what it was made from
