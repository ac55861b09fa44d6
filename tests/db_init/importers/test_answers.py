"""Which of several answers counts: by what they say, never by their order."""

from __future__ import annotations

import itertools

import pytest

from fermiloop.db_init.importers.answers import Answer, Standing, left_out, settle, settle_all, standing
from fermiloop.schemas.vocabulary import Property

ENERGY, GAP = Property.ENERGY_PER_ATOM, Property.BAND_GAP


def answer(value: float, key: str, name: Property = ENERGY, line: int | None = None) -> Answer:
    return Answer(("m-1", "method-1", name), value, key, line)


@pytest.mark.parametrize(
    ("name", "values", "counts"),
    [
        (ENERGY, [-5.0, -5.4, -4.0], -5.4),
        (Property.FORMATION_ENERGY_PER_ATOM, [-1.0, -2.1], -2.1),
        (Property.ENERGY_ABOVE_HULL, [0.3, 0.0], 0.0),
        (GAP, [5.0, 4.0], None),
        (GAP, [0.61, 0.62], 0.61),
        (GAP, [0.0], 0.0),
        (GAP, [0.60, 0.61, 0.70], None),
        (Property.MAGNETIC_MOMENT, [2.0, 0.0], None),
        (Property.FERMI_LEVEL, [5.62, 5.62], 5.62),
        (Property.BULK_MODULUS, [100.0, 150.0], None),
        (Property.DOS_SIMILARITY, [0.9, 0.9], 0.9),
        (Property.DOS_SIMILARITY, [0.9, 0.8], None),
    ],
)
def test_a_value_counts_whatever_the_order(name: Property, values: list[float], counts: float | None) -> None:
    assert {settle(name, order) for order in itertools.permutations(values)} == {counts}


def test_every_answer_that_does_not_count_is_told_with_the_one_that_does() -> None:
    given = [answer(-2.1, "a"), answer(-1.0, "c"), answer(-2.1002, "b"), answer(5.0, "a", GAP), answer(4.0, "c", GAP)]
    for order in itertools.permutations(given):
        told = left_out(order)
        assert [(one.key, str(one.place[2])) for one, _ in told] == [
            ("c", "band_gap"), ("a", "band_gap"), ("c", "energy_per_atom"),
        ]  # fmt: skip
        assert "say 4, 5 eV, and nothing tells which is right" in told[0][1]
        assert "b of the same crystal and Method says -2.1002 eV/atom" in told[2][1]
        assert settle_all(order) == {("m-1", "method-1", ENERGY): -2.1002, ("m-1", "method-1", GAP): None}


def test_crystals_methods_and_properties_are_settled_apart() -> None:
    given = [Answer((material, method, GAP), 1.0 + n, "k") for n, (material, method) in enumerate(["ax", "ay", "bx"])]
    assert len(settle_all(given)) == 3
    assert left_out(given) == []


@pytest.mark.parametrize(
    ("name", "value", "keys", "stored", "stands"),
    [
        (GAP, 1.0, {"a"}, [], Standing.NEXT),
        (GAP, 1.0, {"a"}, [(1.0, "b")], Standing.KNOWN),
        (GAP, 2.0, {"a"}, [(1.0, "a")], Standing.NEXT),
        (GAP, 2.0, {"a"}, [(1.0, None)], Standing.NEXT),
        (GAP, 2.0, {"a"}, [(1.0, "b")], Standing.CONTRADICTS),
        (GAP, 1.01, {"a"}, [(1.0, "b")], Standing.KNOWN),
        (GAP, 1.0, {"a"}, [(1.0, "a"), (2.0, "a")], Standing.KNOWN),
        (ENERGY, -5.0, {"a"}, [(-5.4, "b")], Standing.CONTRADICTS),
        (ENERGY, -5.4, {"a"}, [(-5.0, "b")], Standing.NEXT),
        (ENERGY, -5.0, {"a", "b"}, [(-5.4, "b")], Standing.NEXT),
    ],
)
def test_what_is_a_version_and_what_a_contradiction(
    name: Property, value: float, keys: set[str], stored: list[tuple[float, str | None]], stands: Standing
) -> None:
    assert standing(name, value, keys, stored) is stands


def test_an_answer_is_kept_with_its_batch_and_read_again() -> None:
    for one in (answer(1.0, "a", GAP), answer(-1.0, "b", line=7)):
        assert Answer.from_row(one.row(), None) == one
