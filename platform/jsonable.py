"""JSON for all: one encoder, in which NaN and infinity are null and numpy's numbers are numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any


def plain(value: Any, *, finite: bool = True) -> Any:
    """Make a value JSON-ready: keys as text, times as ISO 8601, arrays as lists.

    Parameters
    ----------
    value
        Anything; what JSON has no form for becomes its text.
    finite
        Whether NaN and infinity become None; else they stay.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, finite=finite) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value), finite=finite)
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [plain(item, finite=finite) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):
        inner = value.tolist()
        return str(inner) if isinstance(inner, complex | bytes) else plain(inner, finite=finite)
    if isinstance(value, float) and finite and not math.isfinite(value):
        return None
    return value if isinstance(value, int | float | bool | None) else str(value)


def text(value: Any, **layout: Any) -> str:
    """Strict JSON; `layout` as that of `json.dumps`, such as ``indent``."""
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False, **layout)
