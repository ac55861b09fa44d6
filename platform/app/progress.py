"""How long work tells what it does: a sentence, and the share that is done."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]


def silent(_: str, __: float) -> None:
    """Tells nobody."""
