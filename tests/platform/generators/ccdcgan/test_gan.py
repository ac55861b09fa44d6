"""The adversarial network and the constraints that pull it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.constraint import ConstraintModel, Pull
from fermiloop.platform.generators.ccdcgan.gan import CrystalGan
from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
from fermiloop.platform.generators.ccdcgan.spaces import CompactSpace, PaperSpace
from fermiloop.platform.representations.crystal_graph import CELL_CODE, SITE_CODE, Codes

TINY = CcdcganOptions(
    slots=3, components=6, latent=8, width=48, gan_steps=20, batch_size=16, constraint_epochs=30, constraint_weight=2.0
)
PAPER = replace(TINY, width=8, latent=10, loss="bce", batch_size=4, gan_steps=2, constraint_epochs=1)


def silent(what, share):
    pass


def some_codes(n, site=40, cell=5, seed=0):
    random = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        elements = tuple(sorted(random.choice([3, 8, 13, 17, 26], random.integers(1, 4), replace=False).tolist()))
        amounts = random.integers(1, 5, len(elements)).astype(float)
        sites = random.standard_normal((len(elements), 4)) @ np.eye(4, site) + 1
        made.append(Codes(random.standard_normal(cell), elements, amounts, sites))
    return made


def energies(codes):
    """Low with oxygen."""
    return np.array([-2.0 if 8 in item.elements else 1.0 for item in codes])


@pytest.fixture(scope="module")
def codes():
    return some_codes(60)


@pytest.fixture(scope="module")
def space(codes):
    return CompactSpace.learned(TINY, codes)


@pytest.fixture(scope="module")
def model(space, codes):
    made = ConstraintModel(space, "formation_energy_per_atom")
    made.train_on(space.rows(codes), energies(codes), TINY, 0, silent)
    return made


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def unchanged(before, module):
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_compact_rows_hold_the_codes(space, codes):
    for before, after in zip(codes, space.codes(space.rows(codes)), strict=True):
        order = [after.elements.index(z) for z in before.elements]
        assert sorted(after.elements) == list(before.elements)
        np.testing.assert_allclose(after.cell, before.cell, atol=1e-4)
        np.testing.assert_allclose(after.amounts[order], before.amounts, rtol=1e-4)
        np.testing.assert_allclose(after.sites[order], before.sites, atol=1e-4)


def test_the_constraint_learns_in_the_propertys_own_unit(model, space, codes):
    r2, mae = model.score(space.rows(codes), energies(codes))
    assert r2 > 0.9
    assert mae < 0.4
    others = some_codes(30, seed=5)
    assert model.score(space.rows(others), energies(others))[0] > 0.5


def test_gradients_of_the_constraint_reach_the_generator(model, space):
    gan = CrystalGan(space, TINY)
    _, pull = gan.generator_losses([Pull(model, 1.0, -2.0)], torch.Generator().manual_seed(0))
    pull.backward()
    norms = [float(p.grad.norm()) for p in gan.generator.parameters() if p.grad is not None]
    assert len(norms) == len(list(gan.generator.parameters()))
    assert sum(norms) > 1e-4
    assert all(p.grad is None for p in model.parameters())


def test_only_the_discriminators_step_changes_the_discriminator(model, space, codes):
    gan, random, rows = CrystalGan(space, TINY), torch.Generator().manual_seed(0), space.rows(codes)
    of_d, of_g = (torch.optim.Adam(part.parameters(), 1e-3) for part in (gan.discriminator, gan.generator))
    before_d, before_g = weights(gan.discriminator), weights(gan.generator)
    gan.discriminator_step(rows, of_d, random)
    assert not unchanged(before_d, gan.discriminator)
    assert unchanged(before_g, gan.generator)
    before_d = weights(gan.discriminator)
    loss, pull = gan.generator_losses([Pull(model, 1.0, -2.0)], random)
    (loss + pull).backward()
    of_g.step()
    assert unchanged(before_d, gan.discriminator)
    assert not unchanged(before_g, gan.generator)


@pytest.mark.parametrize("loss", ["hinge", "bce"])
def test_twenty_steps_are_finite_and_leave_the_constraint_alone(loss, model, space, codes):
    before = weights(model)
    gan = CrystalGan(space, replace(TINY, loss=loss))
    report = gan.train(space.rows(codes), [Pull(model, 1.0, -2.0), Pull(model, 0.5, -1.0, 0.1)], 0, silent)
    assert unchanged(before, model)
    assert np.isfinite(report.history).all()
    assert report.adversarial > 0
    assert report.pulling > 0


def test_the_constraint_lowers_the_property(model, space, codes):
    found = []
    for pulls in ((), (Pull(model, 5.0, -2.0),)):
        gan = CrystalGan(space, replace(TINY, gan_steps=80), seed=1)
        gan.train(space.rows(codes), pulls, 1, silent)
        found.append(model.predict(gan.rows(gan.noise(64, torch.Generator().manual_seed(2)))).mean())
    assert found[1] < found[0] - 0.2


def test_noise_descends_into_a_window(model, space):
    gan = CrystalGan(space, TINY, seed=3)
    noise = gan.noise(32, torch.Generator().manual_seed(0))
    pull = Pull(model, 1.0, -1.5, 0.2)
    with torch.no_grad():
        start = float(pull(gan.rows(noise)).mean())
        end = float(pull(gan.rows(gan.descended(noise, [pull], None, 40))).mean())
    assert end < start
    assert torch.equal(gan.descended(noise, [], None, 40), noise)


def test_a_pull_ends_where_its_aim_is_reached(model, space, codes):
    rows = space.rows(codes)
    with torch.no_grad():
        assert float(Pull(model, 1.0, 50.0)(rows).max()) == 0
        assert float(Pull(model, 1.0, 0.0, 50.0)(rows).max()) == 0
        assert float(Pull(model, 1.0, -50.0)(rows).min()) > 0


def test_elements_outside_the_space_are_not_made(space):
    gan = CrystalGan(space, TINY, seed=4)
    mask = space.mask([8, 26, 92], 2)
    rows = gan.rows(gan.noise(40, torch.Generator().manual_seed(0)), mask)
    for item in space.codes(rows):
        assert 1 <= len(item.elements) <= 2
        assert set(item.elements) <= {8, 26}
    with pytest.raises(InputError, match="learned from no crystal"):
        space.mask([92], 1)
    with pytest.raises(InputError, match="too few for 4"):
        space.mask([8], 4)


def test_elements_are_chosen_once_each_by_rising_electronegativity(space):
    gan, noise = CrystalGan(space, TINY, seed=6), torch.randn(60, 8, generator=torch.Generator().manual_seed(1))
    for mask in (None, space.mask([3, 8, 17, 26], 2), space.mask([3, 8, 17, 26], 3)):
        for item, row in zip(space.codes(gan.rows(noise, mask)), gan.rows(noise, mask), strict=True):
            slots = row[space.graph.cell :].view(3, -1)[:, : space.graph.kinds].argmax(dim=1).tolist()
            assert (
                len(item.elements)
                == sum(kind > 0 for kind in slots)
                >= (1 if mask is None else int(not mask[2, 0]) + 2)
            )
            assert sorted(slots, key=lambda kind: kind == 0) == slots  # empty slots come last
            assert list(item.elements) == sorted(item.elements, key=[3, 13, 26, 17, 8].index)


def test_what_is_made_follows_the_elements(space):
    gan, noise = CrystalGan(space, TINY, seed=7), torch.randn(4, 8, generator=torch.Generator().manual_seed(1))
    cells = [gan.rows(noise, space.mask(elements, 2))[:, : space.graph.cell] for elements in ([3, 8], [3, 17])]
    assert bool((cells[0] != cells[1]).all())
    old = replace(TINY, elements_first=False)
    before = CrystalGan(CompactSpace(old, space.state()), old, seed=7)
    cells = [before.rows(noise, space.mask(elements, 2))[:, : space.graph.cell] for elements in ([3, 8], [3, 17])]
    assert torch.equal(*cells)


def test_the_same_seed_trains_the_same_network(space, codes):
    rows = [(gan := CrystalGan(space, TINY, 5), gan.train(space.rows(codes), [], 5, silent))[0] for _ in range(2)]
    made = [gan.rows(gan.noise(3, torch.Generator().manual_seed(0))) for gan in rows]
    assert torch.equal(made[0], made[1])


def test_the_published_networks_have_the_published_shapes_and_train():
    codes = some_codes(12, SITE_CODE, CELL_CODE)
    space = PaperSpace.learned(PAPER, codes)
    rows = space.rows(codes)
    assert rows.shape == (12, 25600)
    assert float(rows.abs().max()) == pytest.approx(1)
    for before, after in zip(codes, space.codes(rows), strict=True):
        assert after.elements == before.elements
        np.testing.assert_allclose(after.sites, before.sites, atol=1e-5)
    model = ConstraintModel(space, "band_gap")
    model.train_on(rows, energies(codes), PAPER, 0, silent)
    gan = CrystalGan(space, PAPER)
    assert np.isfinite(gan.train(rows, [Pull(model, 1.0, -2.0)], 0, silent).history).all()
    made = gan.rows(gan.noise(2, torch.Generator().manual_seed(0))).detach()
    assert made.shape == (2, 25600)
    assert float(made.abs().max()) <= 1
    assert all(set(item.elements) <= {3, 8} for item in space.codes(made, [3, 8]))


def test_full_size_networks_have_the_published_numbers_of_weights():
    space = PaperSpace.learned(replace(PAPER, width=256, latent=800), some_codes(2, SITE_CODE, CELL_CODE))
    count = [sum(p.numel() for p in part.parameters()) / 1e6 for part in (space.generator(), space.discriminator())]
    assert count[0] == pytest.approx(2.81, abs=0.02)
    assert count[1] == pytest.approx(3.94, abs=0.02)
    assert sum(p.numel() for p in space.constraint().parameters()) / 1e6 == pytest.approx(1.38, abs=0.02)


def test_too_little_data_is_refused(space, codes):
    with pytest.raises(InputError, match="needs two crystals"):
        CrystalGan(space, TINY).train(space.rows(codes[:1]), [], 0, silent)
    with pytest.raises(InputError, match="needs 8 labels"):
        ConstraintModel(space, "band_gap").train_on(space.rows(codes[:3]), np.zeros(3), TINY, 0, silent)
    for kind in (CompactSpace, PaperSpace):
        with pytest.raises(InputError, match="No crystal fits"):
            kind.learned(TINY, [])
