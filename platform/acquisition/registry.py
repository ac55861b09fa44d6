"""Every acquisition by the name that a campaign asks for."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.acquisition.acquisitions import (
    ExpectedImprovement,
    Greedy,
    Hypervolume,
    Probability,
    Random,
    Thompson,
    UpperConfidenceBound,
)
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fermiloop.platform.acquisition.protocol import Acquisition

KINDS: Final = (Probability, ExpectedImprovement, UpperConfidenceBound, Thompson, Hypervolume, Greedy, Random)
ACQUISITIONS: Final[dict[str, type[Acquisition]]] = {kind.name: kind for kind in KINDS}


def build(name: str, options: Mapping[str, Any] | None = None) -> Acquisition:
    """An acquisition with its options.

    Raises
    ------
    InputError
        If the name or an option is unknown, or an option is no number within its range.
    """
    if name not in ACQUISITIONS:
        raise InputError(f"{name!r} is no acquisition; known are {', '.join(ACQUISITIONS)}.")
    kind, given = ACQUISITIONS[name], dict(options or {})
    own = parameters(name)
    for key, value in given.items():
        if key not in own:
            takes = f"it takes {', '.join(own)}" if own else "it takes none"
            raise InputError(f"The acquisition {name} has no option {key}; {takes}.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"The option {key} of the acquisition {name} must be a number, not {value!r}.")
    return kind(**{key: float(value) for key, value in given.items()})


def parameters(name: str) -> tuple[str, ...]:
    """Names of the options that an acquisition takes."""
    return tuple(field.name for field in fields(ACQUISITIONS[name]))  # type: ignore[arg-type]  # all are dataclasses


def told() -> list[str]:
    """A line on each: its name, what it is and when to use it."""
    return [f"{kind.name}: {kind.title}. {kind.when}" for kind in ACQUISITIONS.values()]
