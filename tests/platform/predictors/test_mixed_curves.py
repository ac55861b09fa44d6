"""Curves of crystals from those of their elements."""

import numpy as np
from pymatgen.core import Structure

from fermiloop.platform.predictors.crystal_inputs import describe_crystals
from fermiloop.platform.predictors.element_curves import ENERGIES, element_curves, reference_lattice, reference_volumes
from fermiloop.platform.predictors.mixed_curves import mixed_curves, state_weights
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID


def curve_of(*structures):
    crystals = describe_crystals(structures)
    return mixed_curves(crystals.fractions, crystals.coupling, DOS_GRID)


def test_an_element_in_the_lattice_of_the_table_has_its_own_curve():
    copper = Structure(reference_lattice(float(reference_volumes()[28])), ["Cu"], [[0, 0, 0]])
    expected = np.interp(DOS_GRID.points, ENERGIES, element_curves().density[28])
    found = curve_of(copper)[0]
    assert found @ expected / np.linalg.norm(found) / np.linalg.norm(expected) > 0.995


def test_bands_widen_as_a_crystal_is_compressed():
    spread = []
    for curve in curve_of(*(PROTOTYPES["A1"].build("Pd", None, volume) for volume in (13.0, 15.0, 18.0))):
        inside = np.abs(DOS_GRID.points) < 7
        weight = curve[inside] / curve[inside].sum()
        middle = weight @ DOS_GRID.points[inside]
        spread.append(weight @ (DOS_GRID.points[inside] - middle) ** 2)
    assert spread[0] > spread[1] > spread[2]


def test_a_mixture_is_filled_with_the_electrons_of_its_atoms():
    crystal = PROTOTYPES["B2"].build("Ni", "Al", 12.0)
    curve = curve_of(crystal)[0]
    table = element_curves()
    expected = 0.5 * table.electrons[27] + 0.5 * table.electrons[12]
    below = np.trapezoid(np.where(DOS_GRID.points <= 0, curve, 0), dx=DOS_GRID.step)
    assert 0.75 * expected < below <= 1.05 * expected  # some of it lies below the grid


def test_the_electronegative_element_of_a_compound_fills_up():
    salt = curve_of(PROTOTYPES["B1"].build("Na", "Cl", 22.0))[0]
    chlorine = curve_of(PROTOTYPES["A1"].build("Cl", None, 25.0))[0]
    at_level = np.argmin(np.abs(DOS_GRID.points))
    assert salt[at_level] < 0.5 * chlorine[at_level]


def test_d_metals_weigh_more_than_simple_ones():
    weights = state_weights(DOS_GRID)
    assert (weights > 0).all()
    assert weights[45] > 2 * weights[12]
    assert mixed_curves(np.zeros((0, 83)), np.zeros((0, 83)), DOS_GRID).shape == (0, DOS_GRID.n)
