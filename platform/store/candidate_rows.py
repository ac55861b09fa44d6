"""A candidate as one flat row: the same names in lists, files and answers, for every reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fermiloop.platform.jsonable import plain
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES


def flat(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a candidate, JSON-ready, with each score under its own name and None where it is unknown.

    The generator's score, which is the field ``score`` of the store, is ``generator_score``: ``score`` says how well
    the target is met.
    """
    scores = stored.get("scores") or {}
    rest = {name: value for name, value in stored.items() if name not in ("score", "scores")}
    own = {GENERATOR: stored["score"]} if "score" in stored else {}
    return dict(plain({**rest, **own, **{name: scores.get(name) for name in (HIT, *SCORES)}}))
