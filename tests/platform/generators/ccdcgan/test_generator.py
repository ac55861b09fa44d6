"""Ccdcgan in the loop, at toy size; its autoencoders."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
from fermiloop.platform.generators.ccdcgan.generator import Ccdcgan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.generators.voxel_autoencoder import rows_of, train_autoencoder
from fermiloop.platform.representations.crystal_graph import Codes
from fermiloop.platform.representations.voxels import Images

TINY = CcdcganOptions(
    grid=16, box=7.5, cell_grid=8, channels=4, code=32, cell_code=8, site_epochs=25, cell_epochs=25, components=12,
    latent=8, width=48, gan_steps=40, batch_size=16, constraint_epochs=10, descent=3, attempts=10,
)  # fmt: skip
PAPER = replace(
    TINY,
    channels=2,
    site_epochs=1,
    cell_epochs=1,
    width=8,
    gan_steps=1,
    batch_size=4,
    constraint_epochs=1,
    loss="bce",
    attempts=1,
    epoch_images=4,
    mode="separate",
)
SPACE = Space(
    ("Al", "Ni", "Pd"),
    crystal_systems=("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic"),
    max_sites=20,
)
WINDOW = Target(windows=(PropertyWindow("formation_energy_per_atom", -0.3, 0.05),))


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def library(make_library):
    made = make_library(elements=("Al", "Ni", "Pd"), names=("A1", "B2", "L1_2"), every=1)
    energies = np.array([-0.2 * len(structure.composition) for structure in made.structures])
    labels = {"formation_energy_per_atom": energies, "band_gap": np.full(len(made), np.nan)}
    return replace(made, labels=labels)


@pytest.fixture(scope="module")
def model(library):
    made = Ccdcgan("compact", TINY)
    made.report = made.fit(library, 0, silent)
    return made


def summary(proposals):
    return [(p.structure.composition.formula, round(p.structure.volume, 6), p.score) for p in proposals]


def test_the_report_tells_what_was_learned(model, library):
    assert model.report.n_train + model.report.n_test == len(library)
    assert set(model.constraints) == {"formation_energy_per_atom"}
    assert model.report.metrics["gradient_constraint"] > 0
    assert all(np.isfinite(value) for value in model.report.metrics.values())


def test_samples_lie_in_the_space_and_failures_are_counted(model):
    proposals = model.sample(WINDOW, SPACE, 4, np.random.default_rng(0))
    assert proposals or model.failures
    assert [p.score for p in proposals] == sorted((p.score for p in proposals), reverse=True)
    for proposal in proposals:
        assert {e.symbol for e in proposal.structure.composition.elements} <= set(SPACE.elements)
        assert proposal.detail["constraints"] == ["formation_energy_per_atom"]
    assert sum(model.failures.values()) <= 4 * TINY.attempts


def test_the_same_random_state_gives_the_same_samples_also_from_a_file(model, tmp_path):
    expected = summary(model.sample(WINDOW, SPACE, 4, np.random.default_rng(7)))
    assert expected
    assert summary(model.sample(WINDOW, SPACE, 4, np.random.default_rng(7))) == expected
    model.save(tmp_path)
    assert summary(Ccdcgan.load(tmp_path).sample(WINDOW, SPACE, 4, np.random.default_rng(7))) == expected


def test_a_space_narrows_the_elements(model):
    narrow = replace(SPACE, elements=("Al", "Pd"), n_components=(2, 2))
    for proposal in model.sample(Target(), narrow, 3, np.random.default_rng(1)):
        assert {e.symbol for e in proposal.structure.composition.elements} == {"Al", "Pd"}
    with pytest.raises(InputError, match="learned from no crystal"):
        model.sample(Target(), replace(SPACE, elements=("U",)), 1, np.random.default_rng(0))


def test_without_labels_it_is_a_plain_network(library):
    short = replace(TINY, site_epochs=1, cell_epochs=1, gan_steps=2)
    made = Ccdcgan("compact", short)
    report = made.fit(replace(library, labels={}), 3, silent)
    assert made.constraints == {}
    assert report.metrics["gradient_constraint"] == 0
    made.sample(WINDOW, SPACE, 1, np.random.default_rng(0))
    assert Ccdcgan("compact", short).fit(replace(library, labels={}), 3, silent).history == report.history


def test_the_published_graph_goes_through_the_loop(library, tmp_path):
    made = Ccdcgan("paper", replace(PAPER, descent=0))
    assert (made.options.code, made.options.cell_code) == (200, 25)
    made.fit(library, 0, silent)
    own_of_each_element(made.coder)
    first = summary(made.sample(Target(), SPACE, 2, np.random.default_rng(0)))
    assert sum(made.failures.values()) + len(first) >= 2
    made.save(tmp_path)
    loaded = Ccdcgan.load(tmp_path)
    own_of_each_element(loaded.coder)
    assert summary(loaded.sample(Target(), SPACE, 2, np.random.default_rng(0))) == first
    assert (made.options.cells, made.options.volumes, made.options.elements_first) == ("image", "decoded", False)


def own_of_each_element(coder):
    """One copy of the autoencoder stands for each element of the library, and shares no weight."""
    assert set(coder.sites.own) == {"13", "28", "46"}
    places = [
        weight.data_ptr()
        for network in (coder.sites.combined, *coder.sites.own.values())
        for weight in network.parameters()
    ]
    assert len(set(places)) == 4 * len(list(coder.sites.combined.parameters()))


def test_each_element_may_have_an_autoencoder_of_its_own_with_the_default_too(library):
    coder = GraphCoder(replace(TINY, mode="separate", site_epochs=1))
    coder.train(library.structures, 0, silent)
    own_of_each_element(coder)
    again = GraphCoder(coder.options, seed=9)
    again.restore(coder.state())
    own_of_each_element(again)
    for before, after in zip(coder.encode(library.structures), again.encode(library.structures), strict=True):
        np.testing.assert_array_equal(before.sites, after.sites)
    image = coder.codec.encode_basis(library.structures[0]).images[:1].repeat(4, axis=0)
    codes = coder.sites.codes(image, np.array([13, 28, 46, 92]))
    assert len({row.tobytes() for row in codes}) == 4  # uranium, which was not learned, has that for all


@pytest.mark.parametrize("cells", ["numbers", "image"])
def test_cells_come_back_from_their_codes(cells, library):
    coder = GraphCoder(replace(TINY, cells=cells, site_epochs=1, cell_epochs=2))
    coder.train(library.structures, 0, silent)
    (codes,) = coder.encode(library.structures[:1])
    lattice, found = library.structures[0].lattice, coder.cell_of(codes.cell)
    if cells == "numbers":
        np.testing.assert_allclose(np.concatenate(found), lattice.parameters, rtol=1e-5)
        assert coder.cell_of(np.array([1.0, 1, 1, 0.5, 0.5, 2.0])) is None  # angles of no cell
        assert coder.cell_of(np.array([1.0, 1, 1, 1.5, 1.5, 4.0])) is None
        assert coder.cells is None
    else:
        assert codes.cell.shape == (TINY.cell_code,)


def test_models_from_before_keep_what_they_were_trained_with(library, tmp_path):
    before = {"cells": "image", "volumes": "decoded", "elements_first": False}
    made = Ccdcgan("compact", replace(TINY, site_epochs=1, cell_epochs=1, gan_steps=2, **before))
    made.fit(library, 0, silent)
    made.save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    for name in before:
        del config["options"][name]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert Ccdcgan.load(tmp_path).options == made.options


def test_volumes_are_by_rule_unless_the_graphs_are_wanted():
    crystal = Structure(Lattice.cubic(6.0), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert Ccdcgan("compact", replace(TINY, volumes="decoded")).sized(crystal.copy()) == crystal
    sized = Ccdcgan("compact", TINY).sized(crystal.copy())
    assert 60 < sized.volume < 100  # 70.7 measured
    thin = Structure(Lattice.cubic(0.1), ["Cs"], [[0, 0, 0]])
    assert Ccdcgan("compact", TINY).sized(thin.copy()) == thin  # impossible, and told so later


def test_an_image_of_noise_shows_no_crystal():
    coder = GraphCoder(replace(TINY, max_sites=1))
    coder.sites.images = lambda codes, elements: np.random.default_rng(0).random((1, 16, 16, 16), dtype=np.float32)
    nothing = Codes(np.log([4.0] * 3 + [np.exp(np.pi / 2)] * 3), (8,), np.array([np.nan]), np.zeros((1, 32)))
    assert coder.decode(nothing) == "too many atoms decoded"


def test_what_cannot_be_learned_from_is_refused(library):
    for rows in ([], [0]):
        with pytest.raises(InputError, match="ccdcgan needs two"):
            Ccdcgan("compact", TINY).fit(library.subset(rows), 0, silent)
    with pytest.raises(InputError, match="not trained"):
        Ccdcgan().sample(Target(), SPACE, 1, np.random.default_rng(0))
    with pytest.raises(InputError, match="no preset"):
        Ccdcgan("huge")
    with pytest.raises(InputError, match="conditional of ccdcgan does not go with its preset paper"):
        Ccdcgan("paper", TINY)


def test_files_that_do_not_fit_are_refused(model, tmp_path):
    model.save(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"latent": 8', '"latent": 9'))
    with pytest.raises(InputError, match="do not fit each other"):
        Ccdcgan.load(tmp_path)
    config.write_text("{}")
    with pytest.raises(InputError, match="no model of ccdcgan"):
        Ccdcgan.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "single"},
        {"cells": "voxels"},
        {"volumes": "large"},
        {"loss": "mse"},
        {"gan_steps": 0},
        {"threshold": 1.0},
        {"descent": -1},
        {"box": 1.0},
    ],
)
def test_options_out_of_range_are_refused(change):
    with pytest.raises(InputError):
        CcdcganOptions(**change)


def test_the_sites_of_one_crystal_are_learned_by_heart():
    crystal = Structure(Lattice.cubic(4.1), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    coder = GraphCoder(replace(TINY, grid=24, box=11.25, channels=4, code=54))
    basis = coder.codec.encode_basis(crystal)
    images, elements = torch.as_tensor(basis.images), torch.tensor(basis.elements)
    train_autoencoder(coder.sites, rows_of(images, elements, -1), 2, 120, 0, silent, rate=3e-3)
    codes = coder.sites.codes(basis.images, elements.numpy())
    made = Images(basis.elements, coder.sites.images(codes, elements.numpy()))
    numbers, positions = coder.codec.decode_basis(made, TINY.threshold)
    truth = coder.codec.boxed_positions(crystal)[np.argsort(crystal.atomic_numbers)]
    assert numbers.tolist() == [17, 55]
    assert np.abs(positions - truth).max() < 0.2


def test_a_graph_that_knows_its_amounts_tells_atoms_from_ghosts():
    coder = GraphCoder(TINY)
    line = (np.arange(16) - 8) * coder.codec.spacing
    image = np.zeros((1, 16, 16, 16), dtype=np.float32)
    for centre, height in ((-2.0, 0.6), (2.0, 0.4)):
        x, y, z = (np.exp(-((line - place) ** 2) / (2 * coder.codec.sigma**2)) for place in (centre, 0.0, 0.0))
        image[0] += height * x[:, None, None] * y[:, None] * z
    for amount in (1.0, 2.0, np.nan):
        scaled = coder.as_many_as_said(image, np.array([amount]))
        found = coder.codec.decode_basis(Images((8,), scaled), TINY.threshold)[0]
        assert len(found) == (2 if np.isnan(amount) else amount)


def test_codes_of_nothing_are_no_crystal():
    coder = GraphCoder(TINY)
    assert coder.decode(Codes(np.zeros(8), (), np.zeros(0), np.zeros((0, 32)))) == "no element in the graph"
    assert isinstance(coder.decode(Codes(np.zeros(8), (8,), np.ones(1), np.zeros((1, 32)))), str)
