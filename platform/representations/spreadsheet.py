"""Cells of a table that a spreadsheet opens without running anything.

A text that begins like a formula is run by spreadsheets (OWASP, "CSV injection"); behind an apostrophe it is a text.
"""

from __future__ import annotations

import math
from typing import Any, Final

STARTS: Final = frozenset("=+-@＝＋－＠")  # of a formula, full-width forms as well
CONTROLS: Final = frozenset("\t\r\n")  # at the beginning of a cell


def safe_cell(value: Any) -> Any:
    """The value of a cell: numbers as they are, a text that looks like a formula behind an apostrophe."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = str(value)
    return f"'{text}" if text[:1] in CONTROLS or text.lstrip()[:1] in STARTS else text
