"""A campaign file that came over the network: no file of the server may be read by it, no value break the store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.campaign.yaml_text import load_mapping
from fermiloop.platform.errors import SpecError
from fermiloop.platform.plugins.engines import ENGINES, EngineDeclaration
from fermiloop.platform.settings import settings

SOURCE: Final = "The campaign"
MOST_DEPTH: Final = 20
LARGEST: Final = 2**63 - 1  # of MongoDB's whole numbers


def read(text: str) -> CampaignSpec:
    """Campaign of a text from elsewhere.

    Raises
    ------
    SpecError
        If it is invalid, names a file of this machine or a program to run, or bears a value that cannot be stored.
    """
    if "\0" in text:
        raise SpecError("The campaign holds a NUL character; a campaign is a YAML text.")
    tree = load_mapping(text, SOURCE)
    _check(tree, 0)
    target = tree.get("target")
    for kind, curve in target.items() if isinstance(target, dict) else ():
        if isinstance(curve, dict) and "file" in curve:
            raise SpecError(f"The campaign names a file under target.{kind}; send its energies and values instead.")
    _refuse_programs(tree)
    _refuse_files(tree)
    return parse_spec(text, source=SOURCE)


def check_engine(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse an engine with settings from elsewhere that a campaign from there could not name either.

    Raises
    ------
    SpecError
        If it names a program to run, a file of this machine, or a value that cannot be stored.
    """
    tree = {"engine": {"name": name, "settings": dict(settings)}}
    _check(tree, 0)
    _refuse_programs(tree)
    _refuse_files(tree)


def _refuse_programs(tree: dict[str, Any]) -> None:
    """Who may launch may not run any program on the workers, unless the one who runs the server says so."""
    what = "the generator command" if any(one.get("name") == "command" for one in _generators(tree)) else ""
    engine = _engine(tree)
    if engine is not None and engine.names_code:
        what = f"the engine {engine.name}"
    if what and not settings().allow_commands:
        raise SpecError(
            f"The campaign names a program to run ({what}), which this server takes from its own command "
            "line only; set FERMILOOP_ALLOW_COMMANDS=true where it is served to allow it to everyone who may launch."
        )


def _refuse_files(tree: dict[str, Any]) -> None:
    """Who may launch may not have any file read: its content, or that it exists, would be seen in the answer."""
    where = ["generators.options.file"] if any("file" in _mapping(one, "options") for one in _generators(tree)) else []
    engine = _engine(tree)
    if engine is not None and engine.names_file and engine.names_file in _mapping(tree["engine"], "settings"):
        where.append(f"engine.settings.{engine.names_file}")
    if where and not settings().allow_commands:
        raise SpecError(
            f"The campaign names a file of this machine ({where[0]}), which this server takes from its own command "
            "line only; load the crystals into the store, or set FERMILOOP_ALLOW_COMMANDS=true where it is served."
        )


def _generators(tree: dict[str, Any]) -> list[dict[str, Any]]:
    given = tree.get("generators")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _engine(tree: dict[str, Any]) -> EngineDeclaration | None:
    """The engine that is named, None where none of that name is installed."""
    name = _mapping(tree, "engine").get("name")
    return ENGINES.get(name) if isinstance(name, str) else None


def _mapping(tree: dict[str, Any], key: str) -> dict[str, Any]:
    value = tree.get(key)
    return value if isinstance(value, dict) else {}


def _check(value: Any, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise SpecError(f"What is given is nested more than {MOST_DEPTH} deep; see docs/campaigns.md.")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or key.startswith("$") or "." in key or "\0" in key:
                raise SpecError("A key cannot be stored; keys are words such as name.")
            _check(key, depth)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise SpecError("A whole number has more than 63 bits; write a smaller one.")
    elif isinstance(value, float) and not math.isfinite(value):
        raise SpecError("A number is not finite; write a finite one.")


def _check_text(value: str) -> None:
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise SpecError("A value holds a character that is no text; remove it.")
