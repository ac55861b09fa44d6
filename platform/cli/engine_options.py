"""Options of commands that compute by an engine: its name, its settings, and who computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    """Settings as an engine takes them."""
    from fermiloop.platform.app import computing

    return computing.settings_of(given or ())


def how(engine: str, settings: Iterable[str] | None, workers: int, queue: bool, time_limit: float) -> How:
    """By which engine, and who computes."""
    from fermiloop.flows.driving.referencing import How

    return How(engine, parsed(settings), workers=workers or None, queue=queue, time_limit=time_limit)


def split(words: Iterable[str] | None) -> list[str] | None:
    """Symbols of ``--elements V,O``, with or without spaces, and ``--elements V --elements O``; None without any."""
    return None if not words else [symbol for one in words for symbol in one.replace(",", " ").split()]
