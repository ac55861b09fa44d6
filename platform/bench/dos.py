"""How well a composition is read from a density of states: the paper's figures, ours beside them.

The paper tests on 100 patterns drawn at random from its database (composition among the top five in 98, Bang et al.,
2024) and does not say that they were held out. Here every model is tested four ways: in-sample, held out at random,
held out by composition, where no curve of a test composition was seen, and by composition and prototype, where none of
its prototype was seen either. Held-out figures are from k-fold cross-validation, each sample tested once, with 95 %
Wilson intervals. These rows are of unaries and binaries; those of ternaries, where the library has some, come last
(`ternaries`). Before them stand the paper's own baselines (`dos_vectors`), what the element vectors show
(`element_map`) and, where a file with gaps is given, the class of the gap (`dos_gaps`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from fermiloop.platform.bench import dos_sizes
from fermiloop.platform.bench.baselines import NearestNeighbour, RandomRows
from fermiloop.platform.bench.dos_gaps import gap_rows
from fermiloop.platform.bench.dos_vectors import system_rows, vector_rows
from fermiloop.platform.bench.element_map import draw, map_rows
from fermiloop.platform.bench.library import read_libraries, read_library
from fermiloop.platform.bench.scores import Answers, row_of_answers
from fermiloop.platform.bench.splits import APART, Parts, folds_apart
from fermiloop.platform.bench.ternaries import read_ternaries, ternary_rows
from fermiloop.platform.bench.ternary_proposals import proposal_rows
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.factorised import FactorisedModel, FactorisedOptions
from fermiloop.platform.generators.heads import HeadsOptions
from fermiloop.platform.generators.regression import BETTER, RegressionModel, RegressionOptions
from fermiloop.platform.generators.samples import Samples, fold_numbers, is_learnable, samples_of
from fermiloop.platform.representations.composition import row_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet

    Rows = NDArray[np.int64]
    Model = RegressionModel | FactorisedModel | NearestNeighbour | RandomRows

SPLITS: Final = ("in-sample", "held-out random", "held-out composition", f"held-out {APART}")
FOLDS: Final = 5
LEARNING: Final = ("factorised", "paper")
"""Models whose learning curve is drawn; the baselines cannot name a composition that they have not seen."""
PICTURES: Final = (".svg", ".png", ".pdf")
QUICK_EPOCHS: Final = 10
QUICK_HEADS: Final = 2
QUICK_VECTORS: Final = 150


def run_bench(
    data: Path | Sequence[Path], quick: bool, seed: int, progress: Callable[[str, float], None]
) -> dict[str, Any]:
    """Rows of the table, of one library.

    Parameters
    ----------
    data
        Library of densities of states, or the files that it consists of.
    quick
        Few epochs and two folds: a check, not a figure.
    seed
        Of the folds and the trainings.

    Raises
    ------
    InputError
        If the file cannot be read or holds too little.
    """
    paths = data if isinstance(data, Sequence) else [data]
    records, refused = read_libraries(paths)
    result = run(records, quick=quick, seed=seed, progress=progress)
    return {"rows": result["rows"], "data": {"library": _names(paths), "refused": refused} | result["data"]}


def run_libraries(
    seed_library: Sequence[Path],
    library: Path | None,
    test: Path | None,
    quick: bool,
    progress: Callable[[str, float], None],
    gaps: Path | None = None,
) -> dict[str, Any]:
    """Rows of the table, from files.

    Parameters
    ----------
    seed_library
        Files of the library that is shipped, learned from unless `library` is given.
    library
        Train and test on this library instead.
    test
        Test on this library what was learned from the other one; compositions that the other one
        holds are left out.
    quick
        Few epochs and two folds: a check, not a figure.
    gaps
        Crystals with band gaps, whose class is predicted from the vectors.

    Raises
    ------
    InputError
        If a file cannot be read or holds too little.
    """
    paths = [library] if library else seed_library
    data, refused = read_libraries(paths)
    told: dict[str, Any] = {"library": _names(paths), "refused": refused}
    if test is None:
        result = run(data, quick=quick, gaps=gaps, progress=progress)
    else:
        others, refused_too = read_library(test)
        result = run_transfer(data, others, quick=quick, progress=progress)
        told |= {"test": test.name, "refused_in_test": refused_too}
    return {"rows": result["rows"], "data": told | result["data"]}


def learning_curve(
    libraries: Sequence[Path], picture: Path, quick: bool, progress: Callable[[str, float], None], seed: int = 0
) -> dict[str, Any]:
    """Accuracy on held-out compositions against the number of curves learned from, and a picture of it.

    Raises
    ------
    InputError
        If the library cannot be read, or the name of the picture ends in no format that can be written.
    """
    _check_picture(picture)
    records, refused = read_libraries(libraries)
    data = learnable(records)
    samples = samples_of(data)
    models = {name: make for name, make in _models(quick).items() if name in LEARNING}
    folds = folds_of(data, SPLITS[2], 2 if quick else FOLDS, seed)
    rows = dos_sizes.size_rows(samples, folds, cast("Any", models), seed, progress)
    dos_sizes.draw(rows, picture)
    progress("done", 1.0)
    return {"rows": rows, "data": {"library": _names(libraries), "refused": refused} | _describe(samples, quick)}


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _check_picture(picture: Path) -> None:
    if picture.suffix not in PICTURES:
        raise InputError(f"{picture} is no picture that can be written; end its name in {' or '.join(PICTURES)}.")


def write_map(libraries: Sequence[Path], picture: Path, seed: int = 0) -> None:
    """A picture of the element vectors of a library.

    Raises
    ------
    InputError
        If the library cannot be read, or the name of the picture ends in no format that can be written.
    """
    _check_picture(picture)
    draw(samples_of(learnable(read_libraries(libraries)[0])), picture, seed)


def run(
    records: TrainingSet,
    *,
    quick: bool = False,
    seed: int = 0,
    gaps: Path | None = None,
    progress: Callable[[str, float], None],
) -> dict[str, Any]:
    """All models on all splits of one library; see `row_of_answers` for the columns."""
    everything = samples_of(records)
    data = learnable(records)
    samples = samples_of(data)
    rows = []
    models = _models(quick)
    folds = {split: folds_of(data, split, 2 if quick else FOLDS, seed) for split in SPLITS}
    for i, (name, make) in enumerate(models.items()):
        for j, split in enumerate(SPLITS):
            progress(f"{name}, {split}", (i + j / len(SPLITS)) / len(models))
            began = time.process_time()
            answers = answers_of(make, samples, folds[split], seed)
            rows.append(row_of_answers(name, split, answers, samples, time.process_time() - began))
            rows += system_rows(name, split, answers, samples) if name == "paper" else []
    rows += vector_rows(samples, folds, _published(quick), seed, progress)
    rows += map_rows(samples, seed)
    rows += gap_rows(samples, gaps, 2 if quick else FOLDS, seed, progress) if gaps else []
    readings = read_ternaries(everything, 2 if quick else FOLDS, QUICK_HEADS if quick else None, seed, progress)
    rows += [*ternary_rows(readings), *proposal_rows(records, readings, seed, progress)]
    progress("done", 1.0)
    larger = {"ternaries": sum(len(row) == 3 for row in everything.rows)}
    return {"rows": rows, "data": _describe(samples, quick) | larger}


def run_transfer(
    train: TrainingSet,
    test: TrainingSet,
    *,
    quick: bool = False,
    seed: int = 0,
    progress: Callable[[str, float], None],
) -> dict[str, Any]:
    """All models, learned from one library, on those compositions of another that the first lacks.

    Raises
    ------
    InputError
        If the other library holds no such composition.
    """
    samples = samples_of(train, 2)
    every = samples_of(test, 2)
    known = set(samples.rows)
    new = [i for i, row in enumerate(every.rows) if row not in known]
    if not new:
        raise InputError("Every composition of the test library is in the one learned from; there is nothing to test.")
    asked = every.subset(new)
    rows = []
    models = _models(quick)
    for i, (name, make) in enumerate(models.items()):
        progress(name, i / len(models))
        began = time.process_time()
        model = make()
        model.fit(samples, seed, _silent)
        answers = Answers.empty(len(asked))
        answers.take(np.arange(len(asked)), model, asked, samples)
        rows.append(row_of_answers(name, "transfer", answers, asked, time.process_time() - began))
    progress("done", 1.0)
    return {"rows": rows, "data": _describe(samples, quick) | {"n_test": len(asked)}}


def learnable(data: TrainingSet) -> TrainingSet:
    """The unaries and binaries that a table of compositions can hold: one sample each."""
    return data.subset([i for i, s in enumerate(data.structures) if is_learnable(row_of(s.composition), 2)])


def folds_of(data: TrainingSet, split: str, folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Rows learned from and rows asked for, of each model that is trained; every row is asked for once.

    Raises
    ------
    InputError
        If there are too few prototypes to hold some out.
    """
    every = np.arange(len(data))
    if split == "in-sample":
        return [(every, every)]
    if split == f"held-out {APART}":
        return folds_apart(data, folds, seed)
    rows = [row_of(structure.composition) for structure in data.structures]
    groups = rows if split == "held-out composition" else every.tolist()
    numbers = fold_numbers(groups, folds, np.random.default_rng(seed))
    return [(np.flatnonzero(numbers != fold), np.flatnonzero(numbers == fold)) for fold in range(folds)]


def held_out(crystals: TrainingSet, quick: bool, seed: int) -> list[Parts]:  # noqa: ARG001 - the same for both
    """What figures of held-out crystals are learned from and measured on."""
    data = learnable(crystals)
    folds = folds_of(data, SPLITS[-1], FOLDS, seed)
    return [Parts("fold", data.subset(train.tolist()), data.subset(test.tolist())) for train, test in folds]


def answers_of(make: Callable[[], Model], samples: Samples, folds: Sequence[tuple[Rows, Rows]], seed: int) -> Answers:
    """Answers for every sample, of the model of its fold."""
    answers = Answers.empty(len(samples))
    for train, test in folds:
        model = make()
        model.fit(samples.subset(train), seed, _silent)
        answers.take(test, model, samples.subset(test), samples)
    return answers


def _models(quick: bool) -> dict[str, Callable[[], Model]]:
    def paper() -> Model:
        return RegressionModel(_published(quick))

    def regression() -> Model:
        return RegressionModel(replace(_published(quick), **BETTER))

    def factorised() -> Model:
        return FactorisedModel(
            FactorisedOptions(heads=HeadsOptions(epochs=QUICK_HEADS)) if quick else FactorisedOptions()
        )

    return {
        "paper": paper,
        "regression": regression,
        "factorised": factorised,
        "nearest_neighbour": NearestNeighbour,
        "random": RandomRows,
    }


def _published(quick: bool) -> RegressionOptions:
    return RegressionOptions(epochs=QUICK_EPOCHS, vector_epochs=QUICK_VECTORS) if quick else RegressionOptions()


def _describe(samples: Samples, quick: bool) -> dict[str, Any]:
    alone = sum(len(row) == 1 for row in samples.rows)
    return {
        "n": len(samples),
        "compositions": len(set(samples.rows)),
        "elements": len(samples.elements),
        "table": len(samples.table()),
        "unaries": alone,
        "binaries": len(samples) - alone,
        "folds": 2 if quick else FOLDS,
        "quick": quick,
    }


def _silent(_stage: str, _share: float) -> None:
    """Progress is told by split, not by epoch."""
