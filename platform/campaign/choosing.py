"""How a campaign gets from answers to its next batch: the one path that campaigns and replays take.

A surrogate is trained on all answers (`train`), predicts the candidates, and `choose` makes a batch of what is believed
of them. Seeds are those of the campaign, its round and the place within it, so that a campaign and its replay choose
alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from fermiloop.platform.acquisition.batches import select_batch
from fermiloop.platform.acquisition.belief import incumbent
from fermiloop.platform.campaign import names
from fermiloop.platform.campaign.goal import believe, level, score_of
from fermiloop.platform.campaign.spec_fields import Number, Options, Part, Text, known
from fermiloop.platform.errors import UserError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS, acquisition
from fermiloop.platform.plugins.surrogates import SURROGATES
from fermiloop.platform.representations.fingerprint import N_BINS, fingerprint
from fermiloop.platform.representations.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.acquisition.protocol import Acquisition
    from fermiloop.platform.campaign.spec import CampaignSpec
    from fermiloop.platform.predictors.surrogates.protocol import Predictions, Surrogate
    from fermiloop.platform.representations.training import FitReport, Target, TrainingSet

    Array = NDArray[np.float64]

PROBABILITY: Final = "probability"
SELECTION: Final = 1001
"""Place of the acquisition's seed within a round ..."""
SURROGATE: Final = 1003
"""... and of the surrogate's."""
FINGERPRINTS: Final = Memory(lambda structures: np.stack([fingerprint(one) for one in structures]), 12_000)


class AcquisitionSpec(Part):
    """How the candidates to evaluate are chosen."""

    name: Annotated[Text, AfterValidator(known("acquisition", ACQUISITIONS))] = Field(
        default=PROBABILITY, description="an acquisition; left out, the one that suits the target"
    )
    options: Options = Field(default_factory=dict, description="the acquisition's own parameters")
    diversity: Number = Field(default=0.2, ge=0, le=1, description="weight of being unlike what is chosen already")
    exploration: Number = Field(
        default=1.0, ge=0, le=100, description="weight of the uncertainty, where the acquisition has one"
    )
    share: Annotated[Text, AfterValidator(known("share", names.SHARES))] = Field(
        default="all", description="whether all candidates compete as one, or their generators by a bandit"
    )

    @model_validator(mode="after")
    def _options(self) -> AcquisitionSpec:
        if self.name not in ACQUISITIONS:  # of a stored campaign, see `known`
            return self
        try:
            self.build()
        except UserError as error:
            raise ValueError(f"acquisition.options cannot be used: {str(error).rstrip('.')}") from None
        return self

    def build(self) -> Acquisition:
        """The acquisition with its parameters; `exploration` stands in for an option of that name."""
        given = {"exploration": self.exploration, **self.options}
        declared = acquisition(self.name)
        if "exploration" not in self.options and "exploration" not in declared.option_names():
            del given["exploration"]
        made: Acquisition = declared.build(given)
        return made


def seed_of(spec: CampaignSpec, number: int, *place: int) -> int:
    """Seed of one random thing of one round: the same place always gets the same."""
    return int(np.random.SeedSequence([spec.seed, number, *place]).generate_state(1)[0])


def features(structures: Sequence[Structure]) -> Array:
    """(n, 80) where candidates lie: what a batch is to be unlike in."""
    return FINGERPRINTS.rows(structures).reshape(len(structures), N_BINS)


def train(
    spec: CampaignSpec,
    target: Target,
    data: TrainingSet,
    number: int,
    progress: Callable[[str, float], None] = lambda _what, _share: None,
    resume: Path | None = None,
) -> tuple[Surrogate, FitReport]:
    """The surrogate of a round, trained on what is known, in the order of ids.

    Scales are those of the training set: taken over the candidates too, they find no more (see docs/replay.md).
    """
    order = sorted(range(len(data)), key=lambda i: data.ids[i])
    surrogate = SURROGATES[spec.surrogate.name].build(spec.surrogate.options)
    report = surrogate.fit(data.subset(order), target, seed_of(spec, number, SURROGATE), progress, resume)
    return surrogate, report


def worth_training(spec: CampaignSpec, known: int, learned: int | None) -> bool:
    """Whether enough is new since a training on `learned` rows; always where there was none, or schedules train."""
    if learned is None or spec.retrain.by == "schedule":
        return True
    return known - learned >= max(1, spec.retrain.min_new_labels)


def choose(
    spec: CampaignSpec,
    target: Target,
    predictions: Predictions,
    structures: Sequence[Structure],
    n: int,
    computed: Sequence[Mapping[str, float]],
    rng: np.random.Generator,
    *,
    running: Sequence[Structure] = (),
) -> list[int]:
    """Candidates to compute next, at most `n`, best first.

    Parameters
    ----------
    predictions
        By part, mean and standard deviation of the m candidates.
    structures
        Their crystals.
    computed
        What was computed so far, by part as `goal.score_of` takes it.
    running
        Crystals that are being computed.
    """
    belief = believe(target, predictions, computed, len(structures))
    best = incumbent([score_of(target, row)[0] for row in computed], level(target))
    asked, places, begun = spec.acquisition, features(structures), features(running)
    return select_batch(asked.build(), belief, places, n, best, rng, diversity=asked.diversity, running=begun)
