"""Held-out compounds found again by iMatGen, beside what the simplest methods find.

Noh et al. (Matter 1, 1370, 2019) hold 31 V-O crystals out, sample 30 points at a distance of 0.001 around the code of
each, relax by DFT what they decode to, and find 25 again. Here a potential relaxes. Since each crystal was encoded,
that tests the representation; the two methods beside it get the composition and the number of atoms alone: random
symmetric crystals, and the known compound of the same amounts with the most similar elements. All three are relaxed in
the same way and compared with the crystal of the file. V-O are few, so other compounds are written as V-O, decoded and
written back. Nothing learned from shares a composition or a prototype with any of them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from fermiloop.platform.bench import imatgen_funnel
from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.imatgen import loose_matcher
from fermiloop.platform.bench.imatgen_images import row
from fermiloop.platform.bench.imatgen_targets import (
    GROUPS,
    nearest_substituted,
    random_crystal,
    seek,
    volume_by_rule,
)
from fermiloop.platform.bench.potential_answers import Answers
from fermiloop.platform.bench.splits import APART, Parts
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import fault
from fermiloop.platform.generators.imatgen.generator import Imatgen
from fermiloop.platform.generators.imatgen.latent import around
from fermiloop.platform.generators.imatgen.options import ImatgenOptions
from fermiloop.platform.generators.imatgen.rediscovery import RADIUS, SAMPLES, matches
from fermiloop.platform.generators.imatgen.symmetry import idealised
from fermiloop.platform.plugins.potentials import DEFAULT, potential
from fermiloop.platform.predictors.potential.relaxing import relax

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fermiloop.platform.bench.imatgen_targets import Sought
    from fermiloop.platform.predictors.potential.protocol import CheapPotential
    from fermiloop.platform.representations.training import TrainingSet

    Progress = Callable[[str, float], None]
    Found = dict[tuple[str, str], dict[str, Any]]

PUBLISHED: Final = 25 / 31
PER_GROUP: Final = 12
CANDIDATES: Final = 1
"""Crystals of one compound that are relaxed, of each method."""
THRESHOLDS: Final = (0.3, 0.2, 0.4)
"""Least heights of a peak that the samples are read by in turn: images of neighbouring points are nearly the same."""
FMAX: Final = 0.1  # eV/Å, as the funnel relaxes
STEPS: Final = 50
OURS: Final = "around the code"
RANDOM: Final = "random symmetric crystals"
SUBSTITUTED: Final = "substitution into the nearest known compound"
METHODS: Final = (OURS, RANDOM, SUBSTITUTED)
MODEL: Final = ImatgenOptions(elements="V-O", potential="none")
"""The defaults, but for the labels of stability: nothing is classified here."""
QUICK: Final = replace(
    MODEL, grid=16, channels=4, code=64, latent=64, hidden=64, epochs=2, generator_epochs=4, max_images=20
)


@dataclass(frozen=True)
class RediscoveryOptions:
    """What is looked for and how.

    Parameters
    ----------
    data
        Crystals of the Materials Project, V-O among them.
    per_group
        Compounds of each group at most.
    potential
        Relaxes.
    seed
        Of everything random.
    resume
        File of what has been done; the trained model lies beside it. None keeps nothing.
    model
        How the generator is built and trained.
    samples
        Points around a code.
    funnel
        Latent points that are sampled of each kind by `imatgen_funnel`; 0 for none, 10,000 for all of the paper.
    """

    data: Path
    per_group: int = PER_GROUP
    potential: str = DEFAULT
    seed: int = 0
    resume: Path | None = None
    model: ImatgenOptions = MODEL
    samples: int = SAMPLES
    funnel: int = 0


def run_bench(data: Path | None, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """Rows of the table; see the module.

    Raises
    ------
    InputError
        If there is no file, or it does not suit.
    """
    if data is None:
        raise InputError("The rediscovery bench needs a file of crystals of two elements; give it with --data.")
    if quick:
        return run(RediscoveryOptions(data, 3, "analytic", seed, None, QUICK, 3), progress)
    return run(RediscoveryOptions(data, seed=seed), progress)


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:
    """What is learned from and what is looked for."""
    train, asked, _ = seek(crystals, 3 if quick else PER_GROUP, seed)
    return [Parts("rediscovery", train, asked)]


def run(options: RediscoveryOptions, progress: Progress) -> dict[str, Any]:
    """Train or load the model, look for each compound by each method, and count."""
    began = time.perf_counter()
    crystals, refused = read_crystals(options.data)
    train, _, sought = seek(crystals, options.per_group, options.seed)
    model, answers = trained(options, train, progress), Answers(options.resume)
    look = Looking(model, train.structures, options, potential(options.potential).build())
    rows = rows_of(sought, looked(look, sought, answers, progress), options.potential)
    if options.funnel:
        rows += funnel_rows(look, crystals, answers, progress)
    return {
        "rows": rows,
        "data": {
            "file": options.data.name, "refused": len(refused), "learned_from": len(train),
            "sought": [f"{one.structure.composition.reduced_formula} ({one.id})" for one in sought],
        },
        "settings": {"seed": options.seed, "split": APART, "potential": options.potential, **asdict(options.model)},
        "seconds": time.perf_counter() - began,
    }  # fmt: skip


def looked(look: Looking, sought: Sequence[Sought], answers: Answers, progress: Progress) -> Found:
    """What came of each compound by each method, as it is kept."""
    key, found = f"{digest(look.options)}/{look.options.potential}", {}
    for place, one in enumerate(sought):
        for kind, candidates in ((OURS, look.decoded), (RANDOM, look.random), (SUBSTITUTED, look.substituted)):
            kept = answers.get(key, kind, one.id)
            if kept is None:
                kept = {"model": key, "kind": kind, "id": one.id, **look.judged(one, candidates(one))}
                answers.put([kept])
            found[kind, one.id] = kept
        progress("rediscovery", (place + 1) / len(sought))
    return found


def funnel_rows(look: Looking, crystals: TrainingSet, answers: Answers, progress: Progress) -> list[dict[str, Any]]:
    """New compositions among as many latent points as the options say."""
    options, relaxer = look.options, look.potential
    key = f"{digest(options)}/{options.potential}/{options.funnel}"
    latent = imatgen_funnel.points(look.model, options.seed, options.funnel)
    blocks = imatgen_funnel.sampled(look.model, latent, answers, key, progress)
    hull = imatgen_funnel.VanadiumHull(relaxer, options.data, crystals)
    relaxed = imatgen_funnel.judged(blocks, relaxer, hull, answers, key, progress)
    return imatgen_funnel.rows_of(blocks, relaxed, hull.formulas, options.potential)


def trained(options: RediscoveryOptions, train: TrainingSet, progress: Progress) -> Imatgen:
    """The model, trained, or loaded where it lies beside the file of what has been done."""
    if options.resume is None:
        model = Imatgen(None, options.model)
        model.fit(train, options.seed, progress)
        return model
    folder = options.resume.with_name(f"{options.resume.stem}-{digest(options)}")
    if (folder / "config.json").exists():
        return Imatgen.load(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = Imatgen(None, options.model)
    model.fit(train, options.seed, progress, folder / "training")
    model.save(folder)
    return model


def digest(options: RediscoveryOptions) -> str:
    """Of all that a trained model depends on but the code."""
    told = [options.data.name, options.per_group, options.seed, options.samples, asdict(options.model)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


class Looking:
    """Proposes crystals for compounds by each method, and relaxes them.

    Parameters
    ----------
    model
        Trained.
    known
        Crystals that it was trained on.
    options
        Samples and seed.
    potential
        Relaxes.
    """

    def __init__(
        self, model: Imatgen, known: Sequence[Structure], options: RediscoveryOptions, potential: CheapPotential
    ) -> None:
        self.model, self.known, self.options, self.potential = model, known, options, potential

    def decoded(self, sought: Sought) -> list[Structure]:
        """What points around the code show: crystals of the compound's formula, the most frequent ones first."""
        pair, volumes = self.model.pair, self.model.volumes
        code = self.model.latent([sought.as_pair(pair, volumes)])[0]
        points = around(code, self.options.samples, self._random(sought), RADIUS)
        formula, made = sought.structure.composition.reduced_formula, []
        samples = [
            sample
            for place, threshold in enumerate(THRESHOLDS)
            for sample in self.model.decoded(points[place :: len(THRESHOLDS)], threshold)
        ]
        for sample in samples:
            if isinstance(sample, str):
                continue
            crystal = sought.back(sample, pair, volumes)
            if crystal.composition.reduced_formula == formula and fault(crystal) is None:
                made.append(crystal)
        return [idealised(one) for one in most_frequent(made)[:CANDIDATES]]

    def random(self, sought: Sought) -> list[Structure]:
        """Random symmetric crystals of the compound's atoms."""
        rng, volume = self._random(sought), volume_by_rule(sought.structure, self.model.volumes)
        return [random_crystal(sought.structure, rng, volume) for _ in range(CANDIDATES)]

    def substituted(self, sought: Sought) -> list[Structure]:
        """The nearest known compound with the elements put into it; none where no other has these amounts."""
        made = nearest_substituted(sought, self.known, self.model.volumes)
        return [] if made is None else [made]

    def judged(self, sought: Sought, candidates: Sequence[Structure]) -> dict[str, Any]:
        """Whether one of the candidates is the compound: as proposed, relaxed, and relaxed by pymatgen's tolerances."""
        loose, strict = loose_matcher(), StructureMatcher()
        found: dict[str, Any] = {"candidates": len(candidates), "given": False, "relaxed": False, "strict": False}
        steps, seconds = 0, 0.0
        for one in candidates:
            found["given"] |= matches(one, sought.structure, loose)
            done = relax(self.potential, one, FMAX, STEPS, keep_symmetry=False)
            steps, seconds = steps + done.steps, seconds + done.core_seconds
            if done.fault is None:
                found["relaxed"] |= matches(done.structure, sought.structure, loose)
                found["strict"] |= matches(done.structure, sought.structure, strict)
        return found | {"group": sought.group, "sites": len(sought.structure), "steps": steps, "seconds": seconds}

    def _random(self, sought: Sought) -> np.random.Generator:
        return np.random.default_rng([self.options.seed, *map(ord, sought.id)])


def most_frequent(crystals: Sequence[Structure]) -> list[Structure]:
    """One crystal of each group of those that match, the largest group first."""
    matcher, kept, count = StructureMatcher(), list[Structure](), Counter[int]()
    for crystal in crystals:
        place = next((i for i, one in enumerate(kept) if matcher.fit(one, crystal)), len(kept))
        if place == len(kept):
            kept.append(crystal)
        count[place] += 1
    return [kept[i] for i, _ in count.most_common()]


def rows_of(sought: Sequence[Sought], found: Found, relaxer: str) -> list[dict[str, Any]]:
    """Shares found, by method and group."""
    rows = []
    for kind in METHODS:
        for group in (None, *GROUPS):
            told = [found[kind, one.id] for one in sought if group in (None, one.group)]
            chance = [found[RANDOM, one.id] for one in sought if group in (None, one.group)]
            if not told:
                continue
            counts = {key: sum(bool(one[key]) for one in told) for key in ("candidates", "given", "relaxed", "strict")}
            rows.append(
                row(
                    f"{kind}, relaxed by {relaxer}: {group or 'all'} found again",
                    PUBLISHED if kind == OURS and group in (None, GROUPS[0]) else None,
                    counts["relaxed"],
                    n=len(told),
                    baseline=sum(bool(one["relaxed"]) for one in chance) / len(chance),
                    seconds=float(sum(one["seconds"] for one in told)),
                    note=f"of the right formula {counts['candidates']}; as proposed {counts['given']}; by pymatgen's "
                    f"tolerances {counts['strict']}; baseline: random, relaxed",
                )
            )
    return rows
