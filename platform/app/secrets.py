"""Secrets taken out of what is shown to others: logs, settings, reports."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"
SECRET_NAMES: Final = re.compile(r"(?i)(password|passwd|token|secret|api_?key|credential)")
# what a secret looks like where nobody said that it is one: a password in an address, a token of ours, a named value
SECRETS: Final = (
    # up to the last @ of the word: a password that is not written as %40 may hold one
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/@:]*:)\S+(?=@)"),
    re.compile(r"(?P<keep>fermiloop_[0-9a-f]{8}_)[A-Za-z0-9_-]+"),  # see `store.tokens`; the line may be cut off
    re.compile(
        r"(?i)(?P<keep>\b[\w-]*(?:password|passwd|token|secret|api_?key)[\"']?\s*[=:]\s*[\"']?)(?!\*)[^\s\"',;}]+"
    ),
    re.compile(r"(?i)(?P<keep>\bbearer\s+)\S+"),
)


def without_secrets(value: object) -> object:
    """The same tree with every secret replaced, by the name of its key or by its look."""
    if isinstance(value, dict):
        return {
            str(key): HIDDEN if SECRET_NAMES.search(str(key)) and isinstance(one, str) else without_secrets(one)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(one) for one in value]
    return plain_text(value) if isinstance(value, str) else value


def plain_text(text: str) -> str:
    """A text with every secret in it replaced."""
    for pattern in SECRETS:
        text = pattern.sub(lambda found: f"{found['keep']}{HIDDEN}", text)
    return text
