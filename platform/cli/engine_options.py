"""Options of commands that compute by an engine: its name, its settings, and who computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fermiloop.flows.driving.referencing import How

Engine = Annotated[str, typer.Option("--engine", help="Engine, such as gpaw-hard or chgnet.")]
Settings = Annotated[
    list[str] | None, typer.Option("--settings", metavar="NAME=VALUE", help="A setting of the engine; repeatable.")
]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Workers of this command; 0: in this process.")]
Queued = Annotated[bool, typer.Option("--queue", help="Leave it to workers that run elsewhere, and return at once.")]
TimeLimit = Annotated[float, typer.Option("--time-limit", min=1, help="Seconds that each step may take.")]


def parsed(given: Iterable[str] | None) -> dict[str, Any]:
    """Settings as an engine takes them; values are read as YAML: ``cutoff=600``, ``reference_corrections={O: 0.4}``.

    Raises
    ------
    InputError
        If one is not written so.
    """
    import yaml

    found: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InputError(f"The setting {text!r} is not understood; write it as cutoff=600.")
        try:
            found[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"The value of the setting {name} cannot be read: {value!r}.") from None
    return found


def how(engine: str, settings: Iterable[str] | None, workers: int, queue: bool, time_limit: float) -> How:
    """By which engine, and who computes."""
    from fermiloop.flows.driving.referencing import How

    return How(engine, parsed(settings), workers=workers or None, queue=queue, time_limit=time_limit)


def split(words: Iterable[str] | None) -> list[str] | None:
    """Symbols of ``--elements V,O`` and ``--elements V --elements O``; None where none is given."""
    return None if not words else [symbol for one in words for symbol in one.split(",") if symbol]
