"""What an import has taken in already, and where a cut-off one goes on."""

from __future__ import annotations

from mongoengine import DateTimeField, DictField, IntField, ListField, StringField

from fermiloop.schemas.base import BaseDocument, now


class ImportBatch(BaseDocument):
    """One batch of entries that is wholly in the store; its id is the digest of all that it was made from."""

    meta = {"collection": "import_batches"}

    source = StringField(required=True)
    materials = ListField(StringField())
    n = IntField(required=True, min_value=0)  # entries that became materials
    refused = IntField(required=True, min_value=0)
    answers = ListField(DictField())  # what each entry says: material, method, property, value, key, line
    added = ListField(StringField())  # ids of the labels that were new with it
    created_at = DateTimeField(default=now)


class ImportCursor(BaseDocument):
    """Where an unfinished import of a paged source goes on."""

    meta = {"collection": "import_cursors"}

    source = StringField(required=True)
    cursor = StringField(required=True)
    updated_at = DateTimeField(default=now)
