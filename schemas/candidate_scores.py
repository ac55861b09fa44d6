"""What is known of a candidate in numbers, by the names of `fermiloop.schemas.scores`: one document, typed."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, Final

from mongoengine.base import BaseField

from fermiloop.schemas.scores import HIT

LONGEST: Final = 100  # letters of a name


class Scores(dict[str, float | bool]):
    """Numbers by their names, and whether it is a hit; the names of an installed package's properties too."""

    @property
    def hit(self) -> bool:
        """Whether an evaluation has found that it is what is looked for."""
        return bool(self.get(HIT))

    @property
    def predicted_score(self) -> float | None:
        """Expected score; None where nothing was predicted."""
        return self._number("predicted_score")

    @property
    def computed_score(self) -> float | None:
        """Score of its evaluation; None without one."""
        return self._number("computed_score")

    def _number(self, name: str) -> float | None:
        found = self.get(name)
        return None if found is None else float(found)


def fault_of(name: object, value: object) -> str | None:
    """Why something is no score, in a few words; None where it is one."""
    if not isinstance(name, str) or not name.isidentifier() or len(name) > LONGEST:
        return f"{str(name)[:LONGEST]!r} is no name of a score"
    if name == HIT:
        return None if isinstance(value, bool) else f"{HIT} is {value!r}, not true or false"
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        return f"{name} is {str(value)[:LONGEST]!r}, not a finite number"
    return None


class ScoresField(BaseField):
    """`Scores`, stored as a mapping; none where nothing is known. What an earlier version stored is read as it is."""

    def __set__(self, instance: Any, value: Any) -> None:
        """Keep a mapping as `Scores`."""
        super().__set__(instance, value if value is None else Scores(value))

    def to_python(self, value: Any) -> Any:
        """What was stored."""
        return Scores(value)

    def to_mongo(self, value: Any) -> Any:
        """What is stored."""
        return dict(value) or None

    def prepare_query_value(self, op: str, value: Any) -> Any:
        """What an update stores."""
        super().prepare_query_value(op, value)  # validates
        return dict(value)

    def validate(self, value: Any, clean: bool = True) -> None:  # noqa: ARG002  (mongoengine's)
        """Refuse what the class does not allow."""
        if not isinstance(value, dict):
            self.error(f"{type(value).__name__} are no scores")
        fault = next((found for name, one in value.items() if (found := fault_of(name, one))), None)
        if fault is not None:
            self.error(fault)
