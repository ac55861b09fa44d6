"""What a load did, and why it refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fermiloop.platform.errors import FermiloopError

Progress = Callable[[str, float], None]  # (what is done, fraction in [0, 1])


@dataclass(frozen=True)
class LoadReport:
    """Counts of a load.

    Parameters
    ----------
    loaded
        New materials; of the archive of a campaign, new documents of any kind.
    already
        Those that the store held.
    quarantined
        Lines, files or parts of them refused, each kept with its reason.
    notes
        What was passed over on purpose, each a sentence.
    """

    loaded: int
    already: int
    quarantined: int
    notes: tuple[str, ...] = ()


def reason_of(error: Exception) -> str:
    """Why a line was refused, in words."""
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    return str(error) if isinstance(error, FermiloopError) else f"{type(error).__name__}: {error}"


def silent(step: str, fraction: float) -> None:
    """Progress that nobody watches."""
