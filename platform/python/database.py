"""The database: made ready, filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fermiloop.platform.app import database as app
from fermiloop.platform.errors import InputError
from fermiloop.platform.python.connecting import connected


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Parameters
    ----------
    loaded, already, quarantined
        How many entries are new, were there already, or were refused, each with its reason in quarantine.
    notes
        What is worth knowing, a sentence each.
    """

    loaded: int
    already: int
    quarantined: int
    notes: tuple[str, ...] = field(default=())


def init() -> list[str]:
    """Make indexes and bring the schema up to date; may be repeated. What was done, a sentence each."""
    connected()
    return app.init()


def stop() -> bool:
    """Stop the embedded server, if one runs; the next use starts it again. A server of your own is left alone."""
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import connection, embedded

    if settings().mongodb_uri:
        return False
    connection.disconnect()
    return embedded.stop(settings().data_dir)


def load(
    source: str | Path,
    *,
    elements: Iterable[str] = (),
    chemical_system: str | None = None,
    limit: int | None = None,
    filter: str | None = None,  # noqa: A002 - OPTIMADE's word
    dos: bool = False,
    licence: str | None = None,
    name: str | None = None,
    functional: str | None = None,
    columns: Mapping[str, str] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Loaded:
    """Load materials, as ``fermiloop db load`` does; what is bad goes to quarantine, a repeat adds nothing.

    Parameters
    ----------
    source
        ``"seed"`` (the library that is shipped), ``"mp"``, ``"optimade:URL"``, ``"jarvis:FILE"``, or a file or folder
        of any known form; docs/importers.md lists them.
    elements, chemical_system, limit, filter, dos
        What is taken of the Materials Project or of an OPTIMADE provider.
    licence, name, functional
        Terms of the source, its name, and the functional of its numbers, where it states none itself.
    columns
        Of a table: what its columns hold, such as ``{"heat_ref": "formation_energy_per_atom"}``.
    progress
        Told a stage and the share of it that is done.

    Raises
    ------
    InputError
        If the source is unknown, or nothing of it could be loaded.
    """
    from fermiloop.db_init.importers.options import LoadOptions

    where = str(source)
    options = LoadOptions(
        elements=tuple(elements), chemsys=chemical_system, limit=limit, filter=filter, dos=dos, licence=licence,
        source=name, functional=functional, columns=dict(columns or {}),
    )  # fmt: skip
    app.check_source(where)
    connected()
    done = asdict(app.load(where, options, progress))
    made = Loaded(done["loaded"], done["already"], done["quarantined"], tuple(done["notes"]))
    if made.loaded + made.already == 0:
        raise InputError(f"Nothing of {where} could be loaded{': ' + made.notes[0] if made.notes else '.'}")
    return made
