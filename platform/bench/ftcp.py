"""FTCP: the representation, what both networks rebuild, and designs for a formation energy.

Published figures of reconstruction and validity are those that CDVAE (Xie et al., ICLR 2022) measured for FTCP on
MP-20; designs are Table 1 of Ren et al. (Matter 5, 314, 2022). Ours are of ternaries of at most 20 sites, 80/10/10, of
which no two parts share a composition or a prototype: choices were made on the second part, figures are of the third.
What a split by composition alone gives, and one at random as published, which leaks, stands beside.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from fermiloop.platform.bench.crystal_data import read_crystals, select
from fermiloop.platform.bench.crystal_scores import Share, row
from fermiloop.platform.bench.ftcp_designs import Relaxing, design_rows
from fermiloop.platform.bench.ftcp_judge import RelaxationJudge
from fermiloop.platform.bench.ftcp_models import leaking_rows, paper_rows, structured_rows, train
from fermiloop.platform.bench.ftcp_moved import moved_rows
from fermiloop.platform.bench.ftcp_reference import reference_images
from fermiloop.platform.bench.potential_data import Hull, elements_of
from fermiloop.platform.bench.space_groups import cache_folder
from fermiloop.platform.bench.splits import (
    APART,
    COMPOSITION,
    PUBLISHED,
    Parts,
    apart,
    by_composition,
    published,
    without,
)
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.potentials import DEFAULT
from fermiloop.platform.representations.crystals import CrystalBatch
from fermiloop.platform.representations.element_bins import element_vectors
from fermiloop.platform.representations.ftcp import FtcpFeaturizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

    from fermiloop.platform.representations.element_bins import Table
    from fermiloop.platform.representations.training import TrainingSet

    Progress = Callable[[str, float], None]

T = TypeVar("T")
SITES: Final = 20
PUBLISHED_VECTORS: Final = "atom_init.json"
FEWEST: Final = 40


@dataclass(frozen=True)
class Size:
    """How much is done.

    Parameters
    ----------
    crystals
        Ternaries taken at most; None for all.
    featurised
        Crystals that representations are timed on.
    epochs
        Of the structured network.
    paper_crystals, paper_epochs
        Of the published network.
    drawn
        Random samples.
    designs
        Designs asked for, for each of the four targets.
    judged
        Crystals that the independent ensemble learns from at most.
    judge_epochs
        Its epochs; None takes its own.
    relaxed
        Designs for each target, and random crystals, that are relaxed; what was relaxed is kept for the next run.
    potential
        That relaxes them.
    """

    crystals: int | None = None
    featurised: int = 1000
    epochs: int = 150
    paper_crystals: int = 1200
    paper_epochs: int = 16
    drawn: int = 500
    designs: int = 500
    judged: int = 5000
    judge_epochs: int | None = None
    relaxed: int = 100
    potential: str = DEFAULT


FULL: Final = Size()
QUICK: Final = Size(150, 60, 3, 40, 2, 20, 6, 150, 4, 3, "analytic")


def run_bench(data: Path | None, quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    """All rows.

    Parameters
    ----------
    data
        File of crystals with labels; element vectors as published are taken from ``atom_init.json`` beside it.
    quick
        Few crystals and epochs: a check, not a figure.
    seed
        Of the training and the draws; the parts are always the same.
    progress
        Told the stage.

    Raises
    ------
    InputError
        If there is no file, or it holds too few ternaries.
    """
    if data is None:
        raise InputError("The bench of ftcp needs crystals with formation energies; give --data.")
    size, began = (QUICK if quick else FULL), time.perf_counter()
    progress("reading", 0.0)
    every, refused = read_crystals(data)
    chosen = select(every, 3, SITES, limit=size.crystals)
    if len(chosen) < FEWEST or "formation_energy_per_atom" not in chosen.labels:
        raise InputError(
            f"{data} holds {len(chosen)} ternaries of at most {SITES} sites with formation energies; "
            f"the bench of ftcp needs {FEWEST}."
        )
    progress("featurisation", 0.02)
    table = published_vectors(data.parent)
    rows = featurisation_rows(chosen.structures[: size.featurised], table)
    rows.append(round_trip_row(chosen, size.featurised, seed))
    data_of, others = divided(every, chosen, size, seed)
    learned, validation, test = data_of
    began_training = time.process_time()
    generator = train("structured", {"epochs": size.epochs}, learned, seed, _within(progress, 0.05, 0.4))
    seconds = time.process_time() - began_training
    progress("reconstruction", 0.4)
    rows += structured_rows(generator, learned, test, size.drawn, seed, seconds)
    rows += moved_rows(generator, test, seed)
    progress("designs", 0.45)
    labels = every.labels["formation_energy_per_atom"]
    elements = elements_of(data, every.structures, labels.tolist())
    judge = RelaxationJudge(size.potential, elements, None if quick else cache_folder() / "ftcp-relaxed.jsonl")
    hull = Hull(every.structures, labels)
    relaxing = Relaxing(judge, hull, size.relaxed, lambda what, share: progress(what, 0.45 + 0.1 * share))
    rows += design_rows(generator, learned, others, size.designs, size.judge_epochs, relaxing, seed)
    progress("published network", 0.55)
    few = learned.subset(range(min(size.paper_crystals, len(learned))))
    rows += paper_rows({"epochs": size.paper_epochs}, few, test, seed, _within(progress, 0.55, 0.65))
    rows += _leaking(chosen, {"epochs": size.epochs}, size.drawn, seed, _within(progress, 0.65, 0.99))
    progress("done", 1.0)
    return {
        "rows": rows,
        "data": {
            "file": data.name,
            "n": len(chosen),
            "refused": len(refused),
            "train": len(learned),
            "validation": len(validation),
            "test": len(test),
            "in no part": len(chosen) - sum(map(len, data_of)),
            "element_vectors": "published" if table else "own",
        },
        "settings": {"quick": quick, "seed": seed, "split": APART, **vars(size)},
        "seconds": round(time.perf_counter() - began, 1),
    }


def _leaking(
    chosen: TrainingSet, options: dict[str, Any], drawn: int, seed: int, progress: Progress
) -> list[dict[str, Any]]:
    """What the same network reaches by composition alone, and at random as published: one part in ten is tested."""
    rows = published(len(chosen))
    splits = {COMPOSITION: by_composition(chosen, 10)[0], PUBLISHED: (rows[0], rows[2])}
    found = []
    for place, (split, (train_rows, test_rows)) in enumerate(splits.items()):
        learned, test = chosen.subset(train_rows.tolist()), chosen.subset(test_rows.tolist())
        told = _within(progress, place / len(splits), (place + 1) / len(splits))
        found += leaking_rows(split, options, learned, test, drawn, seed, told)
    return found


def divided(
    every: TrainingSet, chosen: TrainingSet, size: Size, seed: int
) -> tuple[tuple[TrainingSet, ...], TrainingSet]:
    """What the network learns from, its validation and its test; and crystals that its judge may learn from.

    These have a formation energy and share neither a composition nor a prototype with what the network has learned,
    from which the judge's error is measured and designs start.
    """
    parts = tuple(chosen.subset(part.tolist()) for part in apart(chosen))
    labelled = np.flatnonzero(np.isfinite(every.labels["formation_energy_per_atom"]))
    others = without(every.subset(labelled.tolist()), parts[0])
    rows = np.random.default_rng(seed).permutation(len(others))[: size.judged]
    return parts, others.subset(np.sort(rows).tolist())


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:
    """What figures of held-out crystals are learned from and measured on."""
    size = QUICK if quick else FULL
    (learned, validation, test), others = divided(crystals, select(crystals, 3, SITES, limit=size.crystals), size, seed)
    return [
        Parts("reconstruction", learned, test),
        Parts("choices", learned, validation),
        Parts("test after choices", validation, test),
        Parts("judge of designs", others, learned),
    ]


def featurisation_rows(structures: Sequence[Structure], table: Table | None) -> list[dict[str, Any]]:
    """The vectorised images against the loops, on the same crystals in one process."""
    featurizer, vectors = FtcpFeaturizer(max_sites=SITES, table=table), element_vectors(table)
    featurizer.transform(CrystalBatch.from_structures(structures[:2]))  # tables of k points are made once
    loops, expected = _timed(lambda: reference_images(structures, vectors, max_sites=SITES))
    reading, batch = _timed(lambda: CrystalBatch.from_structures(structures, SITES))
    vectorised, found = _timed(lambda: featurizer.transform(batch))
    difference = float(np.abs(found - expected).max())
    n = len(structures)
    return [
        row("featurisation, times as fast as the loops", loops / vectorised, baseline=1, n=n, seconds=vectorised,
            note=f"loops {loops:.2f} s; arrays in, float64 images out"),
        row("the same, conversion from pymatgen included", loops / (vectorised + reading), baseline=1, n=n,
            seconds=vectorised + reading, note="the loops read pymatgen crystals too"),
        row("largest difference from the loops", difference, n=n, note="of values up to hundreds"),
    ]  # fmt: skip


def round_trip_row(data: TrainingSet, n: int, seed: int) -> dict[str, Any]:
    """Images and back: crystals with hydrogen first, empty sites strewn in between."""
    first = sorted(range(len(data)), key=lambda i: 1 not in data.structures[i].atomic_numbers)[:n]
    batch = with_gaps([data.structures[i] for i in first], SITES + 4, np.random.default_rng(seed))
    featurizer = FtcpFeaturizer(max_sites=SITES + 4)
    seconds, back = _timed(lambda: featurizer.inverse(featurizer.transform(batch)))
    names = ("numbers", "frac", "lengths", "angles")
    equal = [(getattr(back, k) == getattr(batch, k)).reshape(len(batch), -1).all(axis=1) for k in names]
    same = np.logical_and.reduce(equal).tolist()
    hydrogen = int((batch.numbers == 1).any(axis=1).sum())
    note = f"every number equal; {hydrogen} with hydrogen, all with empty sites in between"
    return row("round trip exact", Share.of(same), seconds=seconds, note=note)


def with_gaps(structures: Sequence[Structure], sites: int, rng: np.random.Generator) -> CrystalBatch:
    """Crystals whose sites are strewn over `sites` places in their order, empty ones between them."""
    packed = CrystalBatch.from_structures(structures, sites)
    numbers, frac = np.zeros_like(packed.numbers), np.zeros_like(packed.frac)
    for i, n in enumerate(packed.n_sites):
        places = np.sort(rng.choice(sites, n, replace=False))
        numbers[i, places], frac[i, places] = packed.numbers[i, :n], packed.frac[i, :n]
    return CrystalBatch(numbers, frac, packed.lengths, packed.angles)


def published_vectors(folder: Path) -> Table | None:
    """CGCNN's element vectors, where the file lies in the folder."""
    path = folder / PUBLISHED_VECTORS
    if not path.exists():
        return None
    return {int(number): values for number, values in json.loads(path.read_text(encoding="utf-8")).items()}


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """Processor seconds, the least of three, and the result."""
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    return float(best), result


def _within(progress: Progress, start: float, end: float) -> Progress:
    return lambda what, share: progress(what, start + (end - start) * share)
