"""How a number was computed; numbers of different methods never mix."""

from __future__ import annotations

from typing import Any

from mongoengine import DateTimeField, DictField, StringField

from fermiloop.schemas.base import BaseDocument, content_id, now
from fermiloop.schemas.vocabulary import EXTERNAL


class Method(BaseDocument):
    """Engine, functional and every setting that changes a result."""

    meta = {"collection": "methods"}

    engine = StringField(required=True, max_length=40)  # of whatever package: one that is gone stays readable
    functional = StringField(required=True)
    settings = DictField()  # cutoffs, k-points, smearing, grids, in the engine's units
    code_versions = DictField()  # of the first result; not part of the id
    created_at = DateTimeField(default=now)

    @classmethod
    def make(cls, engine: str, functional: str, settings: dict[str, Any], code_versions: dict[str, str]) -> Method:
        """The document of a method; the same science gets the same id, whatever the code's patch level."""
        return cls(
            id=content_id("method", engine, functional, settings),
            engine=engine,
            functional=functional,
            settings=settings,
            code_versions=code_versions,
        )

    @property
    def source(self) -> str:
        """Its engine, or where numbers were imported from, as ``retrain.source`` of a campaign file names it."""
        imported = self.settings.get("source") if self.engine == EXTERNAL else None
        return str(imported or self.engine)
