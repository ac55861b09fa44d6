"""The contract of every generator: a new entry of the registry gets all of these tests."""

import json

import numpy as np
import pytest

from fermiloop.platform.errors import FermiloopError, InputError, NotFoundError
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.plugins.generators import GENERATORS, generator
from fermiloop.platform.representations.composition import formula_of, row_of

ALL = ("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic")
SPACE = Space(("Al", "Ti", "Ni", "Cu", "Pd", "Pt"), (1, 2), ALL, 20)
# draws of the others may show no possible crystal, which is counted with the reason
SURE = {"dos_composer", "substitution", "prototype_enumeration", "random_pick"}
# a pool draws nothing and learns nothing: its tests are in test_pool
KINDS = [
    (name, preset) for name, entry in GENERATORS.items() if name != "pool" for preset in (entry.presets or (None,))
]
LONG = {"imatgen", "ccdcgan"}  # seconds of training, even of very little
every_generator = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.slow if kind[0] in LONG else ()) for kind in KINDS],
    ids=lambda kind: "-".join(map(str, kind)),
)


@pytest.fixture(scope="module")
def build(quick_options):
    def of(kind):
        name, preset = kind
        return GENERATORS[name].build(preset, quick_options.get(kind, {}))

    return of


def target_of(data, row=0, exclude=()):
    return Target(data.grid, data.grid.normalise(data.curves[row]), exclude_formulas=exclude)


def window_of(data, exclude=()):
    energy = float(np.median(data.labels["formation_energy_per_atom"]))
    windows = (PropertyWindow("formation_energy_per_atom", energy, 0.1),)
    return Target(windows=windows, exclude_formulas=exclude)


def told(proposals):
    return [(p.structure.as_dict(), p.score, p.probability, dict(p.detail)) for p in proposals]


@pytest.fixture(scope="module")
def trained(build, dos_library):
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = build(kind)
            made[kind].told = []
            made[kind].fit(dos_library, 3, lambda stage, share: made[kind].told.append((stage, share)))
        return made[kind]

    return of


@every_generator
def test_same_seed_same_samples_and_another_seed_others(kind, trained, dos_library):
    generator, target = trained(kind), target_of(dos_library)
    drawn = [(generator.sample(target, SPACE, 6, np.random.default_rng(s)), generator.failures) for s in (5, 5, 6)]
    (first, failed), (again, failed_again), (other, _) = drawn
    assert told(first) == told(again)
    assert failed == failed_again
    assert len(first) <= 6
    if first or kind[0] in SURE:
        assert [p.structure for p in first] != [p.structure for p in other]
    else:
        assert sum(failed.values()) > 0


@every_generator
def test_saved_and_loaded_samples_the_same(kind, trained, dos_library, tmp_path):
    made, target = trained(kind), target_of(dos_library)
    made.save(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"weights.safetensors", "config.json"}
    loaded = generator(kind[0]).load_trained(tmp_path)
    samples = [g.sample(target, SPACE, 5, np.random.default_rng(1)) for g in (made, loaded)]
    assert [p.structure for p in samples[0]] == [p.structure for p in samples[1]]
    np.testing.assert_allclose(*[[p.score for p in part] for part in samples], rtol=1e-5)


@every_generator
def test_samples_are_crystals_inside_the_space_best_first(kind, trained, dos_library):
    excluded = dos_library.structures[0].composition.reduced_formula
    space = Space(("Al", "Ni", "Pt"), (1, 2), ("cubic",), 2)
    generator = trained(kind)
    proposals = generator.sample(target_of(dos_library, 0, (excluded,)), space, 20, np.random.default_rng(2))
    assert proposals or (kind[0] not in SURE and sum(generator.failures.values()) > 0)
    scores = [p.score for p in proposals]
    assert scores == sorted(scores, reverse=True)
    for p in proposals:
        assert {e.symbol for e in p.structure.composition.elements} <= set(space.elements)
        assert formula_of(row_of(p.structure.composition)) != excluded
        assert len(p.structure) <= space.max_sites
        assert p.structure.is_valid(tol=1.0)
        assert 3 < p.structure.volume / len(p.structure) < 100
        assert p.probability is None or 0 <= p.probability <= 1
        assert json.dumps(p.detail)


@every_generator
def test_no_room_gives_no_samples(kind, trained, dos_library):
    assert trained(kind).sample(target_of(dos_library), Space(("Al",), (2, 2)), 5, np.random.default_rng(0)) == []


@every_generator
def test_empty_data_is_refused(kind, build, dos_library):
    with pytest.raises(InputError):
        build(kind).fit(dos_library.subset([]), 0, lambda stage, share: None)


@every_generator
@pytest.mark.parametrize("rows", [[0], [0, 6], [0] * 12], ids=["one", "one-element", "repeated"])
def test_tiny_data_works_or_says_why_not(kind, build, rows, dos_library):
    data, generator = dos_library.subset(rows), build(kind)
    try:
        generator.fit(data, 0, lambda stage, share: None)
    except FermiloopError as error:
        assert str(error).endswith("."), error  # noqa: PT017 - either outcome is right
    else:
        for proposal in generator.sample(target_of(data), SPACE, 3, np.random.default_rng(0)):
            assert proposal.structure.is_valid()


class Stopped(Exception):  # noqa: N818 - no error of ours
    pass


@every_generator
def test_cancelled_training_goes_on_and_ends_the_same(kind, build, trained, dos_library, tmp_path):
    left = 2

    def stop(stage, share):
        nonlocal left
        left -= 1
        if left == 0:
            raise Stopped

    generator = build(kind)
    try:
        generator.fit(dos_library, 3, stop, tmp_path)
    except Stopped:
        generator = build(kind)
        generator.fit(dos_library, 3, lambda stage, share: None, tmp_path)
    else:
        assert left > 0  # it was done before it could be stopped
    target = target_of(dos_library)
    samples = [g.sample(target, SPACE, 4, np.random.default_rng(0)) for g in (trained(kind), generator)]
    assert told(samples[0]) == told(samples[1])


@every_generator
def test_progress_is_told_in_shares_that_end_at_one(kind, trained):
    shares = trained(kind).told
    assert shares
    assert all(isinstance(stage, str) and stage and 0 <= share <= 1 for stage, share in shares)
    assert shares[-1][1] == 1


@every_generator
def test_property_windows_alone_are_enough_where_no_curve_is_needed(kind, trained, dos_library):
    generator = trained(kind)
    target = window_of(dos_library)
    if GENERATORS[kind[0]].needs_curve:
        with pytest.raises(InputError, match="target"):
            generator.sample(target, SPACE, 3, np.random.default_rng(0))
        return
    proposals = generator.sample(target, SPACE, 3, np.random.default_rng(0))
    assert proposals or sum(generator.failures.values()) > 0
    assert told(proposals) == told(generator.sample(target, SPACE, 3, np.random.default_rng(0)))


@every_generator
def test_untrained_is_refused(kind, build, dos_library):
    with pytest.raises(InputError, match="fit"):
        build(kind).sample(target_of(dos_library), SPACE, 1, np.random.default_rng(0))


@every_generator
@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
@pytest.mark.parametrize("content", [None, b"", b"\x00garbage", b"{}"])
def test_broken_files_are_refused(kind, name, content, trained, tmp_path):
    trained(kind).save(tmp_path)
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError):
        generator(kind[0]).load_trained(tmp_path)


@pytest.mark.parametrize("name", ["dos_composer", "substitution", "genetic"])
def test_curves_with_nan_and_targets_without_a_curve_are_refused(build, name, trained, dos_library):
    curves = dos_library.curves.copy()
    curves[3, 5] = np.nan
    broken = type(dos_library)(
        dos_library.ids, dos_library.structures, dos_library.crystal_systems, dos_library.prototypes,
        dos_library.grid, curves,
    )  # fmt: skip
    kind = next(kind for kind in KINDS if kind[0] == name)
    with pytest.raises(InputError, match="NaN"):
        build(kind).fit(broken, 0, lambda stage, share: None)
    with pytest.raises(InputError, match="target"):
        trained(kind).sample(Target(), SPACE, 1, np.random.default_rng(0))


def test_unknown_names_presets_and_options_are_told(tmp_path):
    with pytest.raises(NotFoundError, match="dos_composer"):
        generator("dos_composr")
    with pytest.raises(InputError, match="paper, factorised"):
        GENERATORS["dos_composer"].build("fast", {})
    with pytest.raises(InputError, match="none"):
        GENERATORS["substitution"].build("paper", {})
    with pytest.raises(InputError, match="epochs"):
        GENERATORS["dos_composer"].build(None, {"epoch": 3})
    with pytest.raises(InputError, match="chgnet"):
        GENERATORS["random_pick"].build(None, {"potential": "vasp"})
