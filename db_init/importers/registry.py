"""IMPORTERS: which importer a source asks for, and the options that it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from fermiloop.db_init import bundle
from fermiloop.db_init.importers import (
    exchange,
    exchange_file,
    folder,
    jarvis,
    jobstore,
    json_files,
    mp,
    optimade,
    seed,
    table,
    vasprun,
)
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError


class Source(StrEnum):
    """Kinds of sources."""

    SEED = "seed"
    MATERIALS_PROJECT = "mp"
    OPTIMADE = "optimade"
    JARVIS = "jarvis"
    JOBSTORE = "jobstore"
    CAMPAIGN = "campaign"
    EXCHANGE = "exchange"
    JSONL = "jsonl"
    TABLE = "table"
    VASP = "vasp"
    STRUCTURES = "structures"


@dataclass(frozen=True)
class Importer:
    """One kind of source.

    Parameters
    ----------
    pattern
        Regular expression of the whole source; its group is what the importer is given.
    load
        Takes what the group holds, a progress and the options.
    takes
        Options that it takes.
    holds
        Looks into what the pattern matches, where a name says too little.
    """

    pattern: str
    load: Callable[[str, Progress, LoadOptions], LoadReport]
    takes: frozenset[str] = frozenset()
    holds: Callable[[str], bool] = lambda _: True


PACKED: Final = r"(?:\.(?:gz|bz2|xz|lzma))?"

# looked through in this order
IMPORTERS: Final[dict[Source, Importer]] = {
    Source.SEED: Importer("()seed", lambda _, progress, __: seed.load(progress=progress)),
    Source.MATERIALS_PROJECT: Importer(
        "()mp",
        lambda _, progress, options: mp.load(progress, options),
        frozenset({"elements", "chemsys", "limit", "dos"}),
    ),
    Source.OPTIMADE: Importer("optimade:(.*)", optimade.load, frozenset({"filter", "limit", "licence", "source"})),
    Source.JARVIS: Importer(
        "jarvis:(.*)",
        lambda what, progress, options: jarvis.load(_path(what), progress, options),
        frozenset({"licence"}),
    ),
    Source.JOBSTORE: Importer("jobstore:(.*)", jobstore.load, frozenset({"limit", "licence", "source"})),
    Source.CAMPAIGN: Importer(r"(.*\.(?:tar\.gz|tgz))", lambda what, progress, _: bundle.load(_path(what), progress)),
    Source.EXCHANGE: Importer(  # before all readers of JSON: the header says what it is, whatever the name
        "(.*)",
        lambda what, progress, _: exchange.load(_path(what), progress),
        holds=lambda what: _path(what).is_file() and exchange_file.is_ours(_path(what)),
    ),
    Source.JSONL: Importer(
        rf"(.*\.(?:jsonl|ndjson|json){PACKED})",
        lambda what, progress, options: json_files.load(_path(what), progress, options),
        frozenset({"licence", "source", "functional", "columns"}),
    ),
    Source.TABLE: Importer(
        rf"(.*\.(?:csv|tsv){PACKED})",
        lambda what, progress, options: table.load(_path(what), progress, options),
        frozenset({"licence", "source", "functional", "columns"}),
    ),
    Source.VASP: Importer(
        rf"((?:.*/)?{vasprun.NAME})",
        lambda what, progress, options: vasprun.load(_path(what), progress, options),
        frozenset({"licence", "source"}),
    ),
    Source.STRUCTURES: Importer(
        "(.*)",
        lambda what, progress, options: _structures(_path(what), progress, options),
        frozenset({"licence", "source", "functional", "columns"}),
    ),
}


def load(source: str, progress: Progress = silent, options: LoadOptions = NO_OPTIONS) -> LoadReport:
    """Load a source by its importer.

    Raises
    ------
    InputError
        If it is none, or an option does not go with it.
    """
    kind, what = which(source)
    strange = [name for name in options.given() if name not in IMPORTERS[kind].takes]
    if strange:
        takes = ", ".join(f"--{name}" for name in sorted(IMPORTERS[kind].takes)) or "no option"
        raise InputError(f"The option --{strange[0]} does not go with {source}, which takes {takes}.")
    return IMPORTERS[kind].load(what, progress, options)


def which(source: str) -> tuple[Source, str]:
    """Kind of a source, and what its importer is given.

    Raises
    ------
    InputError
        If it is none.
    """
    if not source or not _path(source).is_dir():
        for kind, importer in IMPORTERS.items():
            found = re.fullmatch(importer.pattern, source, re.DOTALL)
            if not found or not importer.holds(found[1]):
                continue
            if kind is not Source.STRUCTURES or folder.is_structure_file(_path(source)):
                return kind, found[1]
        raise InputError(
            f"{source} is no source: give seed, mp, optimade:URL, jarvis:FILE, jobstore:FILE, a .json, .jsonl or .csv "
            "file, the .tar.gz of a campaign, a CIF, POSCAR, extended XYZ or vasprun.xml file, or a folder of them."
        )
    return Source.STRUCTURES, source


def _structures(where: Path, progress: Progress, options: LoadOptions) -> LoadReport:
    """Load a structure file or a folder, which may hold VASP runs as well: POSCAR and CONTCAR of a run are its own."""
    runs = frozenset(vasprun.runs_below(where)) if where.is_dir() else frozenset()
    if not runs:
        return folder.load(where, progress, options)
    found = vasprun.load(where, progress, options)
    leave = frozenset(path.parent for path in runs)
    if not folder.structure_files(where, leave):
        return found
    rest = folder.load(where, progress, options, leave)
    return LoadReport(
        found.loaded + rest.loaded,
        found.already + rest.already,
        found.quarantined + rest.quarantined,
        (*found.notes, *rest.notes),
    )


def _path(text: str) -> Path:
    return Path(text).expanduser()
