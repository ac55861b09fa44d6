"""The contract of importers: what is good goes in, a repeat adds nothing, and what is no source is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fermiloop.db_init.importers import dispatch
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.platform.plugins.importers import IMPORTERS
from fermiloop.platform.testing.expecting import expect, refused

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_importer(name: str, source: str, *, missing: Sequence[str] = (), options: LoadOptions = NO_OPTIONS) -> None:
    """Load a source twice into the connected database, which should be one for tests.

    Parameters
    ----------
    name
        Of an installed importer.
    source
        Something small that it loads, as ``fermiloop db load`` is given it.
    missing
        Sources of its kind that are not there or hold nothing of it.
    options
        As for ``fermiloop db load``.

    Raises
    ------
    AssertionError
        Over the first thing that is wrong, in one sentence.
    """
    found, _ = dispatch.which(source)
    expect(found == name, f"{source} must be a source of {name}, and is taken by {found}.")
    known = set(LoadOptions.__dataclass_fields__)
    strange = sorted(IMPORTERS[name].takes - known)
    expect(not strange, f"{name} takes {', '.join(strange)}, which is no option of a load.")
    shares: list[tuple[str, float]] = []
    first = dispatch.load(source, lambda what, share: shares.append((what, share)), options)
    expect(first.loaded > 0, f"{source} must add a material to an empty database; {first.quarantined} were refused.")
    told = all(isinstance(what, str) and what and 0 <= share <= 1 for what, share in shares)
    expect(told, "progress must be told what is done, with shares in 0 to 1.")
    again = dispatch.load(source, options=options)
    expect(again.loaded == 0, f"A repeat must add nothing, and added {again.loaded}.")
    expect(again.already > 0, "A repeat must count what is there already.")
    for one in missing:
        with refused(f"The source {one}"):
            dispatch.load(one, options=options)
