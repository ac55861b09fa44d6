import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.fingerprint import N_BINS, distance, fingerprint
from fermiloop.platform.representations.prototypes import PROTOTYPES

BINARIES = sorted(name for name, p in PROTOTYPES.items() if "B" in p.slots)
SEEDS = st.integers(0, 10_000)


def random_crystal(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    lattice = Lattice.from_parameters(*rng.uniform(3, 7, 3), *rng.uniform(65, 115, 3))
    return Structure(lattice, rng.choice(["Li", "Fe", "O", "Pd"], n), rng.random((n, 3)))


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_translation_rotation_and_order_change_nothing(seed):
    crystal, rng = random_crystal(seed), np.random.default_rng(seed + 1)
    rotation, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(len(crystal))
    moved = Structure(
        Lattice(crystal.lattice.matrix @ (rotation * np.sign(np.diag(upper)))),
        [crystal[i].specie for i in order],
        crystal.frac_coords[order] + rng.random(3),
    )
    assert distance(fingerprint(crystal), fingerprint(moved)) < 1e-6


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([(2, 1, 1), (1, 2, 2), (3, 1, 1), [[1, 1, 0], [0, 1, 0], [0, 0, 1]]]))
def test_supercell_and_choice_of_cell_change_nothing(seed, scaling):
    crystal = random_crystal(seed)
    assert distance(fingerprint(crystal), fingerprint(crystal * scaling)) < 1e-6


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.floats(0.5, 3.0))
def test_scale_changes_nothing(seed, factor):
    crystal = random_crystal(seed)
    scaled = crystal.copy()
    scaled.scale_lattice(crystal.volume * factor)
    assert distance(fingerprint(crystal), fingerprint(scaled)) < 1e-6


def test_distance_grows_with_distortion():
    crystal = PROTOTYPES["B8_1"].build("Ni", "As", 14.0)
    shift = np.random.default_rng(0).normal(size=(4, 3))
    shift /= np.linalg.norm(shift, axis=1)[:, None]
    far = []
    for length in (0.02, 0.1, 0.3):
        moved = Structure(
            crystal.lattice, crystal.species, crystal.cart_coords + length * shift, coords_are_cartesian=True
        )
        far.append(distance(fingerprint(crystal), fingerprint(moved)))
    assert 0 < far[0] < far[1] < far[2]


def test_prototypes_of_one_composition_differ():
    same = [n for n in BINARIES if PROTOTYPES[n].stoichiometry in {(1, 1), (2, 2)}]
    prints = [fingerprint(PROTOTYPES[n].build("Zn", "S", 20.0)) for n in same]
    assert min(distance(a, b) for i, a in enumerate(prints) for b in prints[:i]) > 0.02


def test_decorations_of_one_lattice_differ():
    cubic = Lattice.cubic(4.0)
    corners = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    layered = Structure(cubic, ["Cu", "Cu", "Au", "Au"], corners)
    layered2 = Structure(cubic, ["Cu", "Au", "Cu", "Au"], corners)
    tripled = Structure(cubic, ["Cu", "Cu", "Cu", "Au"], corners)
    assert distance(fingerprint(layered), fingerprint(layered2)) < 1e-6
    assert distance(fingerprint(layered), fingerprint(tripled)) > 0.1


def test_shape_and_speed():
    crystal = PROTOTYPES["D0_19"].build("Ti", "Al", 16.0)
    assert fingerprint(crystal).shape == (N_BINS,)
    began = time.perf_counter()
    for _ in range(10):
        fingerprint(crystal)
    assert (time.perf_counter() - began) / 10 < 0.05


def test_what_is_no_ordered_crystal_is_refused():
    with pytest.raises(InputError, match="disordered"):
        fingerprint(Structure(Lattice.cubic(3), [{"Fe": 0.5, "Ni": 0.5}], [(0, 0, 0)]))
    with pytest.raises(InputError, match="do not compare"):
        distance(np.zeros(3), np.zeros(4))


def test_every_element_has_a_place_of_its_own():
    prints = [fingerprint(Structure(Lattice.cubic(3), [element], [(0, 0, 0)])) for element in Element]
    assert np.isfinite(prints).all()
    assert len({p.tobytes() for p in prints}) == len(prints)
