"""The contract of every generator: a new declaration gets all of these tests; and what breaks it is told."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.generators.protocol import FitReport, Proposal, Space, Target, TrainingSet
from fermiloop.platform.plugins.generators import GENERATORS, generator
from fermiloop.platform.testing import check_generator
from fermiloop.platform.testing.generators import CHECKS, GeneratorCase

ALL = ("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic")
SPACE = Space(("Al", "Ti", "Ni", "Cu", "Pd", "Pt"), (1, 2), ALL, 20)
NARROW = Space(("Al", "Ni", "Pt"), (1, 2), ("cubic",), 2)
# draws of the others may show no possible crystal, which is counted with the reason
SURE = {"dos_composer", "substitution", "prototype_enumeration", "random_pick"}
# a pool draws nothing and learns nothing: its tests are in test_pool
KINDS = [
    (name, preset)
    for name, entry in GENERATORS.items()
    if name != "pool"
    for preset in dict.fromkeys((*entry.presets, entry.default_preset))
]
LONG = {"imatgen", "ccdcgan"}  # seconds of training, even of very little
every_generator = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.slow if kind[0] in LONG else ()) for kind in KINDS],
    ids=lambda kind: "-".join(map(str, kind)),
)


def target_of(data, row=0, exclude=()):
    return Target(data.grid, data.grid.normalise(data.curves[row]), exclude_formulas=exclude)


@pytest.fixture(scope="module")
def build(quick_options):
    def of(kind):
        name, preset = kind
        return GENERATORS[name].build(preset, quick_options.get(kind, {}))

    return of


@pytest.fixture(scope="module")
def case_of(build, dos_library):
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = GeneratorCase(
                lambda: build(kind),
                dos_library,
                target_of(dos_library),
                SPACE,
                sure=kind[0] in SURE,
                needs_curve=GENERATORS[kind[0]].needs_curve,
            )
        return made[kind]

    return of


@every_generator
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_ours_keep_the_contract(kind, check, case_of):
    check(case_of(kind))


@every_generator
def test_crystals_lie_inside_a_narrow_space(kind, case_of):
    case = case_of(kind)
    narrow = GeneratorCase(case.make, case.data, case.target, NARROW, sure=case.sure)
    narrow.__dict__["trained"] = case.trained  # trained once
    CHECKS[2](narrow)


@pytest.mark.parametrize("name", ["dos_composer", "substitution", "genetic"])
def test_curves_with_nan_and_targets_without_a_curve_are_refused(build, name, case_of, dos_library):
    curves = dos_library.curves.copy()
    curves[3, 5] = np.nan
    broken = replace(dos_library, curves=curves, labels={})
    kind = next(kind for kind in KINDS if kind[0] == name)
    with pytest.raises(InputError, match="NaN"):
        build(kind).fit(broken, 0, lambda stage, share: None)
    with pytest.raises(InputError, match="target"):
        case_of(kind).trained.sample(Target(), SPACE, 1, np.random.default_rng(0))


def test_unknown_names_presets_and_options_are_told():
    with pytest.raises(NotFoundError, match="dos_composer"):
        generator("dos_composr")
    with pytest.raises(InputError, match="paper, regression, factorised"):
        GENERATORS["dos_composer"].build("fast", {})
    with pytest.raises(InputError, match="none"):
        GENERATORS["substitution"].build("paper", {})
    with pytest.raises(InputError, match="epochs"):
        GENERATORS["dos_composer"].build(None, {"epoch": 3})
    with pytest.raises(InputError, match="chgnet"):
        GENERATORS["random_pick"].build(None, {"potential": "vasp"})


class Scaled:
    """Proposes known crystals at random, a little larger; keeps the contract unless a test breaks it."""

    name = "scaled"

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.known: list[Any] | None = None

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        if not len(data):
            raise InputError("scaled needs at least one crystal; the training set is empty.")
        progress("scaled", 1.0)
        self.known = list(data.structures)
        return FitReport({}, (), len(data), 0, 0, 0.0)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        if self.known is None:
            raise InputError("scaled was not trained; fit or load it first.")
        fits = [one for one in self.known if self.fits(one, target, space)]
        made = [Proposal(fits[i].copy(), float(rng.random())) for i in rng.permutation(len(fits))[:n]]
        for one in made:
            one.structure.scale_lattice(1.05 * one.structure.volume)
        return sorted(made, key=lambda one: -one.score)

    def fits(self, one: Any, target: Target, space: Space) -> bool:
        low, high = space.n_components
        return (
            low <= len(one.composition) <= high
            and {e.symbol for e in one.composition.elements} <= set(space.elements)
            and one.composition.reduced_formula not in target.exclude_formulas
            and len(one) <= space.max_sites
        )

    def save(self, folder: Path) -> None:
        (folder / "config.json").write_text(json.dumps([one.as_dict() for one in self.known or ()]))
        (folder / "weights.safetensors").write_bytes(b"none")

    @classmethod
    def load(cls, folder: Path) -> Scaled:
        from pymatgen.core import Structure

        made = cls()
        try:
            made.known = [Structure.from_dict(one) for one in json.loads((folder / "config.json").read_text())]
            if (folder / "weights.safetensors").read_bytes() != b"none":
                raise ValueError("other weights")  # noqa: TRY301
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder} holds no model of scaled: {error}.") from None
        if not made.known:
            raise InputError(f"{folder} holds no crystals; train it again.")
        return made


class Forgetful(Scaled):
    def fit(self, data, seed, progress, resume=None):
        found = super().fit(data, seed, progress, resume)
        if resume is not None:
            self.known = self.known[:1]
        return found


class Careless(Scaled):
    def fits(self, one, target, space):
        return {e.symbol for e in one.composition.elements} <= set(space.elements)


class Chatty(Scaled):
    def save(self, folder):
        super().save(folder)
        (folder / "notes.txt").write_text("x")


class Rough(Scaled):
    def sample(self, target, space, n, rng):
        assert self.known is not None
        return super().sample(target, space, n, rng)


class Unseeded(Scaled):
    seeds = itertools.count()

    def sample(self, target, space, n, rng):
        return super().sample(target, space, n, np.random.default_rng(next(self.seeds)))


class Endless(Scaled):
    def fit(self, data, seed, progress, resume=None):
        return super().fit(data, seed, lambda what, share: progress(what, 0.5), resume)


class Stubborn(Scaled):
    def fit(self, data, seed, progress, resume=None):
        for share in (0.5, 0.7):
            with contextlib.suppress(Exception):  # the fault that is tested
                progress("scaled", share)
        return super().fit(data, seed, progress, resume)


class Worst(Scaled):
    def sample(self, target, space, n, rng):
        return super().sample(target, space, n, rng)[::-1]


def test_one_of_a_group_keeps_it(dos_library):
    check_generator(Scaled, dos_library, target_of(dos_library), SPACE)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Forgetful, "cancelled and went on must end as one that ran through"),
        (Careless, "is excluded by the target, and was proposed"),
        (Chatty, "save must write config.json and weights.safetensors, not config.json, notes.txt"),
        (Rough, "Sampling before fit must be refused by an InputError, not by AssertionError"),
        (Unseeded, "The same seed must give the same proposals"),
        (Endless, "The last share that progress is told must be 1"),
        (Stubborn, "must end the training, and was swallowed"),
        (Worst, "Proposals must come best first"),
    ],
)
def test_what_breaks_it_is_told_in_a_sentence(kind, said, dos_library):
    with pytest.raises(AssertionError, match=said):
        check_generator(kind, dos_library, target_of(dos_library), SPACE)
