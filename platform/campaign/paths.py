"""Files that a campaign file names, found relative to it: a campaign may be run from any folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

OPTIONS: Final = (("pool", "file"),)
"""Generators and those of their options that are paths."""
SETTINGS: Final = (("recorded", "file"),)
"""The same of engines."""


def anchored(tree: Any, folder: Path) -> Any:
    """The mapping of a campaign file with absolute paths; what is no such mapping is left to the checks."""
    if not isinstance(tree, dict):
        return tree
    found = dict(tree)
    generators = tree.get("generators")
    if isinstance(generators, list):
        found["generators"] = [_part(one, "options", OPTIONS, folder) for one in generators]
    found |= {"engine": _part(tree["engine"], "settings", SETTINGS, folder)} if "engine" in tree else {}
    return found


def _part(part: Any, key: str, paths: tuple[tuple[str, str], ...], folder: Path) -> Any:
    if not isinstance(part, dict) or not isinstance(part.get(key), dict):
        return part
    inner = dict(part[key])
    for name, path in paths:
        if part.get("name") == name and isinstance(inner.get(path), str) and inner[path]:
            inner[path] = str((folder / Path(inner[path]).expanduser()).resolve())
    return {**part, key: inner}
