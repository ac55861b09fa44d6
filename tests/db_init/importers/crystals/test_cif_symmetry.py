"""Settings of space groups: named in any spelling, all atoms, or refused where the file leaves them open."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.symmetry.groups import SpaceGroup

from fermiloop.db_init.importers.crystals import cif, settings
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.db_init.importers.crystals.operations import IDENTITY, SAME, Operations, fit, orbit, parse
from fermiloop.platform.errors import InputError


def text(name: str, rows: str, cell: str = "5 5 5 90 90 90", more: str = "") -> str:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = "".join(f"_cell_{one} {value}\n" for one, value in zip(names, cell.split(), strict=True))
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    return f"data_x\n{lines}{more}{name}\n{loop}{rows}\n"


def named(symbol: str) -> str:
    return f"_symmetry_space_group_name_H-M '{symbol}'"


def read(content: str) -> Crystal:
    (found,) = cif.read(content, "file x.cif")
    assert isinstance(found, Crystal), str(found)
    return found


def refusal(content: str) -> str:
    (found,) = cif.read(content, "file x.cif")
    assert isinstance(found, InputError), found
    return str(found)


HEXAGONAL, RHOMBOHEDRAL = "4.546 4.546 11.862 90 90 120", "4.746 4.746 4.746 57.23 57.23 57.23"


@pytest.mark.parametrize(
    ("name", "rows", "cell", "n"),
    [
        (named("F d -3 m :1"), "Si1 0 0 0", "5.43 5.43 5.43 90 90 90", 8),
        (named("F d -3 m :2"), "Si1 0.125 0.125 0.125", "5.43 5.43 5.43 90 90 90", 8),
        (named("F d -3 m S"), "Si1 0 0 0", "5.43 5.43 5.43 90 90 90", 8),
        (named("F d -3 m Z"), "Si1 1/8 1/8 1/8", "5.43 5.43 5.43 90 90 90", 8),
        (named("Fd-3m (origin choice 2)"), "Si1 0.125 0.125 0.125", "5.43 5.43 5.43 90 90 90", 8),
        (named("F d 3 m:1"), "Si1 0 0 0", "5.43 5.43 5.43 90 90 90", 8),
        (named("R -3 m :H"), "Bi1 0 0 0.234", HEXAGONAL, 6),
        (named("R -3 m"), "Bi1 0 0 0.234", HEXAGONAL, 6),
        (named("R -3 m H"), "Bi1 0 0 0.234", HEXAGONAL, 6),
        (named("R -3 m :R"), "Bi1 0.234 0.234 0.234", RHOMBOHEDRAL, 2),
        (named("R -3 m"), "Bi1 0.234 0.234 0.234", RHOMBOHEDRAL, 2),
        (named("R -3 m R"), "Bi1 0.234 0.234 0.234", RHOMBOHEDRAL, 2),
        (named("P 63/m m c"), "Mg1 0.333 0.667 0.25", "3.2 3.2 5.2 90 90 120", 2),
        (named("P6_3/mmc"), "Mg1 0.3333 0.6667 0.25", "3.2 3.2 5.2 90 90 120", 2),
        (named("F m 3 m"), "Na1 0 0 0\nCl1 0.5 0.5 0.5", "5.64 5.64 5.64 90 90 90", 8),
        (named("P b n m"), "Ca1 0.99 0.03 0.25\nTi1 0 0.5 0", "5.38 5.44 7.64 90 90 90", 8),
        (named("C m c a"), "I1 0 0.15 0.12", "7.1 4.7 9.8 90 90 90", 8),
        (named("P 21/n"), "C1 0.1 0.2 0.3", "5 6 7 90 97 90", 4),
        (named("P 21/c"), "C1 0.1 0.2 0.3", "5 6 7 90 97 90", 4),
        (named("P 1 21/c 1"), "C1 0.1 0.2 0.3", "5 6 7 90 90 90", 4),
        (named("P 1 1 21/b"), "C1 0.1 0.2 0.3", "5 6 7 90 90 97", 4),
        ("_space_group_name_H-M_alt P -1", "C1 0.1 0.2 0.3", "5 6 7 80 97 90", 2),
        ("_space_group_name_Hall '-F 4vw 2vw 3'", "Si1 0.125 0.125 0.125", "5.43 5.43 5.43 90 90 90", 8),
        ("_symmetry_Int_Tables_number 221", "Cs1 0 0 0\nCl1 0.5 0.5 0.5", "4.1 4.1 4.1 90 90 90", 2),
        ("_space_group_IT_number 166", "Bi1 0 0 0.234", HEXAGONAL, 6),
        ("_space_group_IT_number 166", "Bi1 0.234 0.234 0.234", RHOMBOHEDRAL, 2),
    ],
)
def test_every_atom_of_the_setting_is_there(name: str, rows: str, cell: str, n: int) -> None:
    found = read(text(name, rows, cell))
    assert len(found.structure) == n
    assert found.remarks == ()


SPINEL = "Mg1 0.125 0.125 0.125\nAl1 0.5 0.5 0.5\nO1 0.2624 0.2624 0.2624"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        (named("F d -3 m"), "_chemical_formula_sum 'Al2 Mg O4'\n_cell_formula_units_Z 8\n"),
        ("_space_group_IT_number 227", "_chemical_formula_sum 'Al2 Mg O4'\n"),
    ],
)
def test_an_origin_that_is_left_open_is_settled_by_the_formula_and_told(name: str, more: str) -> None:
    found = read(text(name, SPINEL, "8.08 8.08 8.08 90 90 90", more))
    assert len(found.structure) == 56
    assert "leaves the origin open: F d -3 m :2 was taken" in found.remarks[0]


def test_an_origin_is_settled_by_multiplicities() -> None:
    content = text(named("F d -3 m"), "Si1 0 0 0 8", "5.43 5.43 5.43 90 90 90")
    found = read(content.replace("fract_z\n", "fract_z\n_atom_site_symmetry_multiplicity\n"))
    assert len(found.structure) == 8
    assert ":1 was taken" in found.remarks[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (text(named("F d -3 m"), "Si1 0 0 0"), "8 with F d -3 m :1 or 16 with F d -3 m :2"),
        (text(named("P 4/n m m"), "Fe1 0 0 0.1", "3 3 5 90 90 90"), "leaves the origin open"),
        (text(named("R -3 m :H"), "Bi1 0 0 0.234", RHOMBOHEDRAL), "cell has not the symmetry"),
        (text(named("F m -3 m"), "Na1 0 0 0", "5 6 7 90 90 90"), "cell has not the symmetry"),
        (text(named("Q 4/q"), "Na1 0 0 0"), "no known space group"),
        (text("_space_group_IT_number 300", "Na1 0 0 0"), "no known space group"),
    ],
)
def test_what_leaves_the_setting_open_is_refused(content: str, told: str) -> None:
    assert told in refusal(content)


ONLY_IDENTITY = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n"


def test_a_group_whose_operations_are_not_listed_is_no_crystal_with_one_atom() -> None:
    content = text(ONLY_IDENTITY + named("F m -3 m"), "Na1 0 0 0\nCl1 0.5 0.5 0.5", "5.64 5.64 5.64 90 90 90")
    assert "lists 1 of its 192 symmetry operations" in refusal(content)


def test_a_whole_cell_under_the_name_of_its_group_is_read_as_listed() -> None:
    rows = "Na1 0 0 0\nNa2 0 .5 .5\nNa3 .5 0 .5\nNa4 .5 .5 0\nCl1 .5 .5 .5\nCl2 .5 0 0\nCl3 0 .5 0\nCl4 0 0 .5"
    content = text(ONLY_IDENTITY + named("F m -3 m"), rows, "5.64 5.64 5.64 90 90 90")
    assert len(read(content).structure) == 8


@pytest.mark.parametrize("number", [5, 15, 48, 62, 139, 141, 166, 194, 205, 227, 230])
def test_standard_settings_have_the_operations_of_the_tables(number: int) -> None:
    group = SpaceGroup.from_int_number(number)
    sizes = {len(settings.operations_of(one)) for one in settings.by_number(number)}
    assert group.order in sizes


def test_operations_in_any_spelling_are_the_same() -> None:
    first, second = parse(["x,y+1/2,-z"]), parse(["+X,\t0.5 + Y, -Z"])
    assert first.rotations == pytest.approx(second.rotations)
    assert first.translations == pytest.approx(second.translations)
    assert parse(["x+0.3333,y+.66667,z"]).translations[0] == pytest.approx([1 / 3, 2 / 3, 0])
    for bad in ("x,y", "x,y,z,2", "x,x,z", "", "x,y,2z", "a,b,c"):
        with pytest.raises(InputError, match="no symmetry operation"):
            parse([bad])


def test_a_rounded_special_position_is_one_atom_and_a_split_one_two() -> None:
    mirror, cubic = parse(["x,y,z", "-x,y,z"]), 5 * np.eye(3)
    for x, n in ((0.003, 1), (0.02, 2), (0.0, 1)):
        found, makers, keepers = orbit(np.array([x, 0.0, 0.0]), mirror, cubic)
        assert (len(found), len(makers), len(keepers)) == (n, n, 3 - n)
    assert orbit(np.array([-0.2, 1.2, 0.0]), IDENTITY, cubic)[0] == pytest.approx(np.array([[0.8, 0.2, 0.0]]))
    assert fit(mirror, cubic)


@pytest.mark.parametrize("repeats", [1, 2])
def test_as_many_atoms_are_made_as_when_every_pair_is_looked_at(repeats: int) -> None:
    listed = settings.operations_of(settings.by_name("F d -3 m :2")[0])
    shifts = np.stack(np.meshgrid(*[np.arange(repeats) / repeats] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    translations = (listed.translations[None] / repeats + shifts[:, None]).reshape(-1, 3)
    count = len(shifts)
    group = Operations(np.tile(listed.rotations, (count, 1, 1)), translations, np.tile(listed.reversals, count))
    matrix = repeats * 5.4 * np.eye(3)
    for place in (np.zeros(3), np.full(3, 0.125 / repeats + 0.004), np.array([0.011, 0.203, 0.4]), np.full(3, -1e-9)):
        found, makers, _ = orbit(place, group, matrix)
        apart = found[:, None] - found[None]
        apart = np.linalg.norm((apart - np.round(apart)) @ matrix, axis=2) + 99.0 * np.eye(len(found))
        assert apart.min() >= SAME
        images = group.rotations @ place + translations
        nearest = images[:, None] - found[None]
        assert np.linalg.norm((nearest - np.round(nearest)) @ matrix, axis=2).min(axis=1).max() < 2 * SAME
        assert list(makers) == sorted(makers)
        assert len(found) == len(set(makers))
