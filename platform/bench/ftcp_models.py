"""What the FTCP networks rebuild and invent, held out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import wasserstein_distance

from fermiloop.platform.bench.crystal_scores import (
    Share,
    composition_valid,
    reconstruction,
    row,
    structurally_valid,
    validity,
)
from fermiloop.platform.bench.splits import PUBLISHED
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ftcp.generator import Ftcp
from fermiloop.platform.generators.ftcp.latent import LatentSpace, everywhere
from fermiloop.platform.generators.ftcp.options import FtcpOptions
from fermiloop.platform.generators.ftcp.paper_model import PaperModel
from fermiloop.platform.representations.crystals import CrystalBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Rows = list[dict[str, Any]]


def train(
    preset: str, options: Mapping[str, Any], data: TrainingSet, seed: int, progress: Callable[[str, float], None]
) -> Ftcp:
    """A generator that has learned all of `data`."""
    generator = Ftcp(preset, FtcpOptions(test_share=0.0, novel=True, **options))
    generator.fit(data, seed, progress)
    return generator


def structured_rows(
    generator: Ftcp, learned: TrainingSet, test: TrainingSet, drawn: int, seed: int, seconds: float
) -> Rows:
    """Reconstruction of held-out crystals, errors of the properties, validity of random samples."""
    truth, rebuilt, points = _rebuild(generator, test)
    rows = [
        *_match_rows("structured", test, rebuilt, "published: FTCP on MP-20 by CDVAE", seconds),
        *_block_rows("structured", truth, rebuilt),
        *_property_rows(generator, learned, test, points),
    ]
    rng = np.random.default_rng(seed)
    space = LatentSpace.around(generator.known.points, unit_noise=False)
    for name, z in (
        ("prior N(0, 1)", rng.standard_normal((drawn, space.points.shape[1]))),
        ("Gaussian of the training points", everywhere(space, drawn, rng)),
    ):
        rows += _drawn_rows(f"structured: {name}", crystals_of(generator.model.decode(z)), learned, test)
    return rows


def _drawn_rows(name: str, crystals: Sequence[Structure | None], learned: TrainingSet, test: TrainingSet) -> Rows:
    """Validity and densities of what random points of the latent space decode to."""
    valid = validity(crystals)
    note = f"atoms' own images counted: {valid.with_own_images.value:.3f}"
    return [
        row(f"{name}, structures valid", valid.structural, published=0.0155, note=note),
        row(f"{name}, compositions valid", valid.compositional, published=0.4837),
        _density_row(name, crystals, learned.structures, test.structures),
    ]


def _density_row(
    name: str, crystals: Sequence[Structure | None], learned: Sequence[Structure], test: Sequence[Structure]
) -> dict[str, Any]:
    """Wasserstein distance of the densities of valid samples from those of the test part.

    The baseline is that of the training part: nothing that has learned it well can be nearer.
    """
    valid = [one for one in crystals if one is not None and structurally_valid(one) and composition_valid(one)]
    made, usual, truth = ([float(one.density) for one in part] for part in (valid, learned, test))
    ours = float(wasserstein_distance(made, truth)) if made else None
    baseline, note = float(wasserstein_distance(usual, truth)), "of valid samples; the baseline is the training part"
    what = f"{name}, Wasserstein distance of the density (g/cm³)"
    return row(what, ours, published=23.71, baseline=baseline, n=len(made), note=note)


def leaking_rows(
    split: str,
    options: Mapping[str, Any],
    learned: TrainingSet,
    test: TrainingSet,
    drawn: int,
    seed: int,
    progress: Callable[[str, float], None],
) -> Rows:
    """The structured network in a split whose parts share prototypes, and at random compositions too."""
    generator, seconds = _trained("structured", options, learned, seed, progress)
    truth, rebuilt, points = _rebuild(generator, test)
    samples = crystals_of(generator.model.decode(np.random.default_rng(seed).standard_normal((drawn, points.shape[1]))))
    shared = "compositions and prototypes" if split == PUBLISHED else "prototypes"
    note = f"test crystals share {shared} with the training set"
    return [
        *_match_rows(f"structured, split {split}", test, rebuilt, note, seconds),
        row(f"structured, split {split}: all elements right", _elements_right(truth, rebuilt), note=note),
        *_drawn_rows(f"structured, split {split}: prior N(0, 1)", samples, learned, test),
    ]


def paper_rows(
    options: Mapping[str, Any],
    learned: TrainingSet,
    test: TrainingSet,
    seed: int,
    progress: Callable[[str, float], None],
) -> Rows:
    """The published network after a few minutes: squared errors by block, elements, cells; far from converged."""
    generator, seconds = _trained("paper", options, learned, seed, progress)
    truth, rebuilt, points = _rebuild(generator, test)
    model = generator.model
    if not isinstance(model, PaperModel):
        raise InputError("Block errors are those of the published network; choose the preset paper.")
    images = model.scaler.transform(model.featurizer.transform(truth, np.float32))
    squares = (images - model.scaler.transform(model.rebuilt(points))) ** 2
    note = f"{len(learned)} crystals, {options['epochs']} epochs: not converged; published in the supplement alone"
    blocks = [
        row(f"paper: squared error per crystal, {name}", float(squares[:, a, b].sum(axis=(1, 2)).mean()),
            n=len(truth), note=note)
        for name, (a, b) in model.featurizer.blocks().items()
    ]  # fmt: skip
    z = np.random.default_rng(seed).standard_normal((len(truth), points.shape[1]))
    valid = validity(crystals_of(model.decode(z)))
    return [
        *blocks,
        *_match_rows("paper", test, rebuilt, note, seconds),
        *_block_rows("paper", truth, rebuilt),
        row("paper: prior N(0, 1), structures valid", valid.structural, published=0.0155),
    ]


def crystals_of(batch: CrystalBatch) -> list[Structure | None]:
    """Crystals of a batch; None where there is no atom."""
    return [batch.structure(i) if n else None for i, n in enumerate(batch.n_sites)]


def _trained(
    preset: str, options: Mapping[str, Any], data: TrainingSet, seed: int, progress: Callable[[str, float], None]
) -> tuple[Ftcp, float]:
    """A generator, and the processor seconds that its training took."""
    began = time.process_time()
    return train(preset, options, data, seed, progress), time.process_time() - began


def _match_rows(name: str, test: TrainingSet, rebuilt: CrystalBatch, note: str, seconds: float) -> Rows:
    """How many held-out crystals come back, and how well, beside FTCP on MP-20 as CDVAE measured it."""
    found = reconstruction(test.structures, crystals_of(rebuilt))
    return [
        row(f"{name}: held-out match rate", found.matched, published=0.6989, seconds=seconds, note=note),
        row(f"{name}: match with neutral composition, as CDVAE counts", found.matched_and_neutral,
            published=0.6989, note=note),
        row(f"{name}: RMSE of the matched", found.rmse, published=0.1593, n=found.matched.hits, note=note,
            interval=found.rmse_interval),
    ]  # fmt: skip


def _elements_right(truth: CrystalBatch, rebuilt: CrystalBatch) -> Share:
    return Share.of(set(a[a > 0]) == set(b[b > 0]) for a, b in zip(truth.numbers, rebuilt.numbers, strict=True))


def _rebuild(generator: Ftcp, test: TrainingSet) -> tuple[CrystalBatch, CrystalBatch, Array]:
    """Held-out crystals, what the means of their latent points decode to, and these points."""
    truth = CrystalBatch.from_structures(test.structures, generator.options.max_sites)
    points = generator.model.encode(truth)
    return truth, generator.model.decode(points), points


def _block_rows(name: str, truth: CrystalBatch, rebuilt: CrystalBatch) -> Rows:
    atoms = (np.sort(truth.numbers, axis=1) == np.sort(rebuilt.numbers, axis=1)).all(axis=1)
    lengths = np.abs(truth.lengths - rebuilt.lengths)
    n = len(truth)
    return [
        row(f"{name}: all elements right", _elements_right(truth, rebuilt)),
        row(f"{name}: number of sites right", Share.of(truth.n_sites == rebuilt.n_sites)),
        row(f"{name}: every atom's element right", Share.of(atoms)),
        row(f"{name}: lengths, mean absolute error (Å)", float(lengths.mean()), n=n,
            note=f"{100 * float((lengths / truth.lengths).mean()):.2f} %"),
        row(f"{name}: angles, mean absolute error (degrees)", float(np.abs(truth.angles - rebuilt.angles).mean()), n=n),
    ]  # fmt: skip


def _property_rows(generator: Ftcp, learned: TrainingSet, test: TrainingSet, points: Array) -> Rows:
    with torch.no_grad():
        predicted = generator.model.predict(torch.tensor(points, dtype=torch.float32)).numpy()
    rows = []
    for name, column in zip(generator.names, predicted.T, strict=True):
        error = _mean_error(column, test.labels[name])
        nothing = _mean_error(np.nanmedian(learned.labels[name]), test.labels[name])
        labelled = int(np.isfinite(test.labels[name]).sum())
        rows.append(
            row(f"structured: {name}, mean absolute error", error, baseline=nothing, n=labelled,
                note="target branch; the baseline says the median")
        )  # fmt: skip
    return rows


def _mean_error(predicted: Array | float, truth: Sequence[float] | Array) -> float | None:
    errors = np.abs(np.asarray(predicted) - np.asarray(truth, dtype=float))
    return float(np.nanmean(errors)) if np.isfinite(errors).any() else None
