"""Long lists in parts: one query with all their ids would be too large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """Consecutive parts of at most `size` items."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
