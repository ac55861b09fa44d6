"""Files that a campaign file names, found relative to it: a campaign may be run from any folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

OPTIONS: Final = (("pool", "file"),)
"""Generators and those of their options that are paths."""
COMMANDS: Final = ("sample", "fit", "version")
"""Options of the generator `command` that are programs with their arguments."""
SETTINGS: Final = (("recorded", "file"),)
"""The same of engines."""


def anchored(tree: Any, folder: Path) -> Any:
    """The mapping of a campaign file with absolute paths; what is no such mapping is left to the checks."""
    if not isinstance(tree, dict):
        return tree
    found = dict(tree)
    generators = tree.get("generators")
    if isinstance(generators, list):
        found["generators"] = [_programs(_part(one, "options", OPTIONS, folder), folder) for one in generators]
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


def _programs(generator: Any, folder: Path) -> Any:
    """A generator `command` with absolute paths of the files that its words name; a bare first word is a program."""
    if not isinstance(generator, dict) or generator.get("name") != "command":
        return generator
    options = generator.get("options")
    if not isinstance(options, dict):
        return generator
    found = {name: [_word(word, i, folder) for i, word in enumerate(options[name])]
             for name in COMMANDS if isinstance(options.get(name), list)}  # fmt: skip
    return {**generator, "options": {**options, **found}}


def _word(word: Any, place: int, folder: Path) -> Any:
    if not isinstance(word, str) or not word or "\0" in word or (place == 0 and "/" not in word):
        return word
    path = folder / Path(word).expanduser()
    try:
        return str(path.absolute()) if path.is_file() else word
    except OSError:  # no path at all, such as one that is too long
        return word
