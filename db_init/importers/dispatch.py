"""Which importer a source asks for, and what it may be told."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.importers import IMPORTERS, ImporterDeclaration, in_order

FOLDERS: Final = "structures"
"""The importer of folders."""
logger = logging.getLogger(__name__)


def load(source: str, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a source by its importer.

    Raises
    ------
    InputError
        If it is none, or an option does not go with it.
    PluginError
        If the code of its importer cannot be imported.
    """
    kind, what = which(source)
    declared = IMPORTERS[kind]
    strange = [name for name in options.given() if name not in declared.takes]
    if strange:
        takes = ", ".join(f"--{name}" for name in sorted(declared.takes)) or "no option"
        raise InputError(f"The option --{strange[0]} does not go with {source}, which takes {takes}.")
    report = declared.code()(what, progress, options)
    if not isinstance(report, LoadReport):
        raise InputError(f"The importer {kind} gave {type(report).__name__} and no LoadReport; nothing is known of it.")
    return report


def which(source: str) -> tuple[str, str]:
    """Name of the importer of a source, and what it is given.

    Raises
    ------
    InputError
        If it is none.
    """
    if source and Path(source).expanduser().is_dir():
        return FOLDERS, source
    for declared in in_order():
        what = _asked(declared, source)
        if what is not None:
            return declared.name, what
    *first, last = (one.written for one in in_order() if one.written)
    raise InputError(f"{source} is no source: give {', '.join(first)}, or {last}.")


def _asked(declared: ImporterDeclaration, source: str) -> str | None:
    """What an importer would load of a source; one of an installed package that fails over it is passed over."""
    try:
        return declared.what(source)
    except Exception as error:
        if IMPORTERS.source(declared.name) is None:
            raise
        logger.warning("the importer %s failed over %s: %s", declared.name, source, error)
        return None
