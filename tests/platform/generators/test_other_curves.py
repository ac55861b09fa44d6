"""The composer learns from any kind of curve: powder patterns computed from crystals, two kinds made up."""

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.generators.dos_composer import ComposerOptions, DosComposer
from fermiloop.platform.generators.heads import Layout
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.generators.samples import samples_of, zero_of
from fermiloop.platform.predictors.potential.volumes import guess_volume
from fermiloop.platform.representations.diffraction import xrd_patterns
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectrum import DOS_GRID, cosine
from fermiloop.schemas.curve_kinds import SpectrumKind

ELEMENTS = ("Al", "Ti", "Ni", "Pd", "Au", "K")
OTHERS = [kind for kind in SpectrumKind if kind is not SpectrumKind.DOS]


def silent(what, share):
    pass


def made_up(structures, grid):
    """One line for each element, by its mass, as strong as its share: phonons and absorption only in name."""
    curves = np.zeros((len(structures), grid.n))
    for curve, structure in zip(curves, structures, strict=True):
        for element, share in structure.composition.fractional_composition.items():
            centre = grid.lo + (grid.hi - grid.lo) * (0.1 + 0.8 * np.sqrt(float(element.atomic_mass) / 200))
            curve += share * np.exp(-0.5 * ((grid.points - centre) / (4 * grid.step)) ** 2)
    return curves


@pytest.fixture(scope="module")
def crystals(make_library):
    data = make_library(ELEMENTS, ("A1", "B2", "L1_2"), every=1)
    scaled = []
    for structure in data.structures:
        shares = structure.composition.fractional_composition.get_el_amt_dict()
        volume = sum(share * guess_volume({symbol: 1.0}) for symbol, share in shares.items())
        scaled.append(structure.copy().scale_lattice(len(structure) * volume))
    return replace(data, structures=tuple(scaled))


def with_kind(crystals, kind):
    grid = GRIDS[kind]
    curves = xrd_patterns(crystals.structures) if kind is SpectrumKind.XRD else made_up(crystals.structures, grid)
    return replace(crystals, grid=grid, curves=curves)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_curve_of_any_kind_becomes_crystals_with_such_a_curve(kind, crystals, tmp_path):
    data = with_kind(crystals, kind)
    composer = DosComposer("factorised", ComposerOptions(epochs=3, potential="none", temperature=0.0))
    report = composer.fit(data, 0, silent)
    assert report.n_train == len(data)
    space = Space(ELEMENTS)
    best = []
    for place in (0, 10, 20, 30):
        target = Target(data.grid, data.grid.normalise(data.curves[place]))
        found = [p.structure for p in composer.sample(target, space, 5, np.random.default_rng(0))]
        assert len(found) == 5
        curves = xrd_patterns(found) if kind is SpectrumKind.XRD else made_up(found, data.grid)
        best.append(cosine(curves, target.curve).max())
    assert np.median(best) > 0.9
    composer.save(tmp_path)
    again = DosComposer.load(tmp_path)
    assert again.grid == data.grid
    target = Target(data.grid, data.grid.normalise(data.curves[0]))
    answers = [
        [p.structure.formula for p in one.sample(target, space, 5, np.random.default_rng(0))]
        for one in (composer, again)
    ]
    assert answers[0] == answers[1]


def test_held_out_crystals_of_unseen_compositions_are_come_near_to(crystals):
    data = with_kind(crystals, SpectrumKind.XRD)
    unseen = [i for i, s in enumerate(data.structures) if s.composition.reduced_formula in ("TiAl", "Ti3Au", "AlNi3")]
    assert len(unseen) >= 2
    rest = [i for i in range(len(data)) if i not in unseen]
    composer = DosComposer("factorised", ComposerOptions(epochs=3, potential="none", temperature=0.0, test_share=0.0))
    composer.fit(data.subset(rest), 0, silent)
    ours, known = [], []
    for place in unseen:
        target = Target(data.grid, data.grid.normalise(data.curves[place]))
        found = composer.sample(target, Space(ELEMENTS), 5, np.random.default_rng(0))
        ours.append(cosine(xrd_patterns([p.structure for p in found]), target.curve).max())
        known.append(cosine(data.curves[rest], target.curve).mean())
    assert np.mean(ours) > np.mean(known) + 0.2


@pytest.mark.parametrize("kind", SpectrumKind)
def test_a_curve_is_filled_to_the_fermi_level_or_to_its_end(kind, crystals):
    grid = GRIDS[kind]
    if kind is SpectrumKind.DOS:
        assert zero_of(grid) == 75
        assert DOS_GRID.points[75] == pytest.approx(0)
        return
    samples = samples_of(with_kind(crystals, kind))
    assert samples.zero == zero_of(grid) == grid.n - 1
    layout = Layout(grid.n, grid.step, samples.zero, ("cubic",), ((1,),), 2)
    channels, _ = layout.inputs(samples.curves, samples.systems)
    assert channels.shape == (len(samples), 3, grid.n)
    assert channels[:, 1].max() == pytest.approx(1, abs=0.02)
    assert channels.abs().max() < 50
    np.testing.assert_allclose(channels[:, 0].mean(dim=1), 0.5, rtol=0.05)
