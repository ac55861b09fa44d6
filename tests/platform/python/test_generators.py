"""Generators from Python: trained on the store, sampled for a curve."""

from __future__ import annotations

from typing import Any

import pytest

import fermiloop
from fermiloop.platform.errors import InputError, NotFoundError

WHERE: dict[str, Any] = {"elements": ["Al", "Ni", "Pt", "Pd", "Cu", "Ti"], "crystal_systems": ["cubic"]}


def test_trained_and_sampled(store: dict[str, Any]) -> None:
    made = fermiloop.generators.train("substitution", seed=2)
    assert (made.generator, made.seed, made.state) == ("substitution", 2, "challenger")
    draw = {"dos": store["ids"][0], "n": 3, **WHERE}
    first, again = (fermiloop.generators.sample(made, **draw, seed=1) for _ in range(2))
    assert 0 < len(first) <= 3
    assert [p.structure for p in first] == [p.structure for p in again]
    assert [p.structure for p in fermiloop.generators.sample(made.id, **draw, seed=1)] == [p.structure for p in first]
    assert fermiloop.generators.sample(made, conditions={"band_gap": (0.0, None)}, **WHERE)


def test_mistakes_are_told(store: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="something to look for"):
        fermiloop.generators.sample("substitution", **WHERE)
    with pytest.raises(NotFoundError, match="in use"):
        fermiloop.generators.sample("substitution", dos=store["ids"][0], **WHERE)
    with pytest.raises(InputError, match="did you mean substitution"):
        fermiloop.generators.train("substitutio")
