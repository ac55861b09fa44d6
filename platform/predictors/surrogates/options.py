"""What may be chosen of a surrogate; read with a campaign file, before anything that learns is imported."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

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


USUAL: Final = SurrogateOptions()


def checked(given: Mapping[str, Any], usual: SurrogateOptions = USUAL) -> SurrogateOptions:
    """Options of a person, the others as usual.

    Raises
    ------
    InputError
        If an option is unknown or its value is not one that it takes.
    """
    known = asdict(usual)
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise InputError(f"A surrogate has no option {unknown!r}; known are {', '.join(known)}.")
    return SurrogateOptions(**{**known, **given})
