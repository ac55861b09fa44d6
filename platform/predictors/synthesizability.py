"""How likely a compound can be made, learned from which crystals of a database are in the ICSD.

A crystal of the ICSD has been made; of one that is not there nothing is known, so these are positives and unlabelled
ones, not positives and negatives. Small networks on the composition each see a bootstrap of the unlabelled, weighted
like all positives together (bagging: Mordelet and Vert, Pattern Recognit. Lett. 37, 201, 2014). Their mean is brought
to the share of labels p(s=1|x) and divided by its mean c over positives held out of the training, which gives
p(y=1|x) where positives are labelled at random (Elkan and Noto, KDD 2008). They are not: what is well studied is in the
ICSD, so a low number says that nothing like it was made yet, not that it cannot be.

It sees compositions alone: designs are judged before they are relaxed, and crystals of a database are relaxed.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from pymatgen.core import Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import composition_descriptors
from fermiloop.platform.predictors.files import Arrays, Config, Packed
from fermiloop.platform.predictors.members import MembersModel, MembersOptions, held_out
from fermiloop.platform.representations.training import FitReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Composition

    from fermiloop.platform.predictors.members import Outputs

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SHIPPED: Final = Path(__file__).parent / "icsd"
"""Trained on the 16,269 labelled crystals of the Materials Project of docs/results.md."""
FEWEST: Final = 20


@dataclass(frozen=True)
class SynthesizabilityOptions(MembersOptions):
    """How the networks are trained; see `MembersOptions`."""

    width: int = 64
    epochs: int = 30
    batch_size: int = 256
    dropout: float = 0.2


class Synthesizability(MembersModel):
    """Predicts the probability that a compound can be made.

    Parameters
    ----------
    options
        How the networks are trained.
    """

    name = "synthesizability"

    options: SynthesizabilityOptions

    def __init__(self, options: SynthesizabilityOptions | None = None) -> None:
        self.options = options or SynthesizabilityOptions()

    def fit(
        self,
        items: Sequence[Structure | Composition],
        made: Flags,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """Train on most compositions; the constant c comes from the others.

        Parameters
        ----------
        items
            Crystals or compositions.
        made
            (n,) whether each is known to have been made; of the others nothing is known.
        seed, progress, resume
            As of every model.

        Raises
        ------
        InputError
            If there are fewer than 20 of either kind.
        """
        began = time.process_time()
        labelled = np.asarray(made, dtype=bool)
        if min(labelled.sum(), (~labelled).sum()) < FEWEST:
            raise InputError(
                f"{int(labelled.sum())} crystals that were made and {int((~labelled).sum())} others are too few to "
                f"learn synthesizability from; {FEWEST} of each are needed."
            )
        x = composition_descriptors(items)
        held = held_out([_formula(item) for item in items], np.random.default_rng(seed))
        self._scale_inputs(x[~held])
        self.share = float(labelled[~held].mean())
        history = self._train(self._scaled(x[~held]), labelled[~held], seed, progress, resume)
        found = self._labelled(x[held & labelled])[0]
        self.constant = float(found.mean()) if len(found) else self.share
        metrics = {"constant": self.constant, "share_labelled": self.share}
        return FitReport(metrics, history, int((~held).sum()), int(held.sum()), 0, time.process_time() - began)

    def predict(self, items: Sequence[Structure | Composition]) -> tuple[Array, Array]:
        """Probability that each can be made, and its standard deviation over the networks, (n,) each.

        Raises
        ------
        InputError
            If it is not trained, or an element lies beyond Lr.
        """
        if not hasattr(self, "network"):
            raise InputError("The model of synthesizability is not trained; fit or load it first.")
        if not len(items):
            return np.zeros(0), np.zeros(0)
        mean, std = self._labelled(composition_descriptors(items))
        return np.minimum(mean / self.constant, 1.0), std / self.constant

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {"options": asdict(self.options), "share": self.share, "constant": self.constant}
        return config, self._arrays()

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Synthesizability:
        """The same out of what `packed` gave."""
        model = cls(SynthesizabilityOptions(**config["options"]))
        model.share, model.constant = float(config["share"]), float(config["constant"])
        model._restore(arrays)
        return model

    def _train(
        self, x: torch.Tensor, made: Flags, seed: int, progress: Callable[[str, float], None], resume: Path | None
    ) -> tuple[float, ...]:
        """Minimise the cross-entropy, positives and unlabelled weighing the same."""
        labels = torch.tensor(made, dtype=torch.float32)
        balance = torch.where(labels > 0, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))

        def loss_of(outputs: Outputs, rows: torch.Tensor, counts: torch.Tensor, _epoch: int) -> torch.Tensor:
            logits = outputs[0]
            weights = torch.where(labels[rows] > 0, 1.0, counts) * balance[rows]  # all positives are in every bootstrap
            truth = labels[rows].expand_as(logits)
            return torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, weights)

        return self._train_members(x, self.options.epochs, loss_of, seed, progress, self.name, resume)

    def _labelled(self, x: Array) -> tuple[Array, Array]:
        """p(s=1|x), the probability to be labelled, and its standard deviation over the networks, (n,) each."""
        with torch.no_grad():
            even = torch.sigmoid(self.network(self._scaled(x))[0]).numpy().astype(float)
        made = even * self.share
        each = made / (made + (1 - even) * (1 - self.share))  # both kinds weighed the same in the training
        return np.asarray(each.mean(axis=0)), np.asarray(each.std(axis=0))


@cache
def shipped() -> Synthesizability:
    """The model that comes with the package."""
    return Synthesizability.load(SHIPPED)


def _formula(item: Structure | Composition) -> str:
    return (item.composition if isinstance(item, Structure) else item).reduced_formula
