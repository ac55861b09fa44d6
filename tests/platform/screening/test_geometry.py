import numpy as np
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.generators.protocol import Space
from fermiloop.platform.screening.geometry import atomic_radius


def verdicts(tools, crystals, **change):
    screened, _ = tools.run(crystals, "geometry", **change)
    return [s.verdicts[0] for s in screened]


def test_sound_crystals_pass(tools):
    crystals = [tools.build("A1"), tools.build("B1", "Na", "Cl", 22.4), tools.build("A3", "Cu")]
    assert all(v.passed for v in verdicts(tools, crystals))


def test_an_atom_too_near_its_own_image_is_seen(tools):
    needle = Structure(Lattice.orthorhombic(0.9, 4.0, 4.0), ["Cu"], [(0, 0, 0)])
    (verdict,) = verdicts(tools, [needle])
    assert not verdict.passed
    assert verdict.reason.startswith("Cu-Cu 0.90 Å apart")


def test_coinciding_atoms_are_seen_even_without_a_limit(tools):
    twice = Structure(Lattice.cubic(4.0), ["Cu", "Au"], [(0, 0, 0), (0.01, 0, 0)])
    (verdict,) = verdicts(tools, [twice], min_distance=0.0)
    assert verdict.kind == "atoms too close"
    exactly = Structure(Lattice.cubic(4.0), ["Cu", "Au"], [(0, 0, 0), (0, 0, 0)])
    assert not verdicts(tools, [exactly], min_distance=0.0)[0].passed


def test_volume_and_numbers(tools):
    broken = tools.build("A1")
    broken.translate_sites([0], [np.nan, 0, 0], to_unit_cell=False)
    got = verdicts(tools, [tools.build("A1", volume=2.0), tools.build("A1", volume=500.0), broken])
    assert [v.kind for v in got] == ["volume per atom", "volume per atom", "not finite"]


def test_sites_are_counted_in_the_primitive_cell_and_systems_hold(tools):
    big = tools.build("A1") * (2, 2, 2)
    space = Space(("Cu",), crystal_systems=("cubic",), max_sites=1)
    got = verdicts(tools, [big, tools.build("A3", "Cu"), tools.build("A3", "Cu", volume=12.0)], space=space)
    assert got[0].passed
    assert got[1].kind == "number of sites"
    one_system = Space(("Cu",), crystal_systems=("cubic",), max_sites=4)
    assert (
        verdicts(tools, [tools.build("A3", "Cu")], space=one_system)[0].reason == "hexagonal, where cubic is asked for"
    )


def test_every_element_has_a_radius():
    assert atomic_radius("Pd") == 1.4
    assert all(0.2 < atomic_radius(element.symbol) < 3 for element in Element)
