"""The surrogate of a round as the funnel asks it: for the similarity, and for each property."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from fermiloop.flows.campaigns.steps import training_method_of
from fermiloop.flows.campaigns.targets import CrystalSimilarity
from fermiloop.flows.rounds.retrain import SURROGATE, fit_surrogate, learned_from, needs_surrogate
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.generators.protocol import Target
from fermiloop.platform.predictors.surrogates.protocol import SIMILARITY, Prediction, Predictions, Surrogate
from fermiloop.platform.predictors.surrogates.registry import load_surrogate
from fermiloop.platform.screening.funnel import SimilarityModel
from fermiloop.platform.screening.verdicts import PropertyModel
from fermiloop.platform.store import campaigns, checkpoints

Array = NDArray[np.float64]


class Asked:
    """A surrogate that is asked for its parts one after the other, and predicts them once.

    Parameters
    ----------
    surrogate
        Trained.
    """

    def __init__(self, surrogate: Surrogate) -> None:
        self.surrogate = surrogate
        self.parts = frozenset(surrogate.predict(()))
        self._structures: Sequence[Structure] | None = None
        self._told: Predictions = {}

    def part(self, name: str, structures: Sequence[Structure]) -> Prediction:
        """Mean and standard deviation of one part, (n,) each."""
        if self._structures is not structures:
            self._told, self._structures = self.surrogate.predict(structures), structures
        return self._told[name]


@dataclass(frozen=True)
class SimilarityPart:
    """The similarity to the target that the surrogate was trained for."""

    asked: Asked

    def similarity(self, structures: Sequence[Structure], target: Target) -> tuple[Array, Array]:  # noqa: ARG002
        """See `SimilarityModel`."""
        return self.asked.part(SIMILARITY, structures)


@dataclass(frozen=True)
class PropertyPart:
    """One property."""

    asked: Asked
    name: str

    def predict(self, structures: Sequence[Structure]) -> tuple[Array, Array]:
        """See `PropertyModel`."""
        return self.asked.part(self.name, structures)


def models(spec: CampaignSpec, campaign: str, number: int) -> tuple[SimilarityModel | None, dict[str, PropertyModel]]:
    """What predicts the similarity, None where nothing does, and each property that something predicts."""
    wanted = spec.target.curve
    pattern = CrystalSimilarity(wanted.kind) if wanted is not None and spec.target.of_crystals else None
    if not needs_surrogate(spec):
        return pattern, {}
    asked = Asked(_surrogate(spec, campaign, number))
    own: dict[str, PropertyModel] = {name: PropertyPart(asked, name) for name in sorted(asked.parts - {SIMILARITY})}
    return pattern or (SimilarityPart(asked) if SIMILARITY in asked.parts else None), own


def _surrogate(spec: CampaignSpec, campaign: str, number: int) -> Surrogate:
    """The surrogate of a round; a round that an earlier version trained gets one from its snapshot."""
    current = campaigns.round_of(campaign, number)
    checkpoint = current.checkpoints.get(SURROGATE)
    if checkpoint is None:
        data = learned_from(spec, current.snapshot, training_method_of(spec))
        checkpoint = fit_surrogate(spec, number, current.snapshot, data)
        campaigns.update_round(campaign, number, checkpoints={**current.checkpoints, SURROGATE: checkpoint})
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.fetch(checkpoint, Path(folder))
        kept = checkpoints.get(checkpoint)
        return load_surrogate(str(kept.preset), Path(folder), kept.config)
