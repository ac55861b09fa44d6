"""Elements as bins."""

import json
from pathlib import Path

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.element_bins import N_BINS, element_vectors

PUBLISHED = Path(__file__).parents[3] / ".." / "shared" / "data" / "atom_init.json"


def test_every_element_has_one_group_period_valence_and_block():
    vectors = element_vectors()
    assert vectors.shape == (104, N_BINS)
    assert not vectors[0].any()
    assert set(np.unique(vectors)) == {0, 1}
    for start, end in ((0, 19), (19, 26), (46, 58), (78, 82)):
        assert (vectors[1:, start:end].sum(axis=1) == 1).all()
    assert (vectors.sum(axis=1) <= 9).all()


def test_known_elements_fall_into_their_bins():
    vectors = element_vectors()
    sodium, iron, lanthanum = vectors[11], vectors[26], vectors[57]
    assert sodium[1] == 1  # group 1
    assert sodium[19 + 2] == 1  # period 3
    assert iron[8] == 1
    assert iron[78 + 2] == 1  # d
    assert lanthanum[0] == 1  # neither of groups 1 to 18


def test_a_copy_is_given_away():
    element_vectors()[1] = 7
    assert element_vectors()[1].max() == 1


def test_another_table_is_taken_as_it_is_or_refused():
    table = {1: [0.5] * N_BINS}
    assert element_vectors(table)[1].tolist() == table[1]
    assert not element_vectors(table)[2].any()
    with pytest.raises(InputError, match="element 3"):
        element_vectors({3: [1.0]})
    with pytest.raises(InputError, match="element 200"):
        element_vectors({200: [1.0] * N_BINS})


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published element vectors are not beside the repository")
def test_bins_agree_with_the_published_ones_but_for_neighbours():
    published = element_vectors({int(z): v for z, v in json.loads(PUBLISHED.read_text()).items()})
    own = element_vectors()
    agreement = (published[1:101] == own[1:101]).mean()
    assert agreement > 0.97
    for start, end in ((0, 19), (19, 26), (46, 58), (58, 68), (78, 82)):
        assert (published[1:101, start:end] == own[1:101, start:end]).all(axis=1).mean() >= 0.98
