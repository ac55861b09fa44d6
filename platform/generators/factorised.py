"""Preset ``factorised``: four experts score every composition, held-out data say what each is worth.

* forward: the likelihood of the curve under a Gaussian process from composition to DOS (Bayes' rule
  turned on a forward model; no curve of the composition itself is needed),
* heads: softmax networks for the elements and the ratio,
* prior: how often a ratio occurs among the training compositions,
* retrieval: the best cosine similarity to a training curve of that composition.

The weights of the pool, and with them the calibration of the probabilities, come from folds that
share no composition.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from fermiloop.platform.generators.calibration import log_softmax, pool_weights
from fermiloop.platform.generators.heads import HeadsEnsemble, HeadsOptions, Layout
from fermiloop.platform.generators.samples import Samples, fold_numbers
from fermiloop.platform.predictors.dos_process import DosProcess, Inputs, ProcessOptions
from fermiloop.platform.representations.composition import CompositionTable, Row, ratio_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXPERTS: Final = ("forward", "heads", "prior", "retrieval")


@dataclass(frozen=True)
class FactorisedOptions:
    """How the experts are trained.

    Parameters
    ----------
    folds
        Parts of the training set, by composition; as many networks are trained.
    heads
        Training of the networks; 0 epochs leave them out.
    process
        Kernel of the forward model.
    """

    folds: int = 5
    heads: HeadsOptions = field(default_factory=HeadsOptions)
    process: ProcessOptions = field(default_factory=ProcessOptions)


class FactorisedModel:
    """A calibrated pool of experts over the table of compositions.

    Parameters
    ----------
    options
        How the experts are trained.
    """

    preset = "factorised"

    def __init__(self, options: FactorisedOptions | None = None) -> None:
        self.options = options or FactorisedOptions()

    def fit(self, samples: Samples, seed: int, progress: Callable[[str, float], None]) -> tuple[float, ...]:
        """Train from nothing; returns the mean loss of the heads by epoch."""
        self.table = samples.table()
        self._fractions = self.table.fractions()
        places = np.array([self.table.index[row] for row in samples.rows])
        n_folds = min(self.options.folds, len(set(samples.rows)))
        folds = fold_numbers(samples.rows, n_folds, np.random.default_rng(seed))
        held_out = np.zeros((len(EXPERTS), len(samples), len(self.table)))
        for fold in range(n_folds):
            part, rest = samples.subset(np.flatnonzero(folds == fold)), samples.subset(np.flatnonzero(folds != fold))
            held_out[EXPERTS.index("forward"), folds == fold] = self._forward_scores(self._process(rest), part)
            held_out[EXPERTS.index("prior"), folds == fold] = log_prior(self.table, rest.rows)
            held_out[EXPERTS.index("retrieval"), folds == fold] = self._retrieval(rest, part)
        self.heads = HeadsEnsemble(self.table, self._layout(samples))
        history: tuple[float, ...] = ()
        if self.options.heads.epochs:
            held_out[EXPERTS.index("heads")], history = self.heads.fit(
                samples, folds, self.options.heads, seed, progress
            )
        self.weights = pool_weights(held_out, places)
        self.held_out = log_softmax(np.tensordot(self.weights, held_out, axes=1))
        self._keep(samples)
        return history

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_rows) calibrated log probabilities of (k, n_points) unit-area curves."""
        asked = Samples(curves, ((),) * len(curves), systems, self.samples.step, self.samples.zero)
        experts = np.zeros((len(EXPERTS), len(curves), len(self.table)))
        experts[0] = self._forward_scores(self.process, asked)
        if self.heads.networks:
            experts[1] = self.heads.scores(curves, systems)
        experts[2] = log_prior(self.table, self.samples.rows)
        experts[3] = self._retrieval(self.samples, asked)
        return log_softmax(np.tensordot(self.weights, experts, axes=1))

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to restore from."""
        return {"curves": self.samples.curves, "weights": self.weights} | self.heads.state()

    def config(self) -> dict[str, Any]:
        """JSON-ready rest of the state."""
        return {
            "options": asdict(self.options),
            "rows": [list(map(list, row)) for row in self.samples.rows],
            "systems": [str(name) for name in self.samples.systems],
            "step": self.samples.step,
            "zero": self.samples.zero,
            "n_networks": len(self.heads.networks),
        }

    @classmethod
    def restore(cls, config: Mapping[str, Any], state: Mapping[str, NDArray[Any]], n_points: int) -> Self:  # noqa: ARG003 - one signature for all presets
        """The model that `config` and `state` tell of."""
        options = dict(config["options"])
        heads, process = HeadsOptions(**options.pop("heads")), ProcessOptions(**options.pop("process"))
        model = cls(FactorisedOptions(heads=heads, process=process, **options))
        rows: tuple[Row, ...] = tuple(tuple((int(z), int(n)) for z, n in row) for row in config["rows"])
        systems = np.array(config["systems"], dtype=str)
        samples = Samples(np.asarray(state["curves"]), rows, systems, float(config["step"]), int(config["zero"]))
        model.table = samples.table()
        model._fractions = model.table.fractions()
        model.weights = np.asarray(state["weights"])
        model.heads = HeadsEnsemble(model.table, model._layout(samples)).restore(state, int(config["n_networks"]))
        model._keep(samples)
        return model

    def _keep(self, samples: Samples) -> None:
        self.samples = samples
        self.process = self._process(samples)

    def _layout(self, samples: Samples) -> Layout:
        return Layout(
            n_points=samples.curves.shape[1],
            step=samples.step,
            zero=samples.zero,
            systems=tuple(sorted(set(samples.systems.tolist()))),
            ratios=tuple(sorted({ratio_of(row) for row in self.table.rows})),
            n_elements=len(self.table.elements),
        )

    def _process(self, samples: Samples) -> DosProcess:
        inputs = Inputs(self.table.fractions(samples.rows), samples.systems, np.zeros((len(samples), 0)))
        return DosProcess(self.table.elements, self.options.process).fit(inputs, samples.curves)

    def _forward_scores(self, process: DosProcess, asked: Samples) -> Array:
        """(k, n_rows) log-likelihood of each curve under each row in the curve's crystal system."""
        scores = np.zeros((len(asked), len(self.table)))
        for system in sorted(set(asked.systems.tolist())):
            rows = np.flatnonzero(asked.systems == system)
            systems = np.full(len(self.table), system)
            mean, variance = process.predict(Inputs(self._fractions, systems, np.zeros((len(self.table), 0))))
            scores[rows] = process.log_likelihood(asked.curves[rows], mean, variance)
        return scores - scores.max(axis=1, keepdims=True)

    def _retrieval(self, known: Samples, asked: Samples) -> Array:
        """(k, n_rows) similarity to the nearest known curve of a row, 0 where there is none."""
        scores = np.zeros((len(asked), len(self.table)))
        cosines = unit(asked.curves) @ unit(known.curves).T
        for place, column in zip((self.table.index[row] for row in known.rows), cosines.T, strict=True):
            scores[:, place] = np.maximum(scores[:, place], column)
        return scores


def log_prior(table: CompositionTable, rows: Sequence[Row]) -> Array:
    """(n_rows,) log probability of a row: that of its ratio, even among the rows that share it."""
    seen = Counter(ratio_of(row) for row in rows)
    size = Counter(ratio_of(row) for row in table.rows)
    return np.log([(seen[ratio_of(row)] + 0.5) / size[ratio_of(row)] for row in table.rows]) - np.log(len(rows))


def unit(curves: Array) -> Array:
    """Curves of unit Euclidean length."""
    return np.asarray(curves / np.linalg.norm(curves, axis=-1, keepdims=True))
