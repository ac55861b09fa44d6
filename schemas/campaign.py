"""A campaign and its rounds."""

from __future__ import annotations

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EnumField,
    IntField,
    ListField,
    StringField,
)

from fermiloop.schemas.base import BaseDocument, now
from fermiloop.schemas.fields import FiniteField
from fermiloop.schemas.vocabulary import CampaignState, RoundAction, RoundState


class Resolved(EmbeddedDocument):
    """What the launch made of a campaign's file; it never changes, whatever a node has installed or the store learns.

    The first three are ids of Methods, as are those of the curves.
    """

    engine = StringField(required=True)
    training = StringField(required=True)  # whose labels are learned
    cheap = StringField(required=True)  # of the funnel's potential
    curves = ListField(StringField())  # whose densities of states are learned, the best first; empty: that of training
    packages = (
        DictField()
    )  # what is no part of fermiloop, such as ``engine emt``, to the package and version it came from
    hull = BooleanField()  # whether the engine's Method had a reference of every element
    curve = ListField(FiniteField())  # of the target, of unit area on the grid of its kind; empty where there is none
    alignment = StringField()  # what lies at zero of the curve


class Campaign(BaseDocument):
    """A search for one target; its id is its name."""

    meta = {"collection": "campaigns"}

    spec = DictField(required=True)
    spec_text = StringField(required=True)  # the file as launched
    resolved = EmbeddedDocumentField(Resolved)
    state = EnumField(CampaignState, default=CampaignState.RUNNING)
    reason = StringField()
    sequence = IntField(default=0)  # orders campaigns, see platform.store.sequence
    created_at = DateTimeField(default=now)
    closed_at = DateTimeField()


class RoundDecision(EmbeddedDocument):
    """What follows a round, and why; of a step that failed, its reason."""

    action = StringField(choices=[str(one) for one in RoundAction])
    reason = StringField()
    failed = StringField()  # why a step failed, before anybody has decided


class Round(BaseDocument):
    """One turn of the loop; its id is ``name/number``."""

    meta = {"collection": "rounds"}

    campaign = StringField(required=True)
    number = IntField(required=True, min_value=1)
    state = EnumField(RoundState, default=RoundState.PLANNED)
    snapshot = StringField()
    checkpoints = DictField()  # generator: checkpoint
    selected = ListField(StringField())  # candidates
    tallies = ListField(DictField())  # of the funnel
    counts = DictField()
    costs = DictField()  # core-seconds of each step but the evaluations, which keep their own
    decision = EmbeddedDocumentField(RoundDecision, default=RoundDecision)
    launched = DictField()  # by: who added its workflow; empty where it is run without the queue
    sequence = IntField(default=0)  # of its planning, see platform.store.sequence
    closed_sequence = IntField(default=0)
    created_at = DateTimeField(default=now)
    closed_at = DateTimeField()
