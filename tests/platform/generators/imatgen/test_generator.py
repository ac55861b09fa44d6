"""Imatgen in the loop, at toy size."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.imatgen import generator
from fermiloop.platform.generators.imatgen.generator import Imatgen
from fermiloop.platform.generators.imatgen.options import ImatgenOptions
from fermiloop.platform.generators.imatgen.rediscovery import found_among, found_around
from fermiloop.platform.generators.protocol import Space, Target

# After 15 epochs the last bits of a processor decided whether any proposal had two elements; after 40 nearly all do.
TINY = ImatgenOptions(
    grid=16, box=7.5, cell_grid=8, channels=8, code=64, cell_code=8, latent=16, hidden=64, epochs=40, cell_epochs=30,
    generator_epochs=60, augment=False,
    potential="none", min_stability=0.0, attempts=10,
)  # fmt: skip
SPACE = Space(
    ("Al", "Ni", "Pd"),
    crystal_systems=("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic"),
    max_sites=20,
)


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def library(make_library):
    return make_library(elements=("Al", "Ni", "Pd"), names=("A1", "B2", "L1_2"), every=1)


@pytest.fixture(scope="module")
def model(library):
    made = Imatgen(None, TINY)
    made.report = made.fit(library, 0, silent)
    return made


def summary(proposals):
    return [(p.structure.composition.formula, round(p.structure.volume, 6), p.score, p.parent) for p in proposals]


def test_the_report_counts_what_was_learned_from(model, library):
    binaries = sum(len(structure.composition) == 2 for structure in library.structures)
    assert model.report.metrics["virtual_crystals"] == 2 * binaries
    assert model.report.n_train + model.report.n_test == 2 * binaries
    assert model.report.n_test == 0  # of nine parents none is held out
    assert len(model.report.history) == TINY.epochs + TINY.generator_epochs


def test_samples_lie_in_the_space_and_failures_are_counted(model):
    proposals = model.sample(Target(), SPACE, 5, np.random.default_rng(0))
    assert proposals
    assert [p.score for p in proposals] == sorted((p.score for p in proposals), reverse=True)
    for proposal in proposals:
        symbols = {element.symbol for element in proposal.structure.composition.elements}
        assert len(symbols) == 2
        assert symbols <= set(SPACE.elements)
    assert all(count > 0 for count in model.failures.values())


def test_a_cell_of_far_too_many_atoms_is_refused_before_its_symmetry_is_looked_for(model, monkeypatch):
    crowded = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5), list(model.pair), [[0, 0, 0], [0.5] * 3]) * [2, 2, 3]
    monkeypatch.setattr(model, "decoded", lambda points: [crowded] * len(points))
    monkeypatch.setattr(generator, "idealised", None)  # looking would be an error
    monkeypatch.setattr(generator, "valid_oxidation", lambda composition: True)
    space = replace(SPACE, elements=model.pair)
    assert model.sample(Target(), space, 2, np.random.default_rng(0)) == []
    assert model.failures == {"too many sites": 2 * TINY.attempts}


def test_the_same_random_state_gives_the_same_samples(model, tmp_path):
    expected = summary(model.sample(Target(), SPACE, 4, np.random.default_rng(7)))
    assert summary(model.sample(Target(), SPACE, 4, np.random.default_rng(7))) == expected
    model.save(tmp_path)
    assert summary(Imatgen.load(tmp_path).sample(Target(), SPACE, 4, np.random.default_rng(7))) == expected


def test_the_same_seed_gives_the_same_model(library):
    short = replace(TINY, epochs=1, cell_epochs=1, generator_epochs=2)
    one, two = Imatgen(None, short), Imatgen(None, short)
    assert one.fit(library, 3, silent).history == two.fit(library, 3, silent).history
    assert np.array_equal(one.known, two.known)


def test_random_sampling_proposes_without_a_parent(model):
    made = Imatgen(None, replace(TINY, strategy="random", spread=0.3))
    vars(made).update({key: value for key, value in vars(model).items() if key != "options"})
    assert {p.parent for p in made.sample(Target(), SPACE, 2, np.random.default_rng(1))} <= {None}


def test_excluded_formulas_are_not_proposed(model):
    every = model.sample(Target(), SPACE, 5, np.random.default_rng(0))
    excluded = tuple({p.structure.composition.reduced_formula for p in every})
    again = model.sample(Target(exclude_formulas=excluded), SPACE, 5, np.random.default_rng(0))
    assert not {p.structure.composition.reduced_formula for p in again} & set(excluded)
    assert model.failures["excluded formula"] > 0


def test_a_crystal_learned_by_heart_is_found_around_its_code(model, library):
    crystals = [s for s in library.structures if {e.symbol for e in s.composition.elements} == set(model.pair)]
    assert crystals
    found = found_around(model, crystals, np.random.default_rng(0), n=2)
    assert found.shape == (len(crystals),)
    assert found_among([*crystals, "no atom decoded"], crystals).all()
    assert not found_among(["no atom decoded"], crystals).any()


def test_what_cannot_be_learned_from_is_refused(library):
    alone = [i for i, s in enumerate(library.structures) if len(s.composition) == 1]
    with pytest.raises(InputError, match="holds none"):
        Imatgen(None, TINY).fit(library.subset(alone), 0, silent)
    with pytest.raises(InputError, match="holds none"):
        Imatgen(None, TINY).fit(library.subset([]), 0, silent)
    with pytest.raises(InputError, match="not trained"):
        Imatgen(None, TINY).sample(Target(), SPACE, 1, np.random.default_rng(0))


def test_one_crystal_is_enough_for_a_model(library):
    binary = next(i for i, s in enumerate(library.structures) if len(s.composition) == 2)
    made = Imatgen(None, replace(TINY, epochs=1, cell_epochs=1, generator_epochs=1))
    assert made.fit(library.subset([binary]), 0, silent).n_train == 2
    made.sample(Target(), SPACE, 1, np.random.default_rng(0))


def test_a_space_without_pairs_has_no_samples_and_says_so(model):
    for space in (replace(SPACE, elements=("Al",)), replace(SPACE, n_components=(3, 3))):
        assert model.sample(Target(), space, 2, np.random.default_rng(0)) == []
        assert model.failures == {"no pair of elements in the space": 2}


def test_files_that_do_not_fit_are_refused(model, tmp_path):
    model.save(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"latent": 16', '"latent": 17'))
    with pytest.raises(InputError, match="do not fit each other"):
        Imatgen.load(tmp_path)
    config.write_text("{}")
    with pytest.raises(InputError, match="no model of imatgen"):
        Imatgen.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": "walk"}, {"elements": "V"}, {"elements": "V-Xx"}, {"potential": "dft"}, {"epochs": 0},
        {"threshold": 1.0}, {"spread": 0.0}, {"min_stability": 2.0},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(change):
    with pytest.raises(InputError):
        ImatgenOptions(**change)


def test_the_published_preset_goes_through_the_loop(library, tmp_path):
    options = replace(
        TINY, cell="image", channels=2, code=16, cell_code=4, latent=6, epochs=1, cell_epochs=1, generator_epochs=2,
        attempts=2, threshold=0.02,
    )  # fmt: skip
    made = Imatgen("paper", options)
    report = made.fit(library, 0, silent)
    assert len(report.history) == 3
    first = summary(made.sample(Target(), SPACE, 3, np.random.default_rng(0)))
    assert len(first) + sum(made.failures.values()) >= 3
    made.save(tmp_path)
    back = Imatgen.load(tmp_path)
    assert back.preset == "paper"
    assert summary(back.sample(Target(), SPACE, 3, np.random.default_rng(0))) == first
    crystals = [crystal for crystal in library.structures if set(crystal.symbol_set) == set(made.pair)][:2]
    codes = made.coder.codes(crystals, made.pair)
    image = made.network.image(torch.as_tensor(codes, dtype=torch.float32))
    assert image.shape == (2, 6, 1, 16)
    assert not image[:, 2:5].any()  # rows of elements that are not there
    assert torch.equal(image[:, 5, 0, :4], torch.as_tensor(codes[:, -4:], dtype=torch.float32))
    with pytest.raises(InputError, match="huge is no preset of imatgen"):
        Imatgen("huge")
    with pytest.raises(InputError, match="leave the option cell out"):
        Imatgen("paper", replace(options, cell="metric"))


def test_models_kept_before_cells_were_numbers_are_read_as_they_were(library, tmp_path):
    options = replace(TINY, cell="image", linear=False, epochs=1, cell_epochs=1, generator_epochs=1)
    made = Imatgen(None, options)
    made.fit(library, 0, silent)
    made.save(tmp_path)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    for name in ("cell", "linear"):
        del config["options"][name]
    file.write_text(json.dumps(config))
    back = Imatgen.load(tmp_path)
    assert (back.options.cell, back.options.linear) == ("image", False)
    assert back.options == options
    points = made.known[:2]
    assert np.array_equal(back.network.decode(points), made.network.decode(points))
    codes = made.network.decode(points)[:, -options.cell_code :].astype(np.float32)
    assert np.array_equal(back.coder.cell.images(codes), made.coder.cell.images(codes))


def test_a_lower_threshold_reads_more_atoms(model):
    def atoms(threshold):
        return sum(len(one) for one in model.decoded(model.known[:6], threshold) if not isinstance(one, str))

    assert atoms(0.1) >= atoms(0.3) == atoms(None) > atoms(0.95)
