"""Cases of the loop: targets, what is known, and hits by the campaign's own definition."""

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.bench import loop_cases
from fermiloop.platform.bench.crystal_data import formulas
from fermiloop.platform.bench.loop_cases import Course, hidden_cases, pool_cases, window_cases
from fermiloop.platform.campaign.replaying.strategies import REPLAY_STRATEGIES
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import cosine

SHORT = Course(5, 20, 10)


@pytest.fixture(scope="module")
def library(make_library):
    """Crystals whose curves follow from their elements; half of them lie within 0.1 eV/atom of the hull."""
    found = make_library(every=1)
    formation = found.labels["formation_energy_per_atom"]
    return replace(found, labels={**found.labels, "energy_above_hull": formation - np.median(formation) + 0.1})


@pytest.fixture(autouse=True)
def many_hits(monkeypatch):
    monkeypatch.setattr(loop_cases, "FEWEST", 2)
    monkeypatch.setattr(loop_cases, "MOST", 40)


def test_a_target_keeps_its_own_composition_out_of_the_pool(library):
    for case in pool_cases(library, 6, [0], SHORT):
        own = case.composition.reduced_formula
        assert own not in formulas(case.oracle.pool)
        assert len(case.oracle.pool) == sum(name != own for name in formulas(library))


def test_hits_are_curves_as_similar_as_asked(library):
    for case in pool_cases(library, 6, [0], SHORT):
        pool, row = case.oracle.pool, library.ids.index(case.group)
        alike = cosine(pool.curves, library.curves[row]) >= 0.9
        np.testing.assert_array_equal(case.oracle.hits, alike)
        assert 2 <= alike.sum() <= 40


def test_stable_hits_lie_near_the_hull_too(library):
    found = pool_cases(library, 6, [0], SHORT, stable=True)
    assert found
    for case in found:
        near = case.oracle.pool.labels["energy_above_hull"] <= 0.1
        alike = cosine(case.oracle.pool.curves, case.oracle.target.curve) >= 0.9
        np.testing.assert_array_equal(case.oracle.hits, alike & near)
    assert any((case.oracle.computed["similarity"][~case.oracle.hits] >= 0.9).any() for case in found)


def test_seeds_change_what_is_known_and_nothing_else(library):
    found = pool_cases(library, 3, [0, 1], SHORT)
    assert [(case.group, case.seed) for case in found] == [(one, s) for one in sorted_groups(found) for s in (0, 1)]
    first, second = found[:2]
    assert first.oracle.pool.ids == second.oracle.pool.ids
    assert set(first.known) != set(second.known)
    assert len(first.known) == len(set(first.known)) == 5
    again = pool_cases(library, 3, [0, 1], SHORT)[0]
    assert again.known.tolist() == first.known.tolist()
    assert set(first.left) | set(first.known) == set(range(len(first.oracle.pool)))


def sorted_groups(found):
    return list(dict.fromkeys(case.group for case in found))


def test_the_seed_draws_the_targets(library):
    drawn = [sorted_groups(pool_cases(library, 4, [seed], SHORT)) for seed in range(4)]
    assert len({tuple(one) for one in drawn}) > 1


def test_half_of_the_binaries_is_hidden_and_all_else_known(library):
    for case in hidden_cases(library, 3, [0, 1], Course(0, 10, 10)):
        pool = case.oracle.pool
        binary = np.array([len(one.composition) == 2 for one in pool.structures])
        hidden = np.zeros(len(pool), dtype=bool)
        hidden[case.left] = True
        assert not hidden[~binary].any()
        assert 0.3 < hidden.sum() / binary.sum() < 0.7
        names = np.array(formulas(pool))
        assert not set(names[hidden]) & set(names[~hidden & binary])  # polymorphs stay together
        assert len(case.composition) == 2


def test_each_seed_hides_a_half_of_its_own(library):
    halves = {case.seed: tuple(case.oracle.pool.ids[i] for i in case.left) for case in hidden_cases(library, 1, [0, 1])}
    assert halves[0] != halves[1]


def test_windows_and_the_lowest_share(library):
    found = window_cases(library, [0, 1], Course(5, 20, 10))
    assert [(case.protocol, case.seed) for case in found] == [
        ("window", 0), ("window", 1), ("lowest", 0), ("lowest", 1)
    ]  # fmt: skip
    values = library.labels["formation_energy_per_atom"]
    assert found[0].oracle.hits.tolist() == ((values >= -0.56) & (values <= -0.50)).tolist()
    lowest = found[2].oracle.hits
    assert lowest.sum() >= round(0.05 * len(library))
    assert values[lowest].max() < values[~lowest].min()
    assert found[0].unit != found[1].unit  # one target alone: the seeds are resampled


def test_unlabelled_crystals_are_left_out_of_the_windows(library):
    values = library.labels["formation_energy_per_atom"].copy()
    values[:10] = np.nan
    bare = replace(library, labels={"formation_energy_per_atom": values})
    assert window_cases(bare, [0], SHORT)[0].oracle.pool.ids == library.ids[10:]


@pytest.mark.parametrize("protocol", ["pool", "stable", "window", "lowest"])
def test_the_campaign_file_says_the_same_as_the_target(protocol, library):
    found = window_cases(library, [0], SHORT) + pool_cases(library, 1, [0], SHORT)
    found += pool_cases(library, 1, [0], SHORT, stable=True)
    case = next(one for one in found if one.protocol == protocol)
    spec = case.spec(REPLAY_STRATEGIES["default"])
    target, says = case.oracle.target, spec.target
    assert says.windows() == target.windows
    assert says.stability() == target.stability
    if target.curve is not None:
        assert says.dos.material == target.crystal.reduced_formula
        assert says.exclude == target.exclude_formulas == (target.crystal.reduced_formula,)
        assert says.hit_similarity == target.hit_similarity
    assert (spec.budget.evaluations, spec.budget.per_round, spec.budget.rounds) == (20, 10, 2)


def test_the_default_says_nothing_of_surrogate_and_acquisition(library):
    case = pool_cases(library, 1, [0], SHORT)[0]
    spec = case.spec(REPLAY_STRATEGIES["default"])
    tree = {key: value for key, value in spec.as_dict().items() if key not in {"surrogate", "acquisition"}}
    assert CampaignSpec.model_validate(tree) == spec
    other = case.spec(REPLAY_STRATEGIES["thompson"])
    assert other.acquisition.name == "thompson"
    assert other.target == spec.target


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda data: pool_cases(data, 1, [0], Course(50, 60, 10)), "needs 111 curves"),
        (lambda data: window_cases(data, [0], Course(50, 60, 10)), "needs 110 crystals"),
    ],
)
def test_too_little_is_refused_with_what_is_needed(make, reason, library):
    with pytest.raises(InputError, match=reason):
        make(library.subset(range(60)))


def test_a_library_without_targets_is_refused(library, monkeypatch):
    monkeypatch.setattr(loop_cases, "FEWEST", 500)
    monkeypatch.setattr(loop_cases, "MOST", 600)
    for make in (pool_cases, hidden_cases):
        with pytest.raises(InputError, match="500 to 600 hits"):
            make(library, 1, [0])
