"""Whose numbers a file holds: by the options, else by the file's own word, else by what it is known for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fermiloop.db_init.importers import mp
from fermiloop.db_init.importers.entries import UNKNOWN, external
from fermiloop.db_init.importers.options import LONGEST, LoadOptions
from fermiloop.schemas.method import Method

MATERIALS_PROJECT_ID: Final = re.compile(r"(?:mp|mvc)-[a-z0-9]+")  # mp-149, or mp-lxf since 2025
WORDS: Final = frozenset({"source", "licence", "license", "functional"})


@dataclass(frozen=True)
class Provenance:
    """Source of a file or a row.

    Parameters
    ----------
    source
        Its name.
    licence
        Its terms.
    functional
        What its numbers were computed with.
    settings
        More that tells its Methods from those of others, such as a release.
    """

    source: str
    licence: str = UNKNOWN
    functional: str = UNKNOWN
    settings: tuple[tuple[str, Any], ...] = ()

    def method(self, **settings: Any) -> Method:
        """Method of its numbers."""
        return external(self.source, self.functional, self.licence, **dict(self.settings), **settings)

    def of(self, key: str) -> dict[str, str]:
        """What is kept with a material."""
        return {"name": self.source, "key": key, "licence": self.licence}


def is_materials_project(key: Any) -> bool:
    """Whether an id is one of the Materials Project."""
    return isinstance(key, str) and MATERIALS_PROJECT_ID.fullmatch(key) is not None


def of_materials_project(row: Mapping[str, Any]) -> Provenance:
    """Provenance of a summary document of the Materials Project."""
    meta = row.get("builder_meta")
    release = meta.get("database_version") if isinstance(meta, Mapping) else None
    return Provenance(mp.NAME, mp.LICENCE, mp.FUNCTIONAL, (("release", str(release or UNKNOWN)),))


def stated(row: Mapping[str, Any]) -> dict[str, str]:
    """What a row, or the first line of a file, says of its source itself."""
    found = {}
    source = row.get("source")
    if isinstance(source, Mapping):  # {"name": …, "licence": …}
        row, source = {**source, **row}, source.get("name")
    licence = row.get("licence") or row.get("license")
    for name, value in (("source", source), ("licence", licence), ("functional", row.get("functional"))):
        if isinstance(value, str) and value.strip() and len(value) <= LONGEST:
            found[name] = value.strip()
    return found


def settle(options: LoadOptions, said: Mapping[str, str], known: Provenance | None, name: str) -> Provenance:
    """Provenance by options, by the file's own word, by what it is known for, and else unknown under the file's name.

    What is known of a source holds for that source only: another name, given or stated, is another source.
    """
    source = options.source or said.get("source")
    if source is not None and (known is None or source != known.source):
        known = None
    base = known or Provenance(source or name)
    return Provenance(
        source or base.source,
        options.licence or said.get("licence") or base.licence,
        options.functional or said.get("functional") or base.functional,
        base.settings,
    )
