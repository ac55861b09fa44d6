"""A proposed crystal, from its generator to its result."""

from __future__ import annotations

from mongoengine import DateTimeField, DictField, EnumField, IntField, ListField, StringField
from pymatgen.core import Structure

from fermiloop.schemas.base import BaseDocument, content_id, now
from fermiloop.schemas.candidate_scores import Scores, ScoresField
from fermiloop.schemas.fields import FiniteField, StructureField
from fermiloop.schemas.vocabulary import Stage


def proposer_of(generator: str, preset: str | None) -> str:
    """A generator with its preset, as a round names it: ``dos_composer/paper``, or the name alone."""
    return f"{generator}/{preset}" if preset else generator


class Candidate(BaseDocument):
    """One proposal of one round; a rejected one is kept with its reason."""

    meta = {"collection": "candidates"}

    campaign = StringField(required=True)
    round = IntField(required=True, min_value=1)
    generator = StringField(required=True)
    preset = StringField()  # of the generator
    index = IntField(required=True, min_value=0)  # place in the generator's list
    structure = StructureField(required=True)  # as proposed, then as relaxed by the funnel
    formula = StringField(required=True)  # reduced
    formula_lower = StringField(required=True)
    elements = ListField(StringField(), required=True)
    chemical_system = StringField(required=True)
    n_sites = IntField(required=True)
    checkpoint = StringField()
    seed = IntField(required=True)
    parent = StringField()  # material it was made from
    score = FiniteField(required=True)  # the generator's; shown as generator_score
    probability = FiniteField()  # calibrated
    detail = DictField()
    stage = EnumField(Stage, default=Stage.PROPOSED)
    reason = StringField()  # of a rejection or failure, or why a result is like nothing
    verdicts = ListField(DictField())  # stage, passed, reason, value
    scores = ScoresField(default=Scores)
    calculation = StringField()
    material = StringField()  # the result
    created_at = DateTimeField(default=now)

    @staticmethod
    def make_id(campaign: str, number: int, proposer: str, index: int) -> str:
        """Id of a place in a round: a repeated sampling writes the same documents."""
        return content_id("c", campaign, number, proposer, index)

    @property
    def proposer(self) -> str:
        """Generator with its preset, as a round names it."""
        return proposer_of(self.generator, self.preset)

    def to_structure(self) -> Structure:
        """The crystal as pymatgen's object."""
        return Structure.from_dict(self.structure)
