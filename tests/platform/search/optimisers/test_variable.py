"""Genetic search over all compositions: what is asked for, and who is fit."""

from collections import Counter

import numpy as np
import pytest

from fermiloop.platform.search.optimisers.crystal_space import CrystalSpace
from fermiloop.platform.search.optimisers.variable import Member, VariableGenetic, VariableOptions
from fermiloop.platform.search.oracle import Point

ELEMENTS = ("Al", "Ni")


def space_of(symbols):
    return CrystalSpace(symbols, np.full(len(symbols), 1.3), 14.0 * len(symbols))


def made(rng, allowed=lambda symbols: True, options=None):
    return VariableGenetic(ELEMENTS, 6, space_of, allowed, rng, options)


def member(symbols, excess, extra=0.0):
    sites = np.random.default_rng(len(symbols)).random((len(symbols), 3))
    return Member(symbols, Point(sites, 3 * np.eye(3)), excess, extra)


def run(search, asks, excess):
    """Searches where the energy is told at once, as if every start were relaxed."""
    for _ in range(asks):
        symbols, point = search.ask()
        assert len(point.sites) == len(symbols)
        search.tell(Member(symbols, point, excess(symbols, point)))


def test_elements_come_first_then_all_compositions_within_the_size() -> None:
    search = made(np.random.default_rng(0))
    run(search, 60, lambda *_: 0.0)
    sizes = Counter(len(one.symbols) for one in search.seen)
    assert [set(one.symbols) for one in search.seen[:2]] == [{"Al"}, {"Ni"}]
    assert max(sizes) <= 6
    assert len({one.symbols.count("Ni") / len(one.symbols) for one in search.seen}) > 5


def test_what_is_not_allowed_is_not_bred() -> None:
    search = made(np.random.default_rng(1), allowed=lambda symbols: len(set(symbols)) == 2 and len(symbols) % 2 == 0)
    run(search, 40, lambda *_: -0.1)
    assert all(len(one.symbols) % 2 == 0 and len(set(one.symbols)) == 2 for one in search.seen[2:])


def test_fitness_is_the_energy_above_the_hull_of_all_seen() -> None:
    search = made(np.random.default_rng(0))
    for symbols, excess in ((("Al",), 0.1), (("Ni",), 0.0), (("Al", "Ni"), -0.5), (("Al", "Al", "Ni"), -0.1)):
        search.tell(member(symbols, excess))
    expected = [0.0, 0.0, 0.0, -0.1 - (0.1 / 3 + 2 / 3 * -0.5)]
    np.testing.assert_allclose(search.above_hull(), expected, atol=1e-9)
    search.tell(member(("Al", "Al", "Ni"), -0.6))
    assert search.above_hull()[2] == 0.0
    assert search.above_hull()[3] == pytest.approx(0.5)


def test_an_element_not_seen_stands_at_zero_and_extras_count() -> None:
    search = made(np.random.default_rng(0))
    search.tell(member(("Al", "Ni"), 0.2, extra=0.7))
    np.testing.assert_allclose(search.fitness(), [0.9])


def test_breeding_finds_more_of_what_is_stable_than_random_crystals() -> None:
    """Long cells bind best here; random ones are never as long, their descendants may be."""

    def excess(symbols, point):
        x, lengths = symbols.count("Ni") / len(symbols), np.linalg.norm(point.cell, axis=1)
        return -4 * x * (1 - x) * np.exp(-((lengths.max() / lengths.min() - 4) ** 2) / 4)

    random = VariableOptions(heredity=0, transmutation=0, exchange=0, strain=0)
    found = []
    for options in (VariableOptions(), random):
        search = made(np.random.default_rng(3), options=options)
        run(search, 100, excess)
        found.append(np.mean([one.excess for one in search.seen[-50:]]))
    assert found[0] < 1.3 * found[1] < 0


def test_children_differ_from_their_parents_and_have_atoms_apart() -> None:
    search = made(np.random.default_rng(4))
    run(search, 50, lambda symbols, _: -abs(len(symbols) - 4) / 10)
    for one in search.seen:
        assert np.isfinite(one.point.sites).all()
        assert abs(np.linalg.det(one.point.cell)) > 5 * len(one.symbols)
