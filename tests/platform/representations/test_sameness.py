"""One crystal is one, whatever its cell and whatever the order; different crystals stay apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.canonical import canonical
from fermiloop.platform.representations.sameness import joined, same

GROUP, CUBIC = Structure.from_spacegroup, Lattice.cubic
THIRDS = {"A": (0.0, 0.0), "B": (1 / 3, 2 / 3), "C": (2 / 3, 1 / 3)}


def partition(forms, order):
    """Materials into which forms fall that come in this order, as a set of sets of their places."""
    groups, members = {}, {}
    for place in order:
        found = joined(forms[place], groups)
        one = groups.setdefault(place, [forms[place]])
        members[place] = {place}
        for name in found:
            one += groups.pop(name)
            members[place] |= members.pop(name)
    return frozenset(frozenset(found) for found in members.values())


def silicon_carbide(layers: str) -> Structure:
    n, height = len(layers), 2.52
    sites = [(*THIRDS[name], (i + up) / n) for i, name in enumerate(layers) for up in (0, 0.75)]
    return Structure(Lattice.hexagonal(3.08, height * n), ["Si", "C"] * n, sites)


def half_heusler(a: str, b: str, c: str) -> Structure:
    return GROUP("F-43m", CUBIC(5.9), [a, b, c], [[0] * 3, [0.25] * 3, [0.5] * 3])


def lead_titanate(shift: float, c: float = 3.95) -> Structure:
    """Perovskite cell whose titanium is moved along z, in Å."""
    sites = [[0, 0, 0], [0.5, 0.5, 0.5 + shift / c], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.tetragonal(3.95, c), ["Pb", "Ti", "O", "O", "O"], sites)


def cubic(element: str, edge: float) -> Structure:
    return Structure(CUBIC(edge), [element], [[0, 0, 0]])


APART = {
    "B2 and B32": (
        Structure(CUBIC(3.0), ["Al", "Ni"], [[0] * 3, [0.5] * 3]),
        GROUP("F-43m", CUBIC(6.0), ["Al", "Al", "Ni", "Ni"], [[0] * 3, [0.25] * 3, [0.5] * 3, [0.75] * 3]),
    ),
    "zincblende and wurtzite": (
        GROUP("F-43m", CUBIC(5.41), ["Zn", "S"], [[0] * 3, [0.25] * 3]),
        GROUP("P6_3mc", Lattice.hexagonal(3.82, 6.26), ["Zn", "S"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.375]]),
    ),
    "3C and 4H": (silicon_carbide("ABC"), silicon_carbide("ABCB")),
    "4H and 6H": (silicon_carbide("ABCB"), silicon_carbide("ABCACB")),
    "3C and 6H": (silicon_carbide("ABC"), silicon_carbide("ABCACB")),
    "2H and 4H": (silicon_carbide("AB"), silicon_carbide("ABCB")),
    "9R and 15R": (silicon_carbide("ABCBCACAB"), silicon_carbide("ABCBACABACBCACB")),
    "L1_0 and L1_1": (
        Structure(Lattice.tetragonal(2.72, 3.71), ["Cu", "Au"], [[0] * 3, [0.5] * 3]),
        Structure(Lattice.rhombohedral(4.71, 33.557), ["Cu", "Au"], [[0] * 3, [0.5] * 3]),
    ),
    "half-Heusler, Ti and Ni": (half_heusler("Ti", "Ni", "Sn"), half_heusler("Ni", "Ti", "Sn")),
    "half-Heusler, Ni and Sn": (half_heusler("Ti", "Ni", "Sn"), half_heusler("Ti", "Sn", "Ni")),
    "half-Heusler, all": (half_heusler("Ni", "Ti", "Sn"), half_heusler("Ti", "Sn", "Ni")),
    "Heusler and inverse": (
        GROUP("Fm-3m", CUBIC(5.9), ["Mn", "Ni", "Ga"], [[0] * 3, [0.25] * 3, [0.5] * 3]),
        GROUP("F-43m", CUBIC(5.9), ["Mn", "Ni", "Ni", "Ga"], [[0] * 3, [0.25] * 3, [0.5] * 3, [0.75] * 3]),
    ),
    "polar and cubic": (lead_titanate(0.0), lead_titanate(0.3, 4.15)),
    "polar by 0.03 Å": (lead_titanate(0.0), lead_titanate(0.03)),
    "tetragonal by 0.05 Å": (lead_titanate(0.0), lead_titanate(0.0, 4.0)),
    "15 % of volume": (cubic("Po", 3.35), cubic("Po", 3.35 * 1.15 ** (1 / 3))),
    "-15 % of volume": (cubic("Po", 3.35), cubic("Po", 3.35 * 0.85 ** (1 / 3))),
    "ratio of the axes": (
        GROUP("I4/mmm", Lattice.tetragonal(4.6, 3.25), ["Pa"], [[0, 0, 0]]),
        GROUP("I4/mmm", Lattice.tetragonal(3.25, 6.5), ["Pa"], [[0, 0, 0]]),
    ),
    "internal coordinates": tuple(
        GROUP("P4_2/mnm", Lattice.tetragonal(4.59, 2.96), ["Ti", "O"], [[0] * 3, [x, x, 0]]) for x in (0.305, 0.24)
    ),
    "L1_2 and D0_22": (
        GROUP("Pm-3m", CUBIC(3.9), ["Ti", "Al"], [[0] * 3, [0, 0.5, 0.5]]),
        GROUP("I4/mmm", Lattice.tetragonal(3.85, 8.6), ["Ti", "Al", "Al"], [[0] * 3, [0, 0.5, 0.25], [0, 0, 0.5]]),
    ),
    "spinel and inverse": (
        GROUP("Fd-3m", CUBIC(8.3), ["Mg", "Fe", "O"], [[0] * 3, [5 / 8] * 3, [0.385] * 3]),
        GROUP(
            "Imma", Lattice.orthorhombic(5.87, 5.87, 8.3), ["Fe", "Mg", "Fe", "O", "O"],
            [[0, 0.25, 0.125], [0, 0, 0.5], [0.25, 0.25, 0.75], [0, 0.52, 0.26], [0.27, 0.25, 0.99]],
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", APART)
def test_these_stay_apart(name, nine_settings):
    first, second = APART[name]
    rng = np.random.default_rng(7)
    ones, others = ([canonical(cell) for cell in nine_settings(one, rng).values()] for one in (first, second))
    assert not any(same(a, b) for a, b in itertools.product(ones, others))
    assert len(partition(ones + others, range(18))) == 2


@pytest.mark.slow
def test_nine_settings_of_ten_crystals_are_ten_in_every_order(ten_crystals, nine_settings):
    rng = np.random.default_rng(11)
    forms, expected = [], set()
    for crystal in ten_crystals.values():
        cells = [canonical(cell) for cell in nine_settings(crystal, rng).values()]
        expected.add(frozenset(range(len(forms), len(forms) + 9)))
        forms += cells
    for _ in range(12):
        assert partition(forms, rng.permutation(len(forms)).tolist()) == expected


def test_the_relation_is_symmetric(ten_crystals, noisy):
    rng = np.random.default_rng(13)
    for crystal in ten_crystals.values():
        a, b = canonical(noisy(crystal, rng, 0.02)), canonical(noisy(crystal * (1, 1, 2), rng))
        assert same(a, b) == same(b, a)


def strained(by: float) -> Structure:
    """Perovskite cell of the cubic volume whose axis c is longer than the others by so many Å."""
    sites = lead_titanate(0.0).frac_coords
    return Structure(Lattice.tetragonal(3.95 - by / 3, 3.95 + 2 * by / 3), ["Pb", "Ti", "O", "O", "O"], sites)


def tilted(by: float) -> Structure:
    """Twice the perovskite cell, its octahedra turned about c in turn, oxygen by so many Å."""
    cell = lead_titanate(0.0) * [[1, 1, 0], [1, -1, 0], [0, 0, 1]]
    cart = cell.cart_coords.copy()
    for i, site in enumerate(cell):
        x, y, z = site.coords / 3.95
        if site.specie.symbol == "O" and abs(z - round(z)) < 0.01:  # between titanium atoms, in the plane
            continue
        if site.specie.symbol == "O":
            sign = (-1) ** round(np.floor(x + 1e-3) + np.floor(y + 1e-3))
            across = abs(x - round(x)) < 0.01
            cart[i] += sign * by * np.array([0, 1, 0] if across else [-1, 0, 0])
    return Structure(cell.lattice, cell.species, cart, coords_are_cartesian=True)


BORDERS = [0.0, 0.003, 0.005, 0.008, 0.01, 0.013, 0.016, 0.018, 0.02, 0.022, 0.025, 0.03, 0.035, 0.04, 0.05]


@pytest.mark.parametrize("distorted", [lead_titanate, strained, tilted])
@pytest.mark.parametrize("by", BORDERS)
def test_noise_neither_parts_nor_joins(by, distorted, noisy):
    """Twelve noisy cells of one crystal are one, at a border of symmetries too, and never join what lies across."""
    rng = np.random.default_rng(17)
    family = [canonical(noisy(distorted(by), rng)) for _ in range(12)]
    assert len(partition(family, range(12))) == 1
    both = [canonical(distorted(0.0)), canonical(distorted(0.03 if distorted is lead_titanate else 0.06))]
    assert not any({12, 13} <= found for found in partition([*family, *both], range(14)))


@pytest.mark.parametrize("strain", [0.97, 0.99, 1.01, 1.03])
def test_functionals_and_experiment_agree(strain, ten_crystals):
    for crystal in ten_crystals.values():
        other = crystal.copy()
        other.scale_lattice(crystal.volume * strain)
        assert same(canonical(crystal), canonical(other))


def test_axes_may_differ_by_a_per_cent(ten_crystals):
    crystal = ten_crystals["free"]
    other = Structure(crystal.lattice.matrix * [[1.01], [0.99], [1.005]], crystal.species, crystal.frac_coords)
    other.perturb(0.02)
    wanted = same(canonical(crystal), canonical(Structure(other.lattice, other.species, crystal.frac_coords)))
    assert wanted


def test_two_hands_are_one():
    right = GROUP("P3_121", Lattice.hexagonal(4.91, 5.4), ["Si", "O"], [[0.47, 0, 1 / 3], [0.41, 0.27, 0.2]])
    left = Structure(right.lattice, right.species, right.frac_coords * [1, 1, -1])
    assert {canonical(right).space_group, canonical(left).space_group} == {152, 154}
    assert same(canonical(right), canonical(left))


def equation_of_state(volumes) -> list:
    salt = GROUP("Fm-3m", CUBIC(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
    frames = []
    for volume in volumes:
        frame = salt.copy()
        frame.scale_lattice(salt.volume * volume)
        frames.append(canonical(frame))
    return frames


SMALL_STEPS = equation_of_state(np.linspace(0.94, 1.06, 13))


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(13)))
def test_an_equation_of_state_in_small_steps_is_one_material(order):
    assert not same(SMALL_STEPS[0], SMALL_STEPS[-1])
    assert len(partition(SMALL_STEPS, order)) == 1


def test_one_in_wide_steps_is_many():
    frames = equation_of_state([0.9, 0.95, 1.0, 1.05])
    assert {len(partition(frames, order)) for order in itertools.permutations(range(4))} == {4}


def test_a_chain_is_one_in_each_of_its_orders():
    """The first and the last are apart; all 24 orders see one crystal, since the middle ones join them."""
    frames = equation_of_state([0.95, 0.98, 1.01, 1.04])
    found = {partition(frames, order) for order in itertools.permutations(range(4))}
    assert found == {frozenset([frozenset(range(4))])}


def test_the_distortions_above_are_distortions():
    found = [canonical(one).symmetry.split()[0] for one in (lead_titanate(0.06), strained(0.06), tilted(0.06))]
    assert found == ["99", "123", "127"]
