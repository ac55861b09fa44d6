"""One encoder for all: no NaN, no infinity, numpy's numbers, keys that are no text."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from fermiloop.platform.api import views
from fermiloop.platform.api.views import SafeJson
from fermiloop.platform.cli.output import json_text
from fermiloop.platform.jsonable import plain, text
from fermiloop.schemas.vocabulary import Stage


@dataclass
class Point:
    x: Any


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (math.nan, None), (math.inf, None), (-math.inf, None), (np.float32("nan"), None), (np.float64(1.5), 1.5),
        (np.int64(3), 3), (np.bool_(True), True), (np.array([1, math.nan]), [1, None]),
        ({1: {2.5: "x"}}, {"1": {"2.5": "x"}}), ({Stage.EVALUATED: 1}, {"evaluated": 1}), (np.array(2.0), 2.0),
        (Point(math.inf), {"x": None}),
        ((1, {2}), [1, [2]]),
        (datetime(2026, 1, 5, tzinfo=UTC), "2026-01-05T00:00:00+00:00"), (np.datetime64("2026-01-05"), "2026-01-05"),
        (1 + 2j, "(1+2j)"), (np.complex128(1), "(1+0j)"), (10**30, 10**30), (True, True), (None, None), ("é", "é"),
    ],
)  # fmt: skip
def test_values(given: Any, kept: Any) -> None:
    assert plain(given) == kept
    assert json.loads(text(given)) == kept


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.floats(width=32).map(np.float32)
    | st.integers(-9, 9).map(np.int16) | st.lists(st.floats(), max_size=3).map(np.array),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text() | st.integers() | st.booleans(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(ANY)
def test_whatever_is_given_becomes_strict_json(value: Any) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    for made in (text(value), json_text(value), SafeJson(value).body.decode()):
        json.loads(made, parse_constant=refuse)


def test_a_crystal_with_numpy_and_integer_keys_is_a_file() -> None:
    crystal = Structure(
        Lattice.cubic(3), ["Ni", "Al"], [[0, 0, 0], [0.5] * 3],
        site_properties={"magmom": [np.float32(0.6), math.nan], "forces": [np.zeros(3), np.ones(3)]},
    )  # fmt: skip
    read = Structure.from_dict(json.loads(views.crystal(crystal, "json", "c-1").body))
    assert read.site_properties["forces"] == [[0, 0, 0], [1, 1, 1]]
    assert read.site_properties["magmom"] == [pytest.approx(0.6), None]
