"""Both networks: what they learn by heart, and what their losses count."""

import numpy as np
import pytest
import torch

from fermiloop.platform.generators.ftcp.options import FtcpOptions, training_of
from fermiloop.platform.generators.ftcp.paper import PaperVae
from fermiloop.platform.generators.ftcp.paper_model import PaperModel
from fermiloop.platform.generators.ftcp.structured import StructuredVae
from fermiloop.platform.generators.ftcp.structured_model import StructuredModel
from fermiloop.platform.representations.crystals import CrystalBatch


def silent(what, share):
    pass


def test_the_structured_network_learns_sixteen_crystals_by_heart(data):
    crystals = CrystalBatch.from_structures(data.structures[:16], 6)
    labels = np.array([[-s.volume / 100] for s in data.structures[:16]])
    options = FtcpOptions(epochs=300, batch_size=16, latent=48, width=96, max_sites=6)
    model = StructuredModel(training_of("structured", options), 1)
    history = model.fit(crystals, labels, 0, silent, None)
    assert history[-1] < history[0] / 20
    points = model.encode(crystals)
    found = model.decode(points)
    assert np.array_equal(np.sort(found.numbers, axis=1), np.sort(crystals.numbers, axis=1))
    codes, again = model.codec.encode(crystals), model.codec.encode(found)
    apart = np.abs(codes.frac - again.frac)
    assert np.minimum(apart, 1 - apart).mean() < 0.02
    assert np.abs(found.lengths - crystals.lengths).mean() < 0.15
    with torch.no_grad():
        predicted = model.predict(torch.tensor(points, dtype=torch.float32)).numpy()
    assert np.abs(predicted - labels).mean() < 0.3 * np.abs(labels - labels.mean()).mean()


def test_elements_that_are_not_allowed_are_not_decoded(data):
    crystals = CrystalBatch.from_structures(data.structures, 6)
    model = StructuredModel(training_of("structured", FtcpOptions(epochs=1, width=16, latent=12, max_sites=6)), 0)
    model.fit(crystals, np.zeros((len(crystals), 0)), 0, silent, None)
    allowed = np.zeros(104, dtype=bool)
    allowed[[0, 3, 8]] = True
    found = model.decode(model.encode(crystals), allowed)
    assert set(np.unique(found.numbers)) <= {0, 3, 8}


def test_slots_are_coded_alike(data):
    """An element has the same code in each slot: that is why unseen combinations are rebuilt."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = StructuredVae(3, 4, 24, 16, 1)
    slots = torch.zeros((1, 4), dtype=torch.long)
    rest = (torch.zeros((1, 4, 3)), torch.zeros((1, 6)))
    one, other = (network.encode((torch.tensor([names]), slots, *rest))[0] for names in ([8, 3, 9], [3, 9, 8]))
    code = network.code
    assert torch.allclose(one[:, :code], other[:, 2 * code : 3 * code])
    logits = network.decode(one)[0]
    assert torch.allclose(logits[0, 0], network.decode(other)[0][0, 2])


def test_the_published_network_has_the_published_size():
    network = PaperVae(240, 62, 256, 1024, [False, False])
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == pytest.approx(10.48e6, rel=0.02)
    images = torch.zeros((3, 240, 62))
    mean, log_variance = network.encode(images)
    assert mean.shape == log_variance.shape == (3, 256)
    assert network.decode(mean).shape == images.shape


def test_the_second_branch_learns_sparse_labels_and_keeps_the_order_of_properties():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PaperVae(8, 3, 4, 8, [True, False]).eval()
    z = torch.ones((2, 4))
    dense, sparse = (branch(z)[:, 0] for branch in network.branches)
    found = network.targets(z)
    assert torch.equal(found[:, 0], sparse)
    assert torch.equal(found[:, 1], dense)


def test_unlabelled_crystals_do_not_count_in_the_loss():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PaperVae(8, 3, 4, 8, [False]).eval()
    images = torch.rand((4, 8, 3), generator=torch.Generator().manual_seed(0))
    nothing = torch.full((4, 1), torch.nan)
    one = nothing.clone()
    one[2] = 0.25
    losses = [network.loss(images, t, 2.0, torch.Generator().manual_seed(1)) for t in (nothing, one)]
    mean, _ = network.encode(images)
    expected = 10 * (network.targets(mean)[2, 0] - 0.25) ** 2
    assert torch.isfinite(losses[0])
    losses[1].backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
    assert float((losses[1] - losses[0]).detach()) == pytest.approx(float(expected.detach()), rel=1e-3)


def test_the_published_network_learns_a_few_crystals(data):
    crystals = CrystalBatch.from_structures(data.structures[:8], 6)
    labels = np.linspace(-1, 0, 8)[:, None]
    options = FtcpOptions(epochs=60, batch_size=8, latent=32, width=64, max_sites=6, learning_rate=5e-3)
    model = PaperModel(training_of("paper", options), 1)
    history = model.fit(crystals, labels, 0, silent, None)
    assert history[-1] < history[0] / 10
    found = model.decode(model.encode(crystals))
    assert np.isfinite(found.lengths).all()
    assert model.network.training is False
