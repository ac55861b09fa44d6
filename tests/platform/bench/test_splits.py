"""Parts that share neither composition nor prototype, whatever the crystals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure

from fermiloop.platform.bench.crystal_data import formulas
from fermiloop.platform.bench.splits import apart, by_composition, folds_apart, prototypes, published, without
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import TrainingSet


def crystals(rows):
    """Crystals of (formula, prototype), of which nothing else matters."""
    made = [Structure([[3, 0, 0], [0, 3, 0], [0, 0, 3]], list(symbols), [[0, 0, 0]] * len(symbols))
            for symbols, _ in rows]  # fmt: skip
    n = len(rows)
    return TrainingSet(
        tuple(map(str, range(n))), tuple(made), ("cubic",) * n, tuple(kind for _, kind in rows), DOS_GRID,
        np.full((n, DOS_GRID.n), np.nan),
    )  # fmt: skip


PAIRS = [(("Na", "Cl"), f"AB/{g}") for g in (225, 221, 216)] + [(("K", b), f"AB/{g}")
         for b in ("F", "Cl", "Br") for g in (225, 186, 63, 62)]  # fmt: skip


def assert_apart(data, one, other):
    names, kinds = formulas(data), prototypes(data)
    for of in (names, kinds):
        assert not {of[i] for i in one} & {of[i] for i in other}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([("Na", "Cl"), ("K", "Cl"), ("K", "Br"), ("Cs", "I"), ("Mg", "O")]),
                       st.sampled_from([f"AB/{g}" for g in range(200, 212)])), min_size=1, max_size=50),
    st.integers(0, 3),
)  # fmt: skip
def test_no_two_parts_share_anything(rows, seed):
    data = crystals(rows)
    try:
        parts = apart(data, (0.6, 0.2, 0.2), seed)
    except InputError:  # too few prototypes
        return
    for i, part in enumerate(parts):
        for other in parts[i + 1 :]:
            assert_apart(data, part, other)
            assert not set(part.tolist()) & set(other.tolist())


def test_shares_are_kept_as_far_as_prototypes_allow():
    rows = [((a, b), f"AB/{i % 50 + 1}") for i, (a, b) in enumerate((a, b) for a in ("Li", "Na", "K", "Rb", "Cs", "Mg",
            "Ca", "Sr", "Ba", "Zn") for b in ("F", "Cl", "Br", "I", "O", "S", "Se", "Te", "N", "P"))]  # fmt: skip
    train, validation, test = apart(crystals(rows))
    assert (len(validation), len(test)) == (10, 10)
    assert len(train) == 80
    assert not np.array_equal(apart(crystals(rows), seed=1)[2], test)


def test_every_row_is_asked_for_once():
    data = crystals(PAIRS)
    found = folds_apart(data, 3)
    assert sorted(np.concatenate([test for _, test in found]).tolist()) == list(range(len(data)))
    for train, test in found:
        assert_apart(data, train, test)
    with pytest.raises(InputError, match="6 prototypes, too few for 7"):
        folds_apart(data, 7)


def test_one_prototype_cannot_be_split():
    with pytest.raises(InputError, match="1 prototypes, too few for 2"):
        apart(crystals([(("Na", "Cl"), "AB/225"), (("K", "Cl"), "AB/225")]), (0.5, 0.5))


def test_polymorphs_stay_together_and_every_row_is_asked_for_once():
    data = crystals(PAIRS * 6)
    names, folds = np.array(formulas(data)), by_composition(data, 3)
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(90))
    for train, test in folds:
        assert len(train) + len(test) == 90
        assert not set(names[train]) & set(names[test])


def test_the_published_split_has_the_shares_asked_for_and_leaks():
    train, validation, test = published(1000)
    assert (len(train), len(validation), len(test)) == (800, 100, 100)
    assert sorted(np.concatenate([train, validation, test]).tolist()) == list(range(1000))
    data = crystals(PAIRS * 4)
    one, other = published(len(data), (0.5, 0.5))
    assert {formulas(data)[i] for i in one} & {formulas(data)[i] for i in other}


def test_names_of_prototypes_become_one_kind(make_library):
    data = make_library(("Al", "Ni"), ("A1", "B2", "L1_2"), 1)
    assert sorted(set(prototypes(data))) == ["A/225", "AB/221", "AB3/221"]
    nickel = data.subset([i for i, name in enumerate(formulas(data)) if name == "Ni"])
    assert "Ni" not in formulas(without(data, nickel))
    assert "A/225" not in prototypes(without(data, nickel))
    assert len(without(data, nickel)) == len([kind for kind in prototypes(data) if kind != "A/225"])
