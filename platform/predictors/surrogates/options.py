"""What may be chosen of a surrogate; read with a campaign file, before anything that learns is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fermiloop.platform.errors import InputError

CURVES: Final = ("model", "labels")


@dataclass(frozen=True)
class SurrogateOptions:
    """Options of every surrogate.

    Parameters
    ----------
    calibrated
        Whether spreads are brought to what held-out labels show.
    curve
        How the similarity to a curve is learned: ``"model"``, by the model made for it (`curve_similarity`), or
        ``"labels"``, as one more label.
    """

    calibrated: bool = True
    curve: str = "labels"

    def __post_init__(self) -> None:
        if self.curve not in CURVES:
            raise InputError(f"The option curve of a surrogate must be {' or '.join(CURVES)}, not {self.curve!r}.")
        if not isinstance(self.calibrated, bool):
            raise InputError(f"The option calibrated of a surrogate must be true or false, not {self.calibrated!r}.")
