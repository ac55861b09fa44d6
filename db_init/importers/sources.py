"""The importers as a source is given to them: text of a place, progress, options."""

from __future__ import annotations

from pathlib import Path

from fermiloop.db_init import bundle
from fermiloop.db_init.importers import (
    exchange,
    exchange_file,
    folder,
    jarvis,
    jarvis_phonons,
    json_files,
    mp,
    refractive_index,
    seed,
    table,
    vasprun,
)
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport, Progress


def shipped(_: str, progress: Progress, __: LoadOptions) -> LoadReport:
    """The seed libraries."""
    return seed.load_all(progress)


def materials_project(_: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """The Materials Project."""
    return mp.load(progress, options)


def of_jarvis(what: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """A file of JARVIS."""
    return jarvis.load(path(what), progress, options)


def phonons_of_jarvis(what: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """Phonon densities of states of JARVIS."""
    return jarvis_phonons.load(path(what), progress, options)


def refractive_indices(what: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """Measured refractive indices."""
    return refractive_index.load(path(what), progress, options)


def campaign(what: str, progress: Progress, _: LoadOptions) -> LoadReport:
    """The bundle of a campaign."""
    return bundle.load(path(what), progress)


def exchanged(what: str, progress: Progress, _: LoadOptions) -> LoadReport:
    """What export wrote."""
    return exchange.load(path(what), progress)


def is_exchanged(what: str) -> bool:
    """Whether export wrote it: the header says so."""
    return path(what).is_file() and exchange_file.is_ours(path(what))


def json_lines(what: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """Crystals as JSON."""
    return json_files.load(path(what), progress, options)


def rows(what: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """A table."""
    return table.load(path(what), progress, options)


def vasp_run(what: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """A run of VASP."""
    return vasprun.load(path(what), progress, options)


def structures(what: str, progress: Progress, options: LoadOptions) -> LoadReport:
    """A structure file or a folder, which may hold VASP runs as well: POSCAR and CONTCAR of a run are its own."""
    where = path(what)
    runs = frozenset(vasprun.runs_below(where)) if where.is_dir() else frozenset()
    if not runs:
        return folder.load(where, progress, options)
    found = vasprun.load(where, progress, options)
    leave = frozenset(run.parent for run in runs)
    if not folder.structure_files(where, leave):
        return found
    rest = folder.load(where, progress, options, leave)
    return LoadReport(
        found.loaded + rest.loaded,
        found.already + rest.already,
        found.quarantined + rest.quarantined,
        (*found.notes, *rest.notes),
    )


def is_structure_file(what: str) -> bool:
    """Whether its name is that of a structure file."""
    return folder.is_structure_file(path(what))


def path(text: str) -> Path:
    """The file or folder that a text names."""
    return Path(text).expanduser()
