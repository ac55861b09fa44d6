"""From a crystal to its density of states, with the spread of an ensemble, in milliseconds.

A Gaussian process over composition, crystal system and a few numbers of the geometry; the ensemble
are draws from its posterior, so the spread widens away from what was computed. It screens; it does
not replace a calculation.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.crystal_inputs import describe_crystals
from fermiloop.platform.predictors.dos_process import DosProcess, Inputs, ProcessOptions
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.predictors.reliability import stretch_and_floor
from fermiloop.platform.representations.composition import row_of
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN
from fermiloop.platform.representations.spectrum import SpectrumGrid, cosine
from fermiloop.platform.representations.training import FitReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import Target, TrainingSet

    Array = NDArray[np.float64]

N_MODELS: Final = 8
FOLDS: Final = 5
FEWEST: Final = 8
OPTIONS: Final = ProcessOptions(power=2.0, components=25, noise=0.05, smoothing=1.0)
DRAW_SEED: Final = 0
N_TARGETS: Final = 20
"""Curves that held-out similarities are measured to."""


class ForwardDos(SavedModel):
    """Curves of crystals as an ensemble.

    Parameters
    ----------
    options
        Kernel of the Gaussian process.
    """

    name = "forward_dos"

    def __init__(self, options: ProcessOptions = OPTIONS) -> None:
        self.options = options

    def fit(
        self,
        data: TrainingSet,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - conditioned in a moment
    ) -> FitReport:
        """Measure by cross-validation over compositions, then condition on everything.

        Raises
        ------
        InputError
            If there are too few materials, or a curve is not finite or has no area.
        """
        began = time.process_time()
        data = data.with_curves()
        if len(data) < FEWEST:
            raise InputError(f"The forward model needs at least {FEWEST} curves, not {len(data)}.")
        data.check_curves()
        curves = data.grid.normalise(np.maximum(data.curves, 0))
        inputs = describe(data.structures, data.crystal_systems)
        metrics = self._held_out(inputs, curves, data, seed)
        self.stretch, self.floor = metrics["stretch"], metrics["floor"]
        progress(self.name, 0.5)
        self.grid = data.grid
        self.process = DosProcess(tuple(ELEMENTS_KNOWN), self.options).fit(inputs, curves)
        progress(self.name, 1.0)
        return FitReport(metrics, (), len(data), 0, len(data), time.process_time() - began)

    def predict(self, structures: Sequence[Structure]) -> Array:
        """(n_models, n, grid.n) unit-area curves.

        Raises
        ------
        InputError
            If it was not fitted, or a structure holds an element beyond Bi.
        """
        if not hasattr(self, "process"):
            raise InputError("forward_dos is not trained; fit or load it first.")
        if not structures:
            return np.zeros((N_MODELS, 0, self.grid.n))
        drawn = self.process.draw(describe(structures), N_MODELS, DRAW_SEED)
        return self.grid.normalise(drawn)

    def similarity(self, structures: Sequence[Structure], target: Target) -> tuple[Array, Array]:
        """Mean and standard deviation over the ensemble of the cosine to the target's curve in its window, (n,) each.

        Raises
        ------
        InputError
            If the target has no curve or it does not cover the grid.
        """
        if target.grid is None or target.curve is None:
            raise InputError("A similarity needs a target curve, and the target has none; add target.dos.")
        values = target.similarity(self.predict(structures), self.grid)
        return values.mean(axis=0), np.hypot(values.std(axis=0) * self.stretch, self.floor)

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {
            "grid": asdict(self.grid),
            "process": self.process.config(),
            "stretch": self.stretch,
            "floor": self.floor,
        }
        return config, self.process.state()

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> ForwardDos:
        """The same out of what `packed` gave."""
        process = DosProcess.restore(config["process"], arrays)
        model = cls(process.options)
        model.grid, model.process = SpectrumGrid(**config["grid"]), process
        model.stretch, model.floor = float(config["stretch"]), float(config["floor"])
        return model

    def _held_out(self, inputs: Inputs, curves: Array, data: TrainingSet, seed: int) -> dict[str, float]:
        """Mean cosine to held-out curves, of the process and of mixed centroids, and what makes the spread honest.

        The spread of the draws is judged where it is used, at similarities to other curves as targets, and given the
        factor and the floor under which the held-out errors are likeliest.
        """
        rows = [row_of(structure.composition) for structure in data.structures]
        kinds = sorted(set(rows))
        order = np.random.default_rng(seed).permutation(len(kinds))
        fold = np.array([order[kinds.index(row)] % FOLDS for row in rows])
        ours, mixed = np.zeros(len(rows)), np.zeros(len(rows))
        targets = curves[np.random.default_rng(seed).permutation(len(rows))[:N_TARGETS]]
        errors, spreads = [], []
        for number in sorted(set(fold.tolist())):
            test, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
            if len(rest) < 2:
                continue
            process = DosProcess(tuple(ELEMENTS_KNOWN), self.options).fit(_take(inputs, rest), curves[rest])
            mean, _ = process.predict(_take(inputs, test))
            ours[test] = cosine(np.maximum(process.mean_curve + mean @ process.basis, 0), curves[test])
            mixed[test] = cosine(_centroid_mix(inputs.fractions, curves, rest, test), curves[test])
            drawn = cosine(process.draw(_take(inputs, test), N_MODELS, DRAW_SEED)[:, :, None], targets)
            errors.append(cosine(curves[test][:, None], targets) - drawn.mean(axis=0))
            spreads.append(drawn.std(axis=0))
        if not errors:  # one composition alone: nothing can be held out
            return {"stretch": 1.0, "floor": 0.0}
        error, spread = np.concatenate(errors).ravel(), np.concatenate(spreads).ravel()
        stretch, floor = stretch_and_floor(error, spread)
        return {
            "held_out_cosine": float(ours.mean()),
            "held_out_cosine_of_centroid_mix": float(mixed.mean()),
            "held_out_similarity_error": float(np.abs(error).mean()),
            "stretch": stretch,
            "floor": floor,
        }


def describe(structures: Sequence[Structure], systems: Sequence[str] | None = None) -> Inputs:
    """Fractions, crystal systems and geometry features of crystals.

    See `describe_crystals`.

    Raises
    ------
    InputError
        If a structure holds an element beyond Bi.
    """
    crystals = describe_crystals(structures)
    if systems is None:
        systems = [SpacegroupAnalyzer(structure, symprec=1e-2).get_crystal_system() for structure in structures]
    return Inputs(crystals.fractions, np.array(systems, dtype=str), crystals.geometry)


def _take(inputs: Inputs, places: NDArray[np.int64]) -> Inputs:
    return Inputs(inputs.fractions[places], inputs.systems[places], inputs.geometry[places])


def _centroid_mix(fractions: Array, curves: Array, rest: NDArray[np.int64], test: NDArray[np.int64]) -> Array:
    """(n_test, n_points) mean curves of the elements, from the rest, mixed by amount."""
    holds = (fractions[rest] > 0).T.astype(float)
    amounts = holds.sum(axis=1, keepdims=True)
    centroid = np.where(amounts > 0, holds @ curves[rest] / np.maximum(amounts, 1), curves[rest].mean(axis=0))
    return np.asarray(fractions[test] @ centroid)
