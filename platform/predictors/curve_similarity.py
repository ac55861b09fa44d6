"""How alike the curve of a crystal will be to one target curve: regressed directly, in milliseconds.

A model of one target. `similarity_process` learns the similarity itself, about what the element curves of
`mixed_curves` give before anything is known. Where a curve is no density of states in eV the elements have no curves,
and the process stands on composition and geometry alone. Its standard deviation is stretched and floored so that
errors held out by composition are likeliest.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.crystal_inputs import describe_crystals
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.predictors.mixed_curves import mixed_curves, state_weights
from fermiloop.platform.predictors.reliability import stretch_and_floor
from fermiloop.platform.predictors.similarity_process import Inputs, SimilarityProcess
from fermiloop.platform.representations.spectrum import SpectrumGrid, cosine, within
from fermiloop.platform.representations.training import FitReport, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]

FEWEST: Final = 8
FOLDS: Final = 10
MOST: Final = 3000
"""Crystals that are learned from; of more the nearest to the target and a random half."""
PORTION: Final = 1000
"""Crystals predicted at once, which bounds the memory."""
INTERVAL: Final = float(ndtri(0.95))
"""Half the central 90 % interval, in standard deviations."""
FAINTEST: Final = 1e-9
"""Area inside a window below which a mixed curve counts as none."""


class CurveSimilarity(SavedModel):
    """Similarity of crystals to one target, with its uncertainty."""

    name = "curve_similarity"

    def fit(
        self, data: TrainingSet, target: Target, seed: int = 0, progress: Callable[[str, float], None] | None = None
    ) -> FitReport:
        """Learn the similarities of known curves to a target.

        Parameters
        ----------
        data
            Known crystals; rows without a curve are left out.
        target
            With a curve; similarities count inside its window. Its crystal, where it has one, counts as known.
        seed
            Of the folds by which the uncertainty is calibrated.
        progress
            Is told the stage and the share done.

        Raises
        ------
        InputError
            If there are too few curves, one is not finite, the target has none, or a crystal holds an element beyond
            Bi.
        """
        began = time.process_time()
        data = data.with_curves()
        if len(data) < FEWEST:
            raise InputError(f"A model of the similarity needs at least {FEWEST} curves, not {len(data)}; add some.")
        data.check_curves()
        self._aim(data.grid, target)
        values = target.similarity(np.maximum(data.curves, 0), data.grid)
        rows = _chosen(values, seed)
        data, values = data.subset(rows.tolist()), values[rows]
        inputs = self._inputs(data.structures)
        _tell(progress, 0.5)
        self.stretch, self.floor, metrics = _calibrate(inputs, values, _groups(data.structures, seed))
        if target.crystal is not None:  # it is one more known crystal, but nothing to measure errors by
            inputs, values = inputs.joined(self._inputs([target.crystal])), np.append(values, 1.0)
        self.process = SimilarityProcess().fit(inputs, values)
        _tell(progress, 1.0)
        return FitReport(metrics, (), len(data), 0, len(data), time.process_time() - began)

    def similarity(self, structures: Sequence[Structure]) -> tuple[Array, Array]:
        """Mean and standard deviation of the cosine to the target inside its window, (n,) each; means in 0 to 1.

        Raises
        ------
        InputError
            If it was not fitted, or a crystal holds an element beyond Bi.
        """
        if not hasattr(self, "process"):
            raise InputError("curve_similarity is not trained; fit or load it first.")
        if not structures:
            return np.zeros(0), np.zeros(0)
        portions = [structures[i : i + PORTION] for i in range(0, len(structures), PORTION)]
        parts = [self.process.predict(self._inputs(portion)) for portion in portions]
        mean, std = (np.concatenate(values) for values in zip(*parts, strict=True))
        return np.clip(mean, 0, 1), np.hypot(std * self.stretch, self.floor)

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {
            "grid": asdict(self.grid),
            "window": self.window,
            "stretch": self.stretch,
            "floor": self.floor,
        }
        inputs = self.process.inputs
        arrays = {"target": self.curve, "values": self.process.values, **vars(inputs)}
        return config, arrays

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> CurveSimilarity:
        """The same out of what `packed` gave."""
        model, grid = cls(), SpectrumGrid(**config["grid"])
        model._aim(grid, Target(grid, arrays["target"], window=_window(config["window"])))
        model.stretch, model.floor = float(config["stretch"]), float(config["floor"])
        inputs = Inputs(*(arrays[name] for name in ("composition", "geometry", "prior", "nearness")))
        model.process = SimilarityProcess().fit(inputs, arrays["values"])
        return model

    def _aim(self, grid: SpectrumGrid, target: Target) -> None:
        self.grid, self.window = grid, target.window
        self.curve = target.curve_on(grid)
        self._inside = within(grid, target.window)

    def _inputs(self, structures: Sequence[Structure]) -> Inputs:
        crystals = describe_crystals(structures)
        fractions, geometry = crystals.fractions, crystals.geometry
        if self.grid.unit != "eV" or self.grid.alignment == "none":
            nothing = np.zeros((len(fractions), 0))
            return Inputs(fractions, geometry, nothing, np.zeros(len(fractions)))
        mixed = mixed_curves(fractions, crystals.coupling, self.grid)[:, self._inside]
        norms = np.linalg.norm(mixed, axis=1, keepdims=True)
        prior = mixed / np.maximum(norms, FAINTEST)
        return Inputs(fractions * state_weights(self.grid), geometry, prior, cosine(prior, self.curve[self._inside]))


def _calibrate(inputs: Inputs, values: Array, groups: NDArray[np.int64]) -> tuple[float, float, dict[str, float]]:
    """Factor and floor of the standard deviation, and figures of it, from errors held out by group."""
    mean, std = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for group in np.unique(groups):
        test, rest = np.flatnonzero(groups == group), np.flatnonzero(groups != group)
        if len(rest) > 1:
            process = SimilarityProcess().fit(inputs.take(rest), values[rest])
            mean[test], std[test] = process.predict(inputs.take(test))
    if np.isnan(mean).any():  # one composition alone: nothing can be held out
        return 1.0, 0.0, {}
    error = values - np.clip(mean, 0, 1)
    stretch, floor = stretch_and_floor(error, std)
    wide = INTERVAL * np.hypot(std * stretch, floor)
    return (
        stretch,
        floor,
        {
            "held_out_similarity_error": float(np.abs(error).mean()),
            "held_out_coverage_90": float((np.abs(error) <= wide).mean()),
            "stretch": stretch,
            "floor": floor,
        },
    )


def _chosen(values: Array, seed: int) -> NDArray[np.int64]:
    """Rows that are learned from, in their order: all, or of too many the most similar and as many others."""
    if len(values) <= MOST:
        return np.arange(len(values))
    order = np.argsort(-values, kind="stable")
    others = np.random.default_rng(seed).choice(order[MOST // 2 :], MOST - MOST // 2, replace=False)
    return np.sort(np.concatenate([order[: MOST // 2], others]))


def _groups(structures: Sequence[Structure], seed: int) -> NDArray[np.int64]:
    """(n,) fold of each crystal; those of one composition share theirs."""
    formulas = [structure.composition.reduced_formula for structure in structures]
    kinds, places = np.unique(formulas, return_inverse=True)
    folds: NDArray[np.int64] = np.random.default_rng(seed).permutation(len(kinds)) % FOLDS
    return folds[places]


def _window(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


def _tell(progress: Callable[[str, float], None] | None, share: float) -> None:
    if progress is not None:
        progress(CurveSimilarity.name, share)
