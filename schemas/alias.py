"""A former id of a material: what became of it when two materials turned out to be one crystal."""

from __future__ import annotations

from mongoengine import DateTimeField, StringField

from fermiloop.schemas.base import BaseDocument, now


class Alias(BaseDocument):
    """Its id is the former one; kept for good, so that a reference to that id still leads on."""

    meta = {"collection": "aliases"}

    material = StringField(required=True)  # what it became part of, which may have become part of another since
    created_at = DateTimeField(default=now)
