"""Exports over the network, sent piece by piece: nothing is held whole, and each piece is bounded work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from fastapi import Response
from fastapi.responses import StreamingResponse

from fermiloop.platform.api.problems import Refusal
from fermiloop.platform.api.site import Site
from fermiloop.platform.store import exports
from fermiloop.platform.store.exchange_records import Selection
from fermiloop.platform.store.exports import Form


async def export(here: Site, selection: Selection, form: Form) -> Response:
    """The response that sends an export.

    The first piece is made before the answer begins, so that what is wrong at once is told with its status. What goes
    wrong later cuts the answer off; the counts in the header of a file tell that something is lacking.

    Raises
    ------
    Refusal
        503 if too many exports are under way.
    """
    if here.work.exports >= here.limits.exports:
        raise Refusal(503, f"{here.limits.exports} exports are under way already; try again in a moment.")
    pieces = exports.pieces(selection, form)
    here.work.exports += 1  # before anything is waited for, or all that come together would pass
    try:
        first = await here.work.run(lambda: next(pieces, ""))
    finally:
        here.work.exports -= 1  # what is sent counts by itself: an answer that never begins must not count for ever
    name = f"fermiloop-{selection.kind}.{form}"
    return StreamingResponse(
        _sent(here, first, pieces),
        media_type=exports.MEDIA_TYPE[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _sent(here: Site, first: str, pieces: Iterator[str]) -> AsyncIterator[bytes]:
    here.work.exports += 1
    try:
        piece: str | None = first
        while piece is not None:
            yield piece.encode()
            piece = await here.work.run(lambda: next(pieces, None))
    finally:
        here.work.exports -= 1
