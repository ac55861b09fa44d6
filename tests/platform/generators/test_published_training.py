"""The one training loop of the published networks takes the steps that a plain loop of Adam takes."""

import numpy as np
import pytest
import torch

from fermiloop.platform.generators.ccdcgan import published as ccdcgan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.imatgen.network import BATCH, DIVERGENCE, cross_entropy
from fermiloop.platform.generators.imatgen.published import RATE, PublishedGenerator, train_published_generator
from fermiloop.platform.generators.published_autoencoder import Course, PublishedAutoencoder, train_published
from fermiloop.platform.generators.published_training import PublishedTraining, train_by_adam


def silent(what, share):
    pass


def by_hand(parameters, rate, losses):
    """Adam at a constant rate on each loss in turn, each computed when it is needed."""
    optimiser = torch.optim.Adam(parameters, rate)
    for loss in losses:
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("drawn", [None, 7])
def test_autoencoders(drawn):
    images = torch.rand(10, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    one, other = (PublishedAutoencoder(8, 4, 6, "sigmoid", seed=1) for _ in range(2))
    train_published(one, images.__getitem__, 10, Course(2, 1e-3, 3, drawn), 5, silent, "x")
    random = torch.Generator().manual_seed(5)
    draw = (lambda: torch.randperm(10, generator=random)) if drawn is None else None
    batches = [
        rows
        for _ in range(2)
        for rows in (draw() if draw else torch.randint(10, (drawn,), generator=random)).split(3)
    ]  # fmt: skip

    def loss(rows):
        return ((other(images[rows]) - images[rows]) ** 2).mean()

    by_hand(other.parameters(), 1e-3, [lambda rows=rows: loss(rows) for rows in batches])
    assert same(one, other)


def test_the_materials_generator():
    rng = np.random.default_rng(0)
    codes, stable = rng.normal(size=(70, 36)), rng.integers(2, size=70).astype(float)
    one, other = (PublishedGenerator(16, 4, 6, 1) for _ in range(2))
    train_published_generator(one, codes, stable, 2, 3, silent)
    random, data, labels = torch.Generator().manual_seed(3), *map(torch.as_tensor, (codes, stable))
    data, labels = data.float(), labels.float()

    def loss(rows):
        mean, log_variance = other(data[rows])
        noise = torch.randn(mean.shape, generator=random)
        made = other.decoder_layers(mean + noise * torch.exp(0.5 * log_variance))
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1).mean()
        error = ((made - other.image(data[rows])) ** 2).mean() + DIVERGENCE * divergence
        return error + cross_entropy(other.classifier(mean)[:, 0], labels[rows])

    def losses():
        for _ in range(2):
            for rows in torch.randperm(70, generator=random).split(BATCH):
                yield lambda rows=rows: loss(rows)

    by_hand(other.parameters(), RATE, losses())
    assert same(one, other)


def test_the_constraint(monkeypatch):
    monkeypatch.setattr(ccdcgan, "STEPS", 2)
    options = CcdcganOptions(width=16, constraint_epochs=2, batch_size=4)
    space = ccdcgan.PublishedSpace(options, {"scale": np.ones(1), "least_norm": np.zeros(1)})
    rows = torch.rand(9, space.width, generator=torch.Generator().manual_seed(1))
    values = np.linspace(-1, 2, 9)
    one, other = (ccdcgan.PublishedConstraint(space, "x", 2) for _ in range(2))
    before = torch.random.get_rng_state()
    one.train_on(rows, values, options, 4, silent)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not any(p.requires_grad for p in one.parameters())
    random, scaled = torch.Generator().manual_seed(4), torch.linspace(0, 1, 9)

    def losses():
        for _ in range(2):
            torch.manual_seed(int(torch.randint(2**31, (1,), generator=random)))
            for _ in range(2):
                batch = torch.randint(9, (4,), generator=random)
                yield lambda batch=batch: (other.members[0](rows[batch]) - scaled[batch]).abs().mean()

    with torch.random.fork_rng(devices=[]):
        by_hand(other.members.parameters(), ccdcgan.CONSTRAINT_RATE, losses())
    assert same(one.members, other.members)


def test_a_training_goes_on_where_it_stopped(tmp_path):
    images = torch.rand(6, 8, 8, 8, generator=torch.Generator().manual_seed(0))

    def training(model, random, epochs=4):
        return PublishedTraining(
            epochs, 1e-3, lambda: torch.randperm(6, generator=random).split(2),
            lambda rows: ((model(images[rows]) - images[rows]) ** 2).mean(),
        )  # fmt: skip

    def stop(what, share):
        if share == 0.5:
            raise KeyboardInterrupt

    models = [PublishedAutoencoder(8, 2, 3, "sigmoid") for _ in range(3)]
    randoms = [torch.Generator().manual_seed(1) for _ in range(3)]
    expected = train_by_adam(models[0], training(models[0], randoms[0]), randoms[0], silent, "x")
    with pytest.raises(KeyboardInterrupt):
        train_by_adam(models[1], training(models[1], randoms[1]), randoms[1], stop, "x", tmp_path)
    found = train_by_adam(models[2], training(models[2], randoms[2]), randoms[2], silent, "x", tmp_path)
    assert found == expected
    assert same(models[0], models[2])
