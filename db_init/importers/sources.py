"""Which importer a source asks for."""

from __future__ import annotations

from pathlib import Path

from fermiloop.db_init.importers import folder, jsonl, seed
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError


def load(source: str, progress: Progress = silent) -> LoadReport:
    """Load ``seed``, a ``.jsonl`` or ``.jsonl.gz`` file of structures, or a folder.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if source == "seed":
        return seed.load(progress=progress)
    path = Path(source).expanduser()
    if path.is_dir():
        return folder.load(path, progress)
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return jsonl.load(path, progress)
    raise InputError(
        f"{source} is no source: give seed, a .jsonl or .jsonl.gz file, or a folder of CIF or POSCAR files."
    )
