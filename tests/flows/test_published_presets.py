"""Every published hyper-parameter against the network that a campaign and the command build for the preset ``paper``.

The figures are those of the papers and of their public code; where neither says one, it does not stand here.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from torch import nn

from fermiloop.flows.rounds import retrain
from fermiloop.flows.schedules import learning
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.generators import published_autoencoder
from fermiloop.platform.generators.ccdcgan import gan, published
from fermiloop.platform.generators.ccdcgan.generator import SPACES
from fermiloop.platform.generators.ftcp.generator import MODELS
from fermiloop.platform.generators.ftcp.paper import LABELLED, MOMENTUM, SEMI_LABELLED, SPARSE
from fermiloop.platform.generators.ftcp.paper_model import RATES, SEMI_BETA, SEMI_RATES, Plateau
from fermiloop.platform.generators.imatgen import network as imatgen_network
from fermiloop.platform.generators.imatgen import published as imatgen_published
from fermiloop.platform.generators.regression import ALL, RegressionNetwork
from fermiloop.platform.representations import element_vectors
from fermiloop.platform.representations.spectrum import DOS_GRID

EXAMPLE = Path(__file__).parents[2] / "examples" / "pd-like.yaml"
METHODS = ("dos_composer", "ftcp", "imatgen", "ccdcgan")


def from_campaign(name, monkeypatch):
    """The generator that a round of a campaign with the preset trains."""
    text = yaml.safe_load(EXAMPLE.read_text()) | {"generators": [{"name": name, "preset": "paper", "proposals": 4}]}
    found = []
    monkeypatch.setattr(retrain, "state_folder", lambda *_: nullcontext(None))
    monkeypatch.setattr(retrain, "fit_and_save", lambda model, *_: found.append(model))
    retrain._fit_generators(CampaignSpec.model_validate(text), "c", 1, "snap", "method", ())
    return found[0]


def from_command(name, monkeypatch):
    """The generator that ``fermiloop generators train`` and schedules train."""
    found = []
    monkeypatch.setattr(learning, "methods", SimpleNamespace(curves_beside=lambda _: ()))
    monkeypatch.setattr(learning, "split", lambda *_: SimpleNamespace(learn=("m-1",), dropped=()))
    monkeypatch.setattr(learning, "snapshots", SimpleNamespace(freeze=lambda *_, **__: "snap", label_ids=lambda _: {}))
    monkeypatch.setattr(learning, "training", SimpleNamespace(training_set=lambda *_, **__: None))
    monkeypatch.setattr(learning, "state_folder", lambda *_: nullcontext(None))
    monkeypatch.setattr(learning, "fit_and_save", lambda model, *_: found.append(model))
    learning.train(name, "paper", {}, "method", 0)
    return found[0]


@pytest.fixture(params=[from_campaign, from_command], ids=["campaign", "command"])
def built(request, monkeypatch):
    """Builder of a method's generator, by either way."""
    return lambda name: request.param(name, monkeypatch)


def layers(module, kind):
    return [layer for layer in module.modules() if isinstance(layer, kind)]


def shapes(module, kind):
    """Channels out, kernel and stride of each convolution."""
    return [(layer.out_channels, layer.kernel_size[-1], layer.stride[-1]) for layer in layers(module, kind)]


def millions(module):
    return round(sum(p.numel() for p in module.parameters()) / 1e6, 2)


def test_ftcp(built):
    generator = built("ftcp")
    model = MODELS[generator.preset](generator.training, 1)
    vae, plan = model.network, generator.training
    assert (plan.max_sites, plan.max_elements) == (20, 3)
    assert model.featurizer.shape == (238, 62)
    assert model.rows == 240
    assert shapes(vae.convolve, nn.Conv1d) == [(32, 5, 2), (64, 3, 2), (128, 3, 1)]
    assert shapes(vae.rebuild, nn.ConvTranspose1d) == [(64, 3, 1), (32, 3, 2), (62, 5, 2)]
    assert layers(vae.convolve, nn.Linear)[0].in_features == 7680
    assert layers(vae.convolve, nn.Linear)[0].out_features == plan.width == 1024
    assert isinstance(vae.convolve[-1], nn.Sigmoid)
    assert isinstance(vae.rebuild[-1], nn.Sigmoid)
    assert (vae.mean.out_features, vae.log_variance.out_features) == (256, 256)
    assert [layer.out_features for layer in layers(vae.branches[0], nn.Linear)] == [128, 32, 1]
    assert {layer.negative_slope for layer in layers(vae, nn.LeakyReLU)} == {0.2}
    assert {(layer.eps, layer.momentum) for layer in layers(vae, nn.BatchNorm1d)} == {(1e-3, MOMENTUM)}
    assert pytest.approx(1 - 0.99) == MOMENTUM
    assert millions(vae) == pytest.approx(10.48, abs=0.03)
    assert (plan.epochs, plan.batch_size, plan.learning_rate, plan.beta) == (200, 256, 5e-4, 2.0)
    assert (vae.labelled, LABELLED, SEMI_LABELLED, SPARSE, SEMI_BETA * plan.beta) == (10, 10, 20, 5, 3)
    assert model.occupied == 0.05
    options = generator.options
    assert (options.strategy, options.scale, options.parents, options.oversample) == ("local", 0.6, 10, 1)
    assert (options.novel, options.test_share) == (True, 0.2)


@pytest.mark.parametrize(
    ("rates", "expected"), [(RATES, {0: 5e-4, 50: 1e-4, 100: 5e-5}), (SEMI_RATES, {0: 8e-4, 50: 2e-4, 100: 5e-5})]
)
def test_rates_of_ftcp(built, rates, expected):
    generator = built("ftcp")
    model, plateau = MODELS[generator.preset](generator.training, 1), Plateau()
    optimiser = torch.optim.RMSprop(model.network.parameters(), lr=1.0)
    found = {}
    for epoch in range(102):
        model._set_rate(optimiser, plateau, epoch, rates)
        found[epoch] = optimiser.param_groups[0]["lr"]
        plateau.end(1000.0 - epoch)
    assert {epoch: found[epoch] for epoch in expected} == pytest.approx(expected)
    assert found[49] == pytest.approx(expected[0])
    for _ in range(4):
        plateau.end(1000.0)  # four epochs without a lower loss
    assert plateau.begin(None) == pytest.approx(0.3 * expected[100])


def test_imatgen(built):
    generator = built("imatgen")
    options, coder, model = generator.options, generator.make_coder(), generator.make_network()
    assert (coder.codec.basis_grid, coder.codec.cell_grid, coder.codec.box) == (64, 32, 15.0)
    assert (coder.codec.sigma, coder.codec.cell_sigma, coder.codec.cutoff) == (0.26, 0.26, 0.02)
    assert shapes(coder.basis.down, nn.Conv3d) == [(64, 4, 2)] * 4 + [(200, 4, 1)]
    assert shapes(coder.basis.up, nn.ConvTranspose3d) == [(64, 4, 1)] + [(64, 4, 2)] * 3 + [(1, 4, 2)]
    assert shapes(coder.cell.down, nn.Conv3d) == [(64, 4, 2)] * 3 + [(20, 4, 1)]
    assert {layer.negative_slope for layer in layers(coder.basis, nn.LeakyReLU)} == {0.2}
    assert (coder.basis.output, published_autoencoder.SHARPNESS) == ("clip", 1e4)
    assert (imatgen_published.BASIS_RATE, imatgen_published.BASIS_BATCH, options.epochs) == (3e-4, 24, 20)
    assert (imatgen_published.CELL_RATE, imatgen_published.CELL_BATCH, options.cell_epochs) == (1e-4, 32, 20)
    convolutions = layers(model.encoder, nn.Conv2d)
    assert [layer.in_channels for layer in convolutions] == [6, 100, 100, 100]
    assert [(one.out_channels, one.kernel_size, one.stride) for one in convolutions] == [
        (100, (1, 4), (1, 2)), (100, (1, 4), (1, 2)), (100, (1, 4), (1, 2)), (50, (1, 1), (1, 1)),
    ]  # fmt: skip
    assert layers(model.encoder, nn.Linear)[0].in_features == 1250
    assert layers(model.encoder, nn.Linear)[0].out_features == 2 * 500
    assert isinstance(model.decoder_layers[-1], nn.Tanh)
    assert [layer.out_features for layer in layers(model.classifier, nn.Linear)] == [500, 1]
    assert (imatgen_published.RATE, imatgen_network.BATCH, options.generator_epochs) == (1e-4, 64, 200)
    assert imatgen_network.DIVERGENCE == 1e-6
    assert (options.stable_below, options.max_sites, options.max_length, options.augment) == (0.5, 20, 10.0, False)


def test_ccdcgan(built):
    generator = built("ccdcgan")
    options, coder = generator.options, generator.make_coder()
    assert (coder.codec.basis_grid, coder.codec.cell_grid, coder.codec.box) == (64, 32, 15.0)
    assert (coder.codec.sigma, coder.codec.cutoff) == (0.26, 0.02)
    sites = coder.sites.combined
    assert shapes(sites.down, nn.Conv3d) == [(64, 4, 2)] * 4 + [(200, 4, 1)]
    assert millions(sites) == pytest.approx(3.22, abs=0.01)
    assert (options.mode, options.site_epochs, options.epoch_images, published.SITE_RATE) == (
        "separate",
        100,
        1024,
        3e-5,
    )
    assert options.epoch_images // published.OWN == 256
    assert shapes(coder.cells.down, nn.Conv3d) == [(64, 4, 2)] * 3 + [(256, 4, 1)]
    assert [layer.out_features for layer in layers(coder.cells.narrow, nn.Linear)] == [256, 256, 25]
    assert [layer.out_features for layer in layers(coder.cells.widen, nn.Linear)] == [256, 256, 256]
    assert shapes(coder.cells.up, nn.ConvTranspose3d) == [(64, 4, 1), (64, 4, 2), (64, 4, 2), (1, 4, 2)]
    assert (coder.cells.output, options.cell_epochs, published.CELL_RATE) == ("rectified", 400, 1e-4)
    space = SPACES[generator.preset](options, {"scale": torch.ones(1).numpy(), "least_norm": torch.zeros(1).numpy()})
    maker, critic = space.generator(), space.discriminator()
    assert (space.width, maker.dense.in_features, maker.dense.out_features) == (160 * 160, 800, 3200)
    assert [layer.out_channels for layer in layers(maker, nn.Conv2d)] == [128, 64, 32, 16, 8, 1]
    assert {layer.momentum for layer in layers(maker, nn.BatchNorm2d)} == {0.1}
    assert shapes(critic, nn.Conv2d) == [(c, 3, 2) for c in (8, 16, 32, 64, 128, 256, 512)] + [(512, 3, 1)]
    assert {layer.p for layer in layers(critic, nn.Dropout)} == {0.25}
    assert not layers(critic, nn.BatchNorm2d)
    assert (millions(maker), millions(critic)) == (pytest.approx(2.81, abs=0.02), pytest.approx(3.94, abs=0.02))
    assert (gan.RATE, gan.PUBLISHED_BETAS[0], options.batch_size, options.gan_steps) == (2e-4, 0.9, 128, 41 * 2500)
    assert not gan.CrystalGan(space, options).smooth.any()  # no noise on graphs
    assert (options.loss, options.latent, options.constraint_weight) == ("bce", 800, 0.1)
    model = generator.make_constraint(space, "formation_energy_per_atom")
    assert len(model.members) == 1
    assert shapes(model, nn.Conv2d) == [(c, 4, 2) for c in (2, 4, 8, 16, 32)]
    assert [one.out_features for one in layers(model, nn.Linear)] == [512, 512, 512, 512, 256, 128, 64, 1]
    assert isinstance(model.members[0].layers[-1], nn.ReLU)
    assert isinstance(model.members[0].layers[-2], nn.Tanh)
    assert millions(model) == pytest.approx(1.38, abs=0.02)
    assert (options.constraint_epochs, published.STEPS) == (1000, 100)
    generator.constraints = {"formation_energy_per_atom": model}
    (pull,) = generator.pulls({"formation_energy_per_atom": torch.zeros(3).numpy()})
    model.eval()
    rows = torch.rand(2, space.width)
    assert pull.weight == 0.1
    torch.testing.assert_close(pull(rows), torch.exp((model(rows)[0] - model.centre) / model.spread))


def test_dos_composer(built):
    generator = built("dos_composer")
    model = generator.models[ALL].model
    network = RegressionNetwork(DOS_GRID.n, 60)
    assert (DOS_GRID.lo, DOS_GRID.hi, DOS_GRID.n) == (-7.5, 7.5, 151)
    assert [(c.out_channels, c.kernel_size, c.padding) for c in layers(network, nn.Conv1d)] == [(32, (13,), "same")] * 4
    assert [(pool.kernel_size, pool.stride) for pool in layers(network, nn.MaxPool1d)] == [(2, 2)] * 4
    assert (layers(network, nn.Linear)[0].in_features, layers(network, nn.Linear)[0].out_features) == (288, 60)
    assert (model.options.learning_rate, model.options.falling, model.options.scaled) == (1e-3, False, False)
    assert model.options.by_system is True
    assert (element_vectors.DIM, element_vectors.LEARNING_RATE) == (30, 1e-3)
    autoencoder = element_vectors.Autoencoder(DOS_GRID.n)
    assert [layer.out_features for layer in layers(autoencoder, nn.Linear)][1::2] == [30, 151]
    assert len(layers(autoencoder, nn.Tanh)) == 3


@pytest.mark.parametrize("name", METHODS)
def test_what_a_file_asks_for_beside_the_preset_wins(name):
    option, value = ("test_share", 0.5) if name == "dos_composer" else ("max_sites", 9)
    model = learning.GENERATORS[name].build("paper", {option: value})
    assert getattr(model.options, option) == value


def test_defaults_are_not_those_of_the_paper():
    assert learning.GENERATORS["ccdcgan"].build().options.grid == 32
    assert learning.GENERATORS["imatgen"].build().preset is None
    assert learning.GENERATORS["imatgen"].build().options.grid == 32
    assert learning.GENERATORS["ftcp"].build().options.parents == 100
