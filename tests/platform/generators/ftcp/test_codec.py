"""Codes of crystals: one for each crystal, and back."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.generators.ftcp.codec import CrystalCodec
from fermiloop.platform.representations.crystals import CrystalBatch


def codec_of(batch):
    return CrystalCodec.learn(batch, 3, 8)


def test_codes_decode_to_the_same_crystals(data):
    batch = CrystalBatch.from_structures(data.structures, 8)
    codec = codec_of(batch)
    back = codec.decode(codec.encode(batch))
    assert np.allclose(back.lengths, batch.lengths, rtol=1e-5)
    assert np.allclose(back.angles, batch.angles, atol=1e-3)
    for i in range(len(batch)):
        one, other = batch.structure(i).get_sorted_structure(), back.structure(i).get_sorted_structure()
        assert one.composition == other.composition
        near = [min(site.distance(b) for b in other if b.species == site.species) for site in one]
        assert max(near) < 1e-4


def test_order_of_sites_and_tiny_shifts_below_a_cell_face_do_not_change_the_code():
    lattice = Lattice.cubic(4.2)
    one = Structure(lattice, ["Na", "Cl", "Na"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]])
    other = Structure(lattice, ["Na", "Na", "Cl"], [[0.5, 0, 0], [1 - 1e-5, 0, 0], [0.5, 0.5, 0.5]])
    codec = codec_of(CrystalBatch.from_structures([one, other], 8))
    codes = codec.encode(CrystalBatch.from_structures([one, other], 8))
    assert codes.elements[0].tolist() == codes.elements[1].tolist() == [11, 17, 0]
    assert codes.slots[0].tolist() == codes.slots[1].tolist() == [0, 0, 1, 3, 3, 3, 3, 3]
    circles = np.exp(2j * np.pi * codes.frac)
    assert np.allclose(circles[0], circles[1], atol=1e-3)


def test_a_site_of_a_slot_without_element_is_empty():
    codec = CrystalCodec(2, 3, np.zeros(6), np.ones(6))
    codes = codec.encode(CrystalBatch.from_structures([Structure(Lattice.cubic(3), ["H"], [[0.1, 0.2, 0.3]])], 3))
    codes.slots[0] = [0, 1, 2]
    crystal = codec.decode(codes)
    assert crystal.numbers.tolist() == [[1, 0, 0]]


def test_absurd_cells_stay_finite():
    codec = CrystalCodec(1, 2, np.zeros(6), np.full(6, 1000.0))
    batch = CrystalBatch.from_structures([Structure(Lattice.cubic(3), ["H"], [[0, 0, 0]])], 2)
    codes = codec.encode(batch)
    codes.lattice[:] = 50.0
    found = codec.decode(codes)
    assert np.isfinite(found.lengths).all()
    assert found.angles.max() == pytest.approx(170)
    assert CrystalCodec.restore(codec.config()).config() == codec.config()
