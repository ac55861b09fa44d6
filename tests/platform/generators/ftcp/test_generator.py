"""FTCP as a generator: proposals, their ancestry, failures, and data that does not suit."""

import dataclasses

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ftcp.generator import Ftcp
from fermiloop.platform.generators.ftcp.options import PRESETS, STRATEGIES, FtcpOptions
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.representations.crystals import CrystalBatch

SMALL = {"epochs": 30, "batch_size": 8, "latent": 24, "width": 48, "max_sites": 6, "parents": 10}
SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
SPACE = Space(("Li", "H", "O", "F", "Fe", "Zn"), (1, 3), SYSTEMS, 6)
WINDOW = PropertyWindow("formation_energy_per_atom", -0.9, 0.1)
TARGET = Target(windows=(WINDOW,))


def silent(what, share):
    pass


def fitted(data, preset="structured", **options):
    generator = Ftcp(preset, FtcpOptions(**(SMALL | options)))
    generator.fit(data, 1, silent)
    return generator


@pytest.fixture(scope="module")
def trained(data):
    return fitted(data)


def sampled(generator, n=5, seed=0, target=TARGET, space=SPACE):
    return generator.sample(target, space, n, np.random.default_rng(seed))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_gives_crystals_of_the_space_with_their_parents(strategy, trained, data, tmp_path):
    trained.save(tmp_path)
    generator = Ftcp.load(tmp_path)
    generator.options = dataclasses.replace(generator.options, strategy=strategy)
    proposals = sampled(generator)
    assert proposals
    for proposal in proposals:
        assert {e.symbol for e in proposal.structure.composition.elements} <= set(SPACE.elements)
        assert proposal.detail["strategy"] == strategy
        assert (proposal.parent is None) == (strategy == "global")
        assert strategy == "global" or proposal.parent in data.ids
    scores = [proposal.score for proposal in proposals]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("preset", PRESETS)
def test_saved_and_loaded_gives_the_same(preset, data, tmp_path):
    generator = fitted(data, preset, epochs=3)
    generator.save(tmp_path)
    first, second = sampled(generator), sampled(Ftcp.load(tmp_path))
    assert [p.structure for p in first] == [p.structure for p in second]
    assert generator.known.config() == Ftcp.load(tmp_path).known.config()


def test_scale_zero_rebuilds_the_parents(trained, data, tmp_path):
    trained.save(tmp_path)
    generator = Ftcp.load(tmp_path)
    generator.options = dataclasses.replace(generator.options, scale=0.0, oversample=1)
    found = sampled(generator, 20)
    expected = generator.model.decode(generator.known.points, None)
    formulas = {expected.structure(i).composition.reduced_formula for i in range(len(data))}
    assert {proposal.structure.composition.reduced_formula for proposal in found} <= formulas


def test_without_moves_of_the_geometry_parents_keep_their_cells_and_change_elements(trained, data, tmp_path):
    trained.save(tmp_path)
    generator = Ftcp.load(tmp_path)
    generator.options = dataclasses.replace(generator.options, scale=3.0, geometry=0.0, novel=True)
    known = dict(zip(data.ids, data.structures, strict=True))
    proposals = sampled(generator)
    assert proposals
    same = [len(one.structure) <= len(known[one.parent]) for one in proposals]
    others = [set(one.structure.symbol_set) != set(known[one.parent].symbol_set) for one in proposals]
    assert all(same)
    assert all(others)


def test_a_design_has_its_parents_label_and_the_change_that_is_predicted(trained, data):
    crystals = CrystalBatch.from_structures(data.structures, trained.options.max_sites)
    labels = np.array([data.labels[name] for name in trained.names]).T
    parents = np.arange(len(data))
    assert np.allclose(trained._predicted(crystals, parents), labels, atol=1e-4)
    plain = trained._properties(trained.known.points)
    assert np.allclose(trained._predicted(crystals, np.full(len(data), -1)), plain, atol=1e-4)
    swapped = trained._predicted(crystals, parents[::-1])
    assert np.allclose(swapped, labels[::-1] + plain - plain[::-1], atol=1e-4)


def test_parents_are_those_in_the_space_nearest_to_the_target(trained, data):
    energies = data.labels["formation_energy_per_atom"]
    misses = trained.known.misses(TARGET, trained.names)
    assert np.allclose(misses, np.abs(energies + 0.9) / 0.1)
    narrow = Space(("Li", "O", "H"), (1, 3), SYSTEMS, 6)
    inside = trained.known.inside(narrow)
    assert inside.tolist() == [{e.symbol for e in s.composition.elements} <= {"Li", "O", "H"} for s in data.structures]


def test_several_windows_hold_at_once(data):
    sizes = np.array([float(len(s)) for s in data.structures])
    sizes[::2] = np.nan
    both = dataclasses.replace(data, labels=dict(data.labels) | {"band_gap": sizes})
    generator = fitted(both, epochs=5)
    target = Target(windows=(WINDOW, PropertyWindow("band_gap", 4.0, 0.5)))
    misses = generator.known.misses(target, generator.names)
    assert np.isinf(misses[::2]).all()
    assert np.isfinite(misses[1::2]).all()
    assert set(sampled(generator, target=target)[0].detail["predicted"]) == {"formation_energy_per_atom", "band_gap"}


def test_a_curve_chooses_parents_with_similar_curves(data):
    grid = data.grid
    curves = np.full((len(data), grid.n), np.nan)
    for i in range(0, len(data), 2):
        curves[i] = np.exp(-0.5 * ((grid.points - (-8 + 0.5 * i)) / 0.5) ** 2)
    generator = fitted(dataclasses.replace(data, curves=curves), epochs=3)
    target = Target(grid, grid.normalise(curves[6]))
    misses = generator.known.misses(target, generator.names)
    assert misses.argmin() == 6
    assert np.isinf(misses[1::2]).all()
    assert sampled(generator, target=target)


def test_what_was_not_learned_cannot_be_asked_for(trained):
    with pytest.raises(InputError, match="has not learned band_gap"):
        sampled(trained, target=Target(windows=(PropertyWindow("band_gap", 1, 1),)))
    grid = trained.known.grid
    with pytest.raises(InputError, match="without curves"):
        sampled(trained, target=Target(grid, grid.normalise(np.ones(grid.n))))
    with pytest.raises(InputError, match="not trained"):
        sampled(Ftcp())


def test_refusals_are_counted(trained):
    assert sampled(trained, space=Space(("Li", "H"), (3, 3), SYSTEMS, 6)) == []
    assert trained.failures["number of components outside the space"] > 0
    formulas = [p.structure.composition.reduced_formula for p in sampled(trained, 20)]
    assert len(set(formulas)) == len(formulas)
    excluded = dataclasses.replace(TARGET, exclude_formulas=tuple(formulas[:1]))
    assert formulas[0] not in {p.structure.composition.reduced_formula for p in sampled(trained, 20, target=excluded)}


def test_known_formulas_are_left_out_where_asked(trained, tmp_path):
    trained.save(tmp_path)
    generator = Ftcp.load(tmp_path)
    generator.options = dataclasses.replace(generator.options, novel=True)
    assert not {p.structure.composition.reduced_formula for p in sampled(generator)} & set(generator.known.formulas)


def test_large_crystals_are_left_out_and_too_few_refused(data):
    generator = Ftcp("structured", FtcpOptions(**(SMALL | {"epochs": 1, "max_sites": 4})))
    report = generator.fit(data, 0, silent)
    assert report.metrics["left_out"] == sum(len(s) > 4 for s in data.structures)
    with pytest.raises(InputError, match="too few"):
        generator.fit(data.subset([0, 1]), 0, silent)
    with pytest.raises(InputError, match="0 of 0"):
        generator.fit(data.subset([]), 0, silent)


@pytest.mark.parametrize("preset", PRESETS)
def test_crystals_without_labels_and_of_one_element_are_learned_too(preset, data):
    alone = [s.copy() for s in data.structures[:6]]
    for structure in alone:
        structure.replace_species(dict.fromkeys(structure.composition.elements, "Fe"))
    plain = dataclasses.replace(data.subset(range(6)), structures=tuple(alone), labels={})
    generator = fitted(plain, preset, epochs=2)
    assert all(p.structure.composition.reduced_formula == "Fe" for p in sampled(generator, target=Target()))


def test_a_training_that_was_cancelled_goes_on_to_the_same_end(data, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(what, share):
        if share >= 0.5:
            raise StoppedError

    options = FtcpOptions(**(SMALL | {"epochs": 6}))
    with pytest.raises(StoppedError):
        Ftcp("structured", options).fit(data, 2, stop, tmp_path)
    resumed, whole = Ftcp("structured", options), Ftcp("structured", options)
    report = resumed.fit(data, 2, silent, tmp_path)
    assert report.history == whole.fit(data, 2, silent).history
    assert np.array_equal(resumed.known.points, whole.known.points)


def test_broken_files_are_told(trained, tmp_path):
    trained.save(tmp_path)
    (tmp_path / "config.json").write_text('{"name": "ftcp", "preset": "structured"}')
    with pytest.raises(InputError, match="train it again"):
        Ftcp.load(tmp_path)
