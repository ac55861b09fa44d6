"""One evaluation by an engine: its inputs, state, cost, and why it failed."""

from __future__ import annotations

from mongoengine import BooleanField, DateTimeField, DictField, EnumField, IntField, StringField

from fermiloop.schemas.base import BaseDocument, now
from fermiloop.schemas.fields import FiniteField, StructureField
from fermiloop.schemas.vocabulary import CalculationState


class Calculation(BaseDocument):
    """The same structure by the same method is the same calculation: it is never paid for twice."""

    meta = {"collection": "calculations"}

    candidate = StringField()
    campaign = StringField()
    engine = StringField(required=True)
    method = StringField(required=True)
    settings = DictField()
    structure = StructureField(required=True)
    relaxed = BooleanField(default=True)  # False: computed at the geometry that it was handed over in
    handed_over = StringField()  # what was handed over to be computed: a file, a material; None where a campaign chose
    state = EnumField(CalculationState, default=CalculationState.WAITING)
    attempts = IntField(default=0)
    worker = StringField()  # who began it
    claimed_by = StringField()  # the worker that may run its steps now, and nobody else
    core_seconds = FiniteField(default=0.0)
    error = StringField()
    result = DictField()  # small numbers only; curves are spectra
    ingested = BooleanField(default=False)
    late = BooleanField(default=False)  # recorded after its round had closed
    time_limit = FiniteField()  # seconds, in place of the campaign's, where it was run again with more
    stop_requested = StringField()  # why it is to stop, where somebody has asked for that
    ignored = BooleanField(default=False)  # a failure that nobody needs to look at any more
    sequence = IntField(default=0)  # of its planning, see platform.store.sequence
    ingested_sequence = IntField(default=0)
    created_at = DateTimeField(default=now)
    started_at = DateTimeField()
    finished_at = DateTimeField()
    ingested_at = DateTimeField()
