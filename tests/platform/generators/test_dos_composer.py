"""Crystals of one to four elements for a curve; curves are mixtures of made-up curves of the elements."""

from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Composition
from tests.platform.conftest import synthetic_curve

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.dos_composer import ComposerOptions, DosComposer
from fermiloop.platform.generators.inverse import Bounds, InverseSpectrumModel
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.generators.samples import samples_of
from fermiloop.platform.representations.composition import row_of

SPACE = Space(("Al", "Ti", "Ni", "Cu", "Pd", "O", "Sn"), (3, 4), ("cubic",), 12)
QUICK = ComposerOptions(epochs=1, potential="none", test_share=0.0)


def silent(stage, share):
    pass


def target_of(formula, grid):
    return Target(grid=grid, curve=grid.normalise(synthetic_curve(Composition(formula), "cubic")))


@pytest.fixture(scope="module")
def trained(ternary_library):
    composer = DosComposer("factorised", QUICK)
    composer.fit(ternary_library, 0, silent)
    return composer


def test_ternaries_that_were_never_seen_are_found(ternary_library):
    held_out = row_of("TiPdO3")
    rest = [i for i, s in enumerate(ternary_library.structures) if row_of(s.composition) != held_out]
    composer = DosComposer("factorised", replace(QUICK, temperature=0.0))
    composer.fit(ternary_library.subset(rest), 0, silent)
    made = composer.sample(target_of("TiPdO3", ternary_library.grid), SPACE, 10, np.random.default_rng(0))
    sets = [frozenset(e.symbol for e in one.structure.composition.elements) for one in made]
    assert frozenset(("Ti", "Pd", "O")) in sets
    assert all(len(one) >= 3 for one in sets)
    assert [one.score for one in made] == sorted((one.score for one in made), reverse=True)


def test_without_ternaries_in_the_training_set_they_are_extrapolated(ternary_library):
    few = ternary_library.subset([i for i, s in enumerate(ternary_library.structures) if len(s.composition) < 3])
    model = InverseSpectrumModel("factorised", 1)
    model.fit(samples_of(few), 0, silent)
    curve = target_of("Ti2PdO", ternary_library.grid).curve
    bounds = Bounds(frozenset(model.table.elements), (3, 3), {3: ((1, 1, 1), (1, 1, 2), (1, 1, 3))})
    found = model.search(curve, np.array(["cubic"]), bounds)
    place = [{z for z, _ in row} for row, _ in found].index({z for z, _ in row_of("Ti2PdO")})
    assert place < 0.1 * len(found)


@pytest.mark.parametrize("preset", ["paper", "factorised"])
def test_a_search_gives_unaries_and_binaries_as_the_table_does(preset, ternary_library):
    samples = samples_of(ternary_library)
    model = InverseSpectrumModel(preset, 1)
    model.fit(samples, 0, silent)
    curve, systems = samples.curves[5], np.array(["cubic", "hexagonal"])
    found = dict(model.search(curve, systems, Bounds(frozenset(model.table.elements), (1, 2), {3: ((1, 1, 1),)})))
    table = np.logaddexp.reduce(model.log_probabilities(np.array([curve, curve]), systems)) - np.log(2)
    np.testing.assert_allclose([found[row] for row in model.table.rows], table, atol=1e-9)
    assert np.exp(list(found.values())).sum() == pytest.approx(1)
    more = model.search(curve, systems, Bounds(frozenset(model.table.elements), (1, 3), {3: ((1, 1, 1), (1, 1, 3))}))
    assert sum(np.exp(score) for _, score in more) == pytest.approx(1)
    assert {len(row) for row, _ in more} == {1, 2, 3}


def test_a_saved_composer_of_ternaries_proposes_the_same(trained, ternary_library, tmp_path):
    trained.save(tmp_path)
    target = target_of("AlNiSn", ternary_library.grid)
    both = (trained, DosComposer.load(tmp_path))
    first, again = (composer.sample(target, SPACE, 6, np.random.default_rng(1)) for composer in both)
    assert [one.structure for one in first] == [one.structure for one in again]
    np.testing.assert_allclose([one.score for one in first], [one.score for one in again], rtol=1e-6)


def test_binaries_of_a_crystal_system_that_was_never_seen_sit_on_tabulated_types(trained, ternary_library):
    space = replace(SPACE, n_components=(2, 2), crystal_systems=("tetragonal",))
    made = trained.sample(target_of("TiPd", ternary_library.grid), space, 30, np.random.default_rng(0))
    assert len(made) == 30
    assert {one.detail["prototype"] for one in made} & {"L1_0", "D0_22"}
    assert {len(one.structure.composition) for one in made} == {2}


def test_each_crystal_system_may_have_a_model_of_its_own(dos_library, tmp_path):
    composer = DosComposer("factorised", replace(QUICK, per_crystal_system=True, test_share=0.2))
    report = composer.fit(dos_library, 0, silent)
    assert set(composer.models) == {"cubic", "hexagonal"}
    assert {"weight_forward_cubic", "weight_forward_hexagonal", "held_out_top5"} <= set(report.metrics)
    assert len(composer.models["cubic"].known) == sum(s == "cubic" for s in dos_library.crystal_systems)
    space = Space(("Al", "Ni", "Pd"))
    target = Target(grid=dos_library.grid, curve=dos_library.grid.normalise(dos_library.curves[7]))
    made = composer.sample(target, space, 40, np.random.default_rng(0))
    assert {one.detail["prototype"] for one in made} >= {"C32", "L1_2"}
    composer.save(tmp_path)
    again = DosComposer.load(tmp_path).sample(target, space, 40, np.random.default_rng(0))
    assert [one.structure for one in again] == [one.structure for one in made]
    with pytest.raises(InputError, match="cubic, hexagonal crystals only, not of trigonal"):
        composer.sample(target, replace(space, crystal_systems=("trigonal",)), 3, np.random.default_rng(0))


def test_options_bound_the_search_and_wrong_ones_are_refused(trained, ternary_library):
    composer = DosComposer("factorised", replace(QUICK, most_components=2))
    composer.fit(ternary_library, 0, silent)
    target = target_of("AlNiSn", ternary_library.grid)
    assert composer.sample(target, SPACE, 6, np.random.default_rng(0)) == []
    assert composer.models[""].known.most_components == 2
    for wrong in ({"most_components": 5}, {"beam_width": 0}, {"test_share": 1.0}, {"temperature": -1.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            ComposerOptions(**wrong)


@pytest.mark.parametrize(("preset", "parts"), [("paper", {}), ("factorised", {"per_crystal_system": True})])
def test_a_training_that_was_stopped_goes_on_with_the_models_that_are_left(
    preset, parts, dos_library, tmp_path, monkeypatch
):
    # two models each: of the whole and of what the test leaves, of cubic and of hexagonal crystals
    options = replace(QUICK, test_share=0.2, **parts)
    plain = DosComposer(preset, options)
    expected = plain.fit(dos_library, 3, silent)
    fits, fit = [], InverseSpectrumModel.fit

    def counted(self, samples, seed, progress):
        if len(fits) == 1 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        fits.append(len(samples))
        return fit(self, samples, seed, progress)

    stopped = []
    monkeypatch.setattr(InverseSpectrumModel, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        DosComposer(preset, options).fit(dos_library, 3, silent, tmp_path)
    again = DosComposer(preset, options)
    report = again.fit(dos_library, 3, silent, tmp_path)
    assert len(fits) == 2  # one before the stop, one after
    assert report.metrics == pytest.approx(expected.metrics, rel=1e-4)
    DosComposer(preset, options).fit(dos_library, 3, silent, tmp_path)
    assert len(fits) == 2
    DosComposer(preset, options).fit(dos_library, 4, silent, tmp_path)
    assert len(fits) == 4  # another seed is another training
    for one in tmp_path.iterdir():
        (one / "weights.safetensors").write_bytes(b"broken")
    DosComposer(preset, options).fit(dos_library, 3, silent, tmp_path)
    assert len(fits) == 6
