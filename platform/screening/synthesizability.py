"""Whether a compound of this composition is likely to be one that can be made."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fermiloop.platform.predictors.synthesizability import Synthesizability, shipped
from fermiloop.platform.screening.passes import CRYSTAL_ERRORS
from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.screening.options import SynthesizabilityStage
    from fermiloop.platform.screening.passes import Pass
    from fermiloop.platform.screening.verdicts import Crystal

STAGE: Final = "synthesizability"
KIND: Final = "unlike what was made"


def judge_synthesizability(work: Pass, crystals: Sequence[Crystal]) -> list[Verdict]:
    """Predict for all at once, one by one where one of them spoils the batch.

    Raises
    ------
    InputError
        If the folder of the options holds no model.
    """
    options: SynthesizabilityStage = work.options
    model = _loaded(options.model) if options.model else shipped()

    def check(crystal: Crystal) -> Verdict:
        return _verdict(float(model.predict([crystal.structure])[0][0]), options.least)

    try:
        found = model.predict([crystal.structure for crystal in crystals])[0]
    except CRYSTAL_ERRORS:  # an element beyond Lr
        return work.each(crystals, check)
    return [_verdict(float(probability), options.least) for probability in found]


def _verdict(probability: float, least: float) -> Verdict:
    if probability >= least:
        return Verdict(STAGE, True, value=probability)
    reason = f"a probability of {probability:.2f} that it can be made, less than {least:g}"
    return Verdict(STAGE, False, reason, probability, KIND)


@cache
def _loaded(folder: str) -> Synthesizability:
    return Synthesizability.load(Path(folder))
