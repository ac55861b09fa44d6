"""The published autoencoders: shapes, what the output does, training."""

import numpy as np
import pytest
import torch

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.published_autoencoder import Course, PublishedAutoencoder, train_published


def silent(what, share):
    pass


@pytest.mark.parametrize(("output", "dense"), [("clip", 0), ("sigmoid", 0), ("rectified", 6)])
def test_images_become_codes_and_images_again(output, dense):
    model = PublishedAutoencoder(16, 3, 5, output, dense)
    images = np.random.default_rng(0).random((3, 16, 16, 16)).astype(np.float32)
    codes = model.codes(images)
    assert codes.shape == (3, 5)
    assert np.abs(codes).max() <= 1
    made = model.images(codes)
    assert made.shape == images.shape
    assert made.min() >= 0
    assert made.max() <= 1


def test_the_clip_is_a_steep_line_around_a_half():
    model = PublishedAutoencoder(8, 1, 2)
    for raw, expected in ((-1e-4, 0.0), (2e-4, 0.5), (1e-3, 1.0)):
        with torch.no_grad():
            model.up[-1].weight.zero_()
            model.up[-1].bias.fill_(raw)
        found = model.decode(torch.zeros(1, 2))
        assert float(found.detach().mean()) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("grid", [4, 12, 24, 48])
def test_grids_that_do_not_halve_down_to_four_are_refused(grid):
    with pytest.raises(InputError, match="not"):
        PublishedAutoencoder(grid, 2, 2)


@pytest.mark.parametrize("drawn", [None, 8])
def test_training_lowers_the_loss_and_repeats_itself(drawn):
    images = torch.zeros(6, 8, 8, 8)
    images[:, 2:5, 3:6, 1:4] = 1.0
    histories = []
    for _ in range(2):
        model = PublishedAutoencoder(8, 4, 3, "sigmoid")
        course = Course(12, 3e-3, 2, drawn)
        histories.append(train_published(model, images.__getitem__, 6, course, 1, silent, "x"))
    assert histories[0] == histories[1]
    assert histories[0][-1] < 0.7 * histories[0][0]
