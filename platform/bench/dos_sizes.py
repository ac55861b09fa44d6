"""Accuracy of compositions from densities of states against the number of curves learned from.

The same curves are asked for at every size: those of the compositions that a fold holds out. What is learned from are
the first so many of the rest in one random order, so that a larger size holds all of a smaller one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.scores import Answers, row_of_answers
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.factorised import FactorisedModel
    from fermiloop.platform.generators.regression import RegressionModel
    from fermiloop.platform.generators.samples import Samples

    Rows = NDArray[np.int64]
    Model = RegressionModel | FactorisedModel

SIZES: Final = (100, 200, 400, 800, 1600, 3200)
"""Curves learned from; those that a library does not give are left out, and all that it gives comes last."""
SPLIT: Final = "held-out composition, by curves learned from"
LINES: Final = {"top5": "all", "top5_unaries": "elements alone", "top5_binaries": "binaries"}


def size_rows(
    samples: Samples,
    folds: Sequence[tuple[Rows, Rows]],
    models: Mapping[str, Callable[[], Model]],
    seed: int,
    progress: Callable[[str, float], None],
) -> list[dict[str, Any]]:
    """A row of each model at each size, with `learned`, the curves that each of its fits has seen.

    Parameters
    ----------
    folds
        Rows that may be learned from, and rows asked for.
    """
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(train) for train, _ in folds]
    rows = []
    sizes = sizes_of(min(len(order) for order in orders))
    for i, (name, make) in enumerate(models.items()):
        for j, size in enumerate(sizes):
            progress(f"{name}, {size} curves", (i + j / len(sizes)) / len(models))
            began = time.process_time()
            answers = Answers.empty(len(samples))
            for order, (_, test) in zip(orders, folds, strict=True):
                model = make()
                try:
                    model.fit(samples.subset(order[:size]), seed, _silent)
                except InputError:  # too few to learn from: nothing is answered
                    answers.miss(test)
                    continue
                answers.take(test, model, samples.subset(test), samples)
            row = row_of_answers(name, SPLIT, answers, samples, time.process_time() - began)
            rows.append({"model": name, "learned": size} | row)
    return rows


def sizes_of(most: int) -> list[int]:
    """Sizes up to what may be learned from, and that itself."""
    return [*(size for size in SIZES if size < most), most]


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the curves as a picture, in the format that the name ends in; bars are 95 % intervals of all."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(str(row["model"]) for row in rows))
    figure = Figure(figsize=(4.2 * len(names), 3.4), layout="constrained")
    for k, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), k + 1)
        own = [row for row in rows if row["model"] == name]
        x = np.array([row["learned"] for row in own], dtype=float)
        for column, label in LINES.items():
            y = np.array([np.nan if row[column] is None else row[column] for row in own], dtype=float)
            (line,) = axes.plot(x, y, marker="o", label=label)
            if column == "top5":
                bounds = np.array([[row["top5_low"], row["top5_high"]] for row in own], dtype=float).T
                axes.fill_between(x, bounds[0], bounds[1], color=line.get_color(), alpha=0.2, linewidth=0)
        axes.set(xscale="log", xlabel="curves learned from", title=name, ylim=(0, None))
        axes.set_xticks(x, [f"{size:.0f}" for size in x], minor=False)
        axes.minorticks_off()
        if not k:
            axes.set_ylabel("composition among the first five")
            axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _silent(_stage: str, _share: float) -> None:
    """Progress is told by size, not by epoch."""
