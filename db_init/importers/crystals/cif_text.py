"""The grammar of CIF: a text into blocks of values by their names.

https://www.iucr.org/resources/cif/spec/version1.1/cifsyntax. Names are compared in lower case, and the dots of newer
dictionaries are the underscores of older ones. A line within a text field is text, whatever it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

TOKEN: Final = re.compile(
    r"""^;(?P<text>.*?)(?:\n;|\Z)
    |(?P<comment>\#[^\n]*)
    |(?P<triple>'{3}|"{3})(?P<long>.*?)(?P=triple)
    |'(?P<single>(?:[^'\n]|'(?=\S))*)'
    |"(?P<double>(?:[^"\n]|"(?=\S))*)"
    |(?P<bare>\S+)""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
UNKNOWN: Final = frozenset({"", "?", "."})
OPERATIONS: Final = re.compile(r"_(xyz|xyz_)$")


@dataclass
class Block:
    """One data block.

    Parameters
    ----------
    name
        What stands behind ``data_``.
    values
        Values by name, one where the name stands alone, a column where it is of a loop.
    broken
        Names of loops whose values do not fill their rows.
    """

    name: str
    values: dict[str, list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def column(self, *names: str) -> list[str] | None:
        """Values of the first of the names that the block has."""
        return next((self.values[name] for name in names if self.values.get(name)), None)

    def value(self, *names: str) -> str | None:
        """The one value of the first of the names that says something."""
        for name in names:
            found = self.values.get(name)
            if found and found[0].strip() not in UNKNOWN:
                return found[0].strip()
        return None


def blocks(text: str) -> list[Block]:
    """Every data block of a text, in order; what stands before the first is passed over."""
    found: list[Block] = []
    tokens = list(_tokens(text))
    at = 0
    while at < len(tokens):
        kind, token = tokens[at]
        at += 1
        if kind == "data":
            found.append(Block(token))
        elif not found:
            continue
        elif kind == "loop":
            at = _loop(found[-1], tokens, at)
        elif kind == "name":
            at = _item(found[-1], token, tokens, at)
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "comment":
            continue
        token = match["long"] if match["triple"] else match[kind or "bare"]
        yield (_kind(token), _body(token)) if kind == "bare" else ("value", token)


def _kind(token: str) -> str:
    """What a bare word is."""
    lower = token.lower()
    if lower.startswith("data_"):
        return "data"
    if lower == "loop_":
        return "loop"
    if token.startswith("_"):
        return "name"
    return "end" if lower.startswith(("save_", "global_", "stop_")) else "value"


def _body(token: str) -> str:
    kind = _kind(token)
    if kind == "data":
        return token[5:]
    return token.lower().replace(".", "_") if kind == "name" else token


def _item(block: Block, name: str, tokens: list[tuple[str, str]], at: int) -> int:
    """One name with its value; words without quotes that follow belong to it."""
    words = []
    while at < len(tokens) and tokens[at][0] == "value":
        words.append(tokens[at][1])
        at += 1
    block.values.setdefault(name, [" ".join(words)])
    return at


def _loop(block: Block, tokens: list[tuple[str, str]], at: int) -> int:
    """A table: names, then values row by row."""
    names = []
    while at < len(tokens) and tokens[at][0] == "name":
        names.append(tokens[at][1])
        at += 1
    cells: list[str] = []
    joined = any(OPERATIONS.search(name) for name in names)  # x, y, z without quotes is one value
    while at < len(tokens) and tokens[at][0] == "value":
        token = tokens[at][1]
        if joined and cells and cells[-1].endswith(","):
            cells[-1] += token
        else:
            cells.append(token)
        at += 1
    if not names:
        return at
    if len(cells) % len(names):
        block.broken |= set(names)
    for place, name in enumerate(names):
        block.values.setdefault(name, cells[place :: len(names)])
    return at
