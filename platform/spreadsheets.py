"""Cells that no spreadsheet takes for a formula: what every CSV of fermiloop goes through on its way out."""

from __future__ import annotations

from typing import Any, Final

MARK: Final = "'"  # before a text, which spreadsheets then show as it is
# the wide forms are formulas too where a spreadsheet folds them, as under Japanese settings
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(value: Any) -> Any:
    """A value as it may stand in a CSV: a text that would run as a formula gets a `MARK`, numbers stay numbers."""
    return MARK + value if isinstance(value, str) and _runs(value) else value


def _runs(text: str) -> bool:
    """Whether a spreadsheet may take a text for a formula; a text that is a number is none."""
    starts = text.startswith(FORMULA) or text.lstrip().startswith(FORMULA)
    return starts and not _is_number(text)


def _is_number(text: str) -> bool:
    if text != text.strip():
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True
