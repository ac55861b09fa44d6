"""Preset ``factorised``: four experts score every composition, held-out data say what each is worth.

* forward: the likelihood of the curve under a Gaussian process from composition to DOS (Bayes' rule
  turned on a forward model; no curve of the composition itself is needed),
* heads: softmax networks for the elements and the ratio,
* prior: how often a ratio occurs among the training compositions,
* retrieval: the best cosine similarity to a training curve of that composition.

The weights of the pool, and with them the calibration of the probabilities, come from folds that
share no composition.

Compositions of three and four elements are scored by the same experts, one by one, as a search asks for them. Where
no curve of so many elements was learned from, all that is known of them is the forward expert's: its kernel is the
overlap of the elements, weighted by amount and by how alike they are (`element_features`), so the curve of a ternary
is pieced together from the unaries and binaries of its elements and of similar ones, without what three kinds of atoms
do together. Its variance grows with the distance from what was learned, and so does the doubt of the likelihood. The
prior then gives each ratio the same small share, and retrieval is silent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from fermiloop.platform.generators.calibration import log_softmax, pool_weights
from fermiloop.platform.generators.experts import forward_scores, log_prior, retrieval
from fermiloop.platform.generators.heads import HeadsEnsemble, HeadsOptions, Layout
from fermiloop.platform.generators.row_array import RowArray
from fermiloop.platform.generators.samples import Samples, compared_rows, fold_numbers
from fermiloop.platform.predictors.dos_process import DosProcess, Inputs, ProcessOptions
from fermiloop.platform.representations.composition import Row, ratio_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXPERTS: Final = ("forward", "heads", "prior", "retrieval")
MOST_CALIBRATED: Final = 1000
"""Samples, taken at random, from which the weights are found: their scores of every row are held in memory."""


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
        n_folds = min(self.options.folds, len(set(samples.rows)))
        rng = np.random.default_rng(seed)
        folds = fold_numbers(samples.rows, n_folds, rng)
        self._lay_out(samples)
        history: tuple[float, ...] = ()
        if self.options.heads.epochs:
            history = self.heads.fit(samples, folds, self.options.heads, seed, progress)
        asked = np.sort(rng.permutation(len(samples))[:MOST_CALIBRATED])
        rows, log_share = compared_rows(samples, self.rows, rng)
        held_out = self._held_out(samples, folds, asked, rows)
        place = {int(key): i for i, key in reversed(list(enumerate(rows.keys)))}
        truth = np.array([place[int(key)] for key in RowArray.of(samples.rows, self.table.elements).keys[asked]])
        self.weights = pool_weights(held_out, truth, log_share)
        first = folds[asked] == 0
        self.weights_apart = pool_weights(held_out[:, ~first], truth[~first], log_share)
        self.apart = np.flatnonzero(folds == 0)
        self._keep(samples)
        return history

    def held_out(self) -> tuple[NDArray[np.int64], Array]:
        """Samples of one fold as places, and (k, n_rows) log probabilities of theirs by what learned from the others.

        Of the heads that is one network where `log_probabilities` takes the mean of all. No expert has seen a
        composition of the fold; the weights, four numbers, are those under which samples of the other folds are
        likeliest.
        """
        rest = np.setdiff1d(np.arange(len(self.samples)), self.apart)
        experts = self._experts(self.samples.subset(self.apart), self.samples.subset(rest), self.rows, 0)
        return self.apart, log_softmax(np.tensordot(self.weights_apart, experts, axes=1))

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_rows) calibrated log probabilities of (k, n_points) unit-area curves."""
        return log_softmax(self.scores(self.rows, curves, systems))

    def scores(self, rows: RowArray, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, m) log probabilities of any m compositions, but for a constant of each curve."""
        asked = self.samples.of_curves(curves, systems)
        experts = np.zeros((len(EXPERTS), len(curves), len(rows)))
        experts[0] = forward_scores(self.process, asked, rows)
        if self.heads.networks:
            experts[1] = self.heads.scores(curves, systems, rows)
        experts[2] = log_prior(rows, self.samples.rows)
        experts[3] = retrieval(self.samples, asked, rows)
        return np.asarray(np.tensordot(self.weights, experts, axes=1))

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to restore from."""
        weights = {"weights": self.weights, "weights_apart": self.weights_apart}
        return {"curves": self.samples.curves, "apart": self.apart} | weights | self.heads.state()

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
        model._lay_out(samples)
        model.weights = np.asarray(state["weights"])
        model.weights_apart = np.asarray(state.get("weights_apart", model.weights))  # not in models of before
        model.apart = np.asarray(state.get("apart", []), dtype=np.int64)
        model.heads.restore(state, int(config["n_networks"]))
        model._keep(samples)
        return model

    def _lay_out(self, samples: Samples) -> None:
        self.table = samples.table()
        self.rows = RowArray.of(self.table.rows, self.table.elements)
        self.heads = HeadsEnsemble(self.table.elements, self._layout(samples))

    def _keep(self, samples: Samples) -> None:
        self.samples = samples
        self.process = self._process(samples)

    def _layout(self, samples: Samples) -> Layout:
        return Layout(
            n_points=samples.curves.shape[1],
            step=samples.step,
            zero=samples.zero,
            systems=tuple(sorted(set(samples.systems.tolist()))),
            ratios=tuple(sorted({ratio_of(row) for row in (*self.table.rows, *samples.rows)})),
            n_elements=len(self.table.elements),
            n_slots=max(2, samples.most_components),
        )

    def _process(self, samples: Samples) -> DosProcess:
        inputs = Inputs(self.table.fractions(samples.rows), samples.systems, np.zeros((len(samples), 0)))
        return DosProcess(self.table.elements, self.options.process).fit(inputs, samples.curves)

    def _held_out(self, samples: Samples, folds: NDArray[np.int64], asked: NDArray[np.int64], rows: RowArray) -> Array:
        """(n_experts, n_asked, m) scores of samples by experts that did not see their compositions."""
        held_out = np.zeros((len(EXPERTS), len(asked), len(rows)))
        for fold in range(int(folds.max()) + 1):
            here = folds[asked] == fold
            part, rest = samples.subset(asked[here]), samples.subset(np.flatnonzero(folds != fold))
            held_out[:, here] = self._experts(part, rest, rows, fold)
        return held_out

    def _experts(self, part: Samples, rest: Samples, rows: RowArray, fold: int) -> Array:
        """(n_experts, k, m) scores of k samples by experts that learned from the rest: all but a fold."""
        experts = np.zeros((len(EXPERTS), len(part), len(rows)))
        forward = forward_scores(self._process(rest), part, rows)
        experts[EXPERTS.index("forward")] = forward - forward.max(axis=1, keepdims=True)
        if self.heads.networks:
            experts[EXPERTS.index("heads")] = self.heads.scores(part.curves, part.systems, rows, fold)
        experts[EXPERTS.index("prior")] = log_prior(rows, rest.rows)
        experts[EXPERTS.index("retrieval")] = retrieval(rest, part, rows)
        return experts
