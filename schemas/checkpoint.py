"""A trained generator: weights, configuration, metrics, and the snapshot it learned from."""

from __future__ import annotations

from mongoengine import DateTimeField, DictField, EnumField, FloatField, IntField, ListField, StringField

from fermiloop.schemas.base import BaseDocument, now
from fermiloop.schemas.vocabulary import CheckpointState


class Checkpoint(BaseDocument):
    """Header of a checkpoint; its files lie in GridFS."""

    meta = {"collection": "checkpoints"}

    generator = StringField(required=True)
    preset = StringField()
    config = DictField()
    metrics = DictField()
    history = ListField(FloatField())  # loss by epoch
    snapshot = StringField(required=True)
    seed = IntField(required=True)
    files = DictField()  # file name: {"gridfs": id, "sha256": hash}
    state = EnumField(CheckpointState, default=CheckpointState.CHALLENGER)
    core_seconds = FloatField()
    sequence = IntField(default=0)  # of its saving, see platform.store.sequence
    promoted_sequence = IntField(default=0)
    promoted_at = DateTimeField()  # when it last became champion by a promotion
    created_at = DateTimeField(default=now)
