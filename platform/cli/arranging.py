"""How rows are arranged: which columns are shown, and by what they are sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import typer

from fermiloop.platform.app import texts
from fermiloop.platform.app.rows import Order, Row
from fermiloop.platform.errors import InputError

SortOption = Annotated[
    str | None,
    typer.Option("--sort", metavar="NAME", help="Sort by this column, smallest first; -NAME for the largest first."),
]
DescendingOption = Annotated[bool, typer.Option("--descending", help="Largest first, with --sort.")]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option("--columns", metavar="NAME,…", help="Show these columns, in this order: formula,band_gap."),
]


def order(text: str | None, known: Iterable[str], *, descending: bool, likeness: bool) -> Order | None:
    """The order of the options, None where none is asked for.

    Raises
    ------
    InputError
        If the column is not known, the direction is given without one, or the rows have another order already.
    """
    if text is None:
        if descending:
            raise InputError("The option --descending says how --sort sorts; give it too, such as --sort id.")
        return None
    if likeness:
        raise InputError("The options --sort and --dos-like both say what comes first; leave one of them out.")
    name = text.removeprefix("-")
    if name not in set(known):
        raise _unknown("column to sort by", name, known)
    return Order(name, descending or text.startswith("-"))


def columns(texts: Sequence[str] | None, known: Mapping[str, str]) -> dict[str, str] | None:
    """Key and heading of the columns asked for, None where all the usual ones are shown.

    Raises
    ------
    InputError
        If one is not known, or none is named.
    """
    if texts is None:
        return None
    names = list(dict.fromkeys(name for text in texts for name in re.split(r"[,\s]+", text) if name))
    if not names:
        raise InputError(f"The list of columns is empty; known are {', '.join(known)}.")
    for name in names:
        if name not in known:
            raise _unknown("column", name, known)
    return {name: known[name] for name in names}


def only(rows: Sequence[Mapping[str, object]], shown: Mapping[str, str] | None) -> list[Row]:
    """Rows with the columns asked for alone."""
    return [dict(row) if shown is None else {name: row.get(name) for name in shown} for row in rows]


def _unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The nearest known name, and all of them."""
    near = texts.nearest(name, known)
    hint = f"did you mean {near}? Known" if near else "known"
    return InputError(f"{name!r} is no {kind}; {hint} are {', '.join(known)}.")
