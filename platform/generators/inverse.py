"""From a density of states to ranked compositions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import logsumexp

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.beam import WIDTH, beam_search
from fermiloop.platform.generators.experts import unit
from fermiloop.platform.generators.factorised import FactorisedModel, FactorisedOptions
from fermiloop.platform.generators.heads import HeadsOptions
from fermiloop.platform.generators.regression import BETTER, RegressionModel, RegressionOptions
from fermiloop.platform.generators.row_array import ratios_of
from fermiloop.platform.representations.composition import formula_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from fermiloop.platform.generators.row_array import Ratios, RowArray
    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import CompositionTable, Row

    Array = NDArray[np.float64]

PRESETS: Final[dict[str, type[RegressionModel] | type[FactorisedModel]]] = {
    "paper": RegressionModel,
    "regression": RegressionModel,
    "factorised": FactorisedModel,
}


@dataclass(frozen=True)
class RankedComposition:
    """One answer to a curve.

    Parameters
    ----------
    formula
        Reduced formula.
    row
        The same as atomic numbers and amounts.
    score
        Log probability.
    probability
        Calibrated on held-out compositions by the preset ``factorised``; by ``paper`` it follows
        from the training error and is far too sure.
    known
        Whether the training set holds the composition.
    similarity
        Best cosine similarity of the curve to a training curve of the composition, None if unknown.
    """

    formula: str
    row: Row
    score: float
    probability: float
    known: bool
    similarity: float | None


@dataclass(frozen=True)
class Bounds:
    """Where compositions are searched.

    Parameters
    ----------
    elements
        Atomic numbers that may occur.
    components
        Fewest and most elements.
    ratios
        Ratios of three elements and more, by their number; of fewer all of the table are tried.
    width
        Of the beam.
    most
        Compositions wanted.
    """

    elements: frozenset[int]
    components: tuple[int, int] = (1, 2)
    ratios: Ratios = field(default_factory=dict)
    width: int = WIDTH
    most: int = 4000


class InverseSpectrumModel:
    """Ranks the compositions of a table by a curve.

    Parameters
    ----------
    preset
        Key of `PRESETS`.
    epochs
        Epochs of the preset's networks; the preset's own by default.
    """

    def __init__(self, preset: str = "factorised", epochs: int | None = None) -> None:
        self.preset = preset
        self.model = make_model(preset, epochs)

    @property
    def table(self) -> CompositionTable:
        """Compositions that are ranked."""
        return self.model.table

    def fit(self, samples: Samples, seed: int, progress: Callable[[str, float], None]) -> tuple[float, ...]:
        """Train from nothing; returns the loss by epoch."""
        self.known = samples
        return self.model.fit(samples, seed, progress)

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_rows) log probabilities of (k, n_points) unit-area curves."""
        return self.model.log_probabilities(curves, systems)

    def search(self, curve: Array, systems: NDArray[np.str_], bounds: Bounds) -> list[tuple[Row, float]]:
        """Compositions inside the bounds with their log probabilities for a (n_points,) unit-area curve, best first.

        Probabilities are averaged over the crystal systems. Those of one and two elements come from the table and sum
        to one over it; where larger compositions are searched, over the table and what the beam found, so that a
        narrow beam makes them too large.
        """
        curves = np.repeat(curve[None], len(systems), axis=0)
        raw = self.model.scores(self.model.rows, curves, systems)
        normaliser = logsumexp(raw, axis=1, keepdims=True)
        table = logsumexp(raw - normaliser, axis=0) - np.log(len(systems))
        order = np.argsort(self.model.rows.keys)

        def score(rows: RowArray) -> Array:
            if rows.places.shape[1] <= 2:
                return np.asarray(table[order[np.searchsorted(self.model.rows.keys[order], rows.keys)]])
            scores = self.model.scores(rows, curves, systems) - normaliser
            return np.asarray(logsumexp(scores, axis=0) - np.log(len(systems)))

        low, high = bounds.components
        allowed = [place for number, place in self.table.place.items() if number in bounds.elements]
        ratios = ratios_of(self.table.rows) | {size: of for size, of in bounds.ratios.items() if size > 2}
        found = beam_search(score, self.table.elements, allowed, ratios, high, bounds.width)
        larger = [scores for rows, scores in found if rows.places.shape[1] > 2]
        total = float(np.logaddexp.reduce([0.0, *(float(logsumexp(scores)) for scores in larger)]))
        best = [_best(rows, scores - total, bounds.most) for rows, scores in found if rows.places.shape[1] >= low]
        return sorted((one for some in best for one in some), key=lambda one: -one[1])[: bounds.most]

    def predict(self, dos: Array, k: int = 5, crystal_system: str | None = None) -> list[RankedComposition]:
        """The `k` likeliest compositions of a (n_points,) unit-area curve, best first.

        Raises
        ------
        InputError
            If the curve has another length than those learned from.
        """
        if dos.shape != self.known.curves.shape[1:]:
            raise InputError(f"The curve has shape {dos.shape}; the model asks for {self.known.curves.shape[1:]}.")
        scores = self.log_probabilities(dos[None], np.array([crystal_system or ""]))[0]
        nearest: dict[Row, float] = {}
        for row, cosine in zip(self.known.rows, unit(self.known.curves) @ unit(dos), strict=True):
            nearest[row] = max(nearest.get(row, 0.0), float(cosine))
        best = np.argsort(-scores, kind="stable")[:k]
        rows = [self.table.rows[i] for i in best]
        return [
            RankedComposition(
                formula_of(row), row, float(scores[i]), float(np.exp(scores[i])), row in nearest, nearest.get(row)
            )
            for i, row in zip(best, rows, strict=True)
        ]

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to restore from."""
        return self.model.state() | {"known_curves": self.known.curves}

    def config(self) -> dict[str, Any]:
        """JSON-ready rest of the state."""
        return {
            "preset": self.preset,
            "model": self.model.config(),
            "rows": [list(map(list, row)) for row in self.known.rows],
            "systems": [str(name) for name in self.known.systems],
            "step": self.known.step,
            "zero": self.known.zero,
        }

    @classmethod
    def restore(cls, config: Mapping[str, Any], state: Mapping[str, NDArray[Any]]) -> InverseSpectrumModel:
        """The model that `config` and `state` tell of."""
        from fermiloop.platform.generators.samples import Samples

        inverse = cls(config["preset"])
        curves = np.asarray(state["known_curves"])
        rows: tuple[Row, ...] = tuple(tuple((int(z), int(n)) for z, n in row) for row in config["rows"])
        systems = np.array(config["systems"], dtype=str)
        inverse.known = Samples(curves, rows, systems, float(config["step"]), int(config["zero"]))
        inverse.model = PRESETS[config["preset"]].restore(config["model"], state, curves.shape[1])
        return inverse


def _best(rows: RowArray, scores: Array, most: int) -> list[tuple[Row, float]]:
    """The `most` compositions of highest score, best first; those that cannot be are left out."""
    chosen = np.argsort(-scores, kind="stable")[:most]
    chosen = chosen[np.isfinite(scores[chosen])]
    return list(zip(rows.subset(chosen).rows(), scores[chosen].tolist(), strict=True))


def make_model(preset: str, epochs: int | None) -> RegressionModel | FactorisedModel:
    """An untrained model of a preset.

    Raises
    ------
    InputError
        If the preset is unknown or the epochs are negative.
    """
    if preset not in PRESETS:
        raise InputError(f"{preset} is no preset of dos_composer; choose one of {', '.join(PRESETS)}.")
    if epochs is not None and (not isinstance(epochs, int) or epochs < 0):
        raise InputError(f"Epochs must be a whole number from 0 up, not {epochs}.")
    if preset in {"paper", "regression"}:
        options = RegressionOptions(**(BETTER if preset == "regression" else {}))
        return RegressionModel(options if epochs is None else replace(options, epochs=epochs))
    return FactorisedModel(
        FactorisedOptions() if epochs is None else FactorisedOptions(heads=HeadsOptions(epochs=epochs))
    )
