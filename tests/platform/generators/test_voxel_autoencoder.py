"""Autoencoders of voxel images."""

import numpy as np
import pytest
import torch

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.voxel_autoencoder import (
    BasisAutoencoder,
    CellAutoencoder,
    VoxelAutoencoder,
    rows_of,
    train_autoencoder,
    turned,
    weighted_error,
)


class StoppedError(Exception):
    """Stands for Ctrl-C."""


def silent(what, share):
    pass


def blobs(n, grid=16, seed=0):
    """Images of three Gaussians each."""
    random = np.random.default_rng(seed)
    line = np.arange(grid)
    made = np.zeros((n, grid, grid, grid), dtype=np.float32)
    for image in made:
        for place in random.uniform(2, grid - 3, (3, 3)):
            x, y, z = np.exp(-((line - place[:, None]) ** 2) / 3)
            image += x[:, None, None] * y[:, None] * z
    return np.where(made < 0.02, 0, made).astype(np.float32)


def trained(epochs=3, conditional=False, progress=silent, **change):
    images = torch.as_tensor(blobs(24))
    elements = torch.arange(24) % 2 + 8 if conditional else None
    model = VoxelAutoencoder(16, 4, 64, conditional)
    history = train_autoencoder(model, rows_of(images, elements), 24, epochs, 1, progress, **change)
    return model, history


def test_training_beats_the_empty_image():
    images = torch.as_tensor(blobs(24))
    model, history = trained(epochs=30)
    assert history[-1] < 0.5 * history[0]
    with torch.no_grad():
        error = weighted_error(model(images), images)
    assert error < 0.7 * weighted_error(torch.zeros_like(images), images)


@pytest.mark.parametrize("conditional", [False, True])
def test_the_same_seed_gives_the_same_codes(conditional):
    images, elements = blobs(5, seed=9), np.array([8, 8, 9, 9, 8])
    one, two = (trained(conditional=conditional)[0].codes(images, elements) for _ in range(2))
    assert one.shape == (5, 64)
    assert np.array_equal(one, two)


def test_a_conditional_network_tells_elements_apart():
    model, _ = trained(epochs=8, conditional=True)
    images = blobs(1)
    as_oxygen, as_fluorine = (model.codes(images, np.array([z])) for z in (8, 9))
    assert np.abs(as_oxygen - as_fluorine).max() > 1e-4
    with pytest.raises(InputError, match="element of each image"):
        model.codes(images)


def test_training_goes_on_where_it_was_cancelled(tmp_path):
    def stop(what, share):
        if share > 0.5:
            raise StoppedError

    with pytest.raises(StoppedError):
        trained(epochs=4, resume=tmp_path, progress=stop)
    resumed, history = trained(epochs=4, resume=tmp_path)
    whole, expected = trained(epochs=4)
    assert history == pytest.approx(expected, rel=1e-6)
    assert resumed.codes(blobs(2)) == pytest.approx(whole.codes(blobs(2)), abs=1e-6)


def test_training_leaves_the_global_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained(epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_turned_images_hold_the_same_values():
    image = torch.as_tensor(blobs(1)[0])
    random = torch.Generator().manual_seed(0)
    others = [turned(image, 2, random) for _ in range(10)]
    assert all(torch.equal(other.ravel().sort().values, image.ravel().sort().values) for other in others)
    assert len({tuple(other.ravel().argmax().reshape(1).tolist()) for other in others}) > 5


def test_images_come_out_between_0_and_1():
    model = BasisAutoencoder(16, 4, 8)
    made = model.images(np.full((3, 8), 50, dtype=np.float32))
    assert made.shape == (3, 16, 16, 16)
    assert made.min() >= 0
    assert made.max() <= 1


def test_cells_are_coded_as_a_whole():
    model = CellAutoencoder(16, 2, 6)
    assert model.codes(blobs(2)).shape == (2, 6)


@pytest.mark.parametrize(("grid", "latent", "local"), [(20, 64, False), (32, 100, True), (16, 0, True)])
def test_sizes_that_do_not_fit_are_refused(grid, latent, local):
    with pytest.raises(InputError, match="do not fit"):
        VoxelAutoencoder(grid, 4, latent, local=local)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(InputError, match="at least one image"):
        train_autoencoder(VoxelAutoencoder(16, 4, 64), rows_of(torch.zeros(0, 16, 16, 16)), 0, 1, 0, silent)
