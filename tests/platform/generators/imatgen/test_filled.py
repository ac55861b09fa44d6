"""Images full of atoms: as dense as the crystal, off the walls, the same by the same seed."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from fermiloop.platform.generators.imatgen.filled import WALL, sublattices, with_full_images
from fermiloop.platform.generators.voxel_autoencoder import rows_of
from fermiloop.platform.representations.voxels import ImageCodec

CODEC = ImageCodec.for_grid(16, 12.0)
ROCK_SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5] * 3])


def test_pieces_keep_distances_and_density():
    magnesium = sublattices([ROCK_SALT])[1]
    rng = np.random.default_rng(0)
    pieces = [magnesium.piece(12.0, rng) for _ in range(40)]
    largest = max(pieces, key=len)
    away = np.linalg.norm(largest[:, None] - largest[None], axis=2)
    assert away[away > 0].min() == pytest.approx(4.2 / 2**0.5, abs=1e-6)
    for piece in pieces:
        assert ((piece >= WALL - 1e-9) & (piece <= 12 - WALL + 1e-9)).all()
    assert len(largest) <= (12 - 2 * WALL + 2) ** 3 / (4.2**3 / 4)
    assert len(largest) > 0.7 * (12 - 2 * WALL) ** 3 / (4.2**3 / 4)
    assert len({len(piece) for piece in pieces}) > 10


def test_elements_are_apart():
    sizes = [len(one.places) for one in sublattices([ROCK_SALT, ROCK_SALT.get_primitive_structure()])]
    assert sizes == [4, 4, 1, 1]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_the_images_becomes_full_ones(share):
    images = torch.as_tensor(np.concatenate([one.images for one in CODEC.encode_bases([ROCK_SALT])]))
    draw = with_full_images(rows_of(images, None, -1), CODEC, sublattices([ROCK_SALT]), share)
    rows = torch.tensor([0, 1, 0, 1, 0, 1])
    first, elements = draw(rows, torch.Generator().manual_seed(1))
    again, _ = draw(rows, torch.Generator().manual_seed(1))
    assert torch.equal(first, again)
    assert elements is None
    assert torch.equal(first, images[rows]) is (share == 0)
    if share == 1:
        assert first.sum() > 3 * images[rows].sum()
        assert float(first.max()) <= 1.01
