"""Where an export goes: a file whose ending names its form, or a folder of crystals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.app.texts import one_of
from fermiloop.platform.cli.failures import optimade_wanted
from fermiloop.platform.cli.output import print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from fermiloop.platform.store.exchange_records import Selection

FORMS: Final = ("cif", "cif-p1", "poscar", "extxyz")  # of `representations.crystal_files`, which is heavy

ToArgument = Annotated[
    Path,
    typer.Argument(
        help="A file that ends in .json, .jsonl, .csv or .optimade.jsonl, each with .gz or without, or a folder for "
        "one file a crystal."
    ),
]
FormOption = Annotated[
    str | None,
    typer.Option("--form", help="Of the files in a folder: cif (symmetrised), cif-p1, poscar or extxyz."),
]


@dataclass(frozen=True)
class Target:
    """A file, or a folder with the form of its files."""

    path: Path
    form: str | None

    @classmethod
    def of(cls, path: Path, form: str | None) -> Target:
        """What was asked for, checked before the store is.

        Raises
        ------
        InputError
            If the ending names no form, the folder of the file is not there, or a form is given for a file.
        """
        if path.is_dir() or not path.suffix:
            return cls(path, one_of("form of a crystal's file", form or FORMS[0], FORMS))
        if form is not None:
            raise InputError(f"The option --form is for a folder, and {path} names a file; leave one of them out.")
        from fermiloop.platform.store import exports

        exports.form_of(path)
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}; make it, or name another one.")
        return cls(path, None)

    def write(self, selection: Selection) -> None:
        """Write an export there, and say what it holds.

        Raises
        ------
        UserError
            If it needs a package that is not installed.
        """
        with long_work("Export", quiet_for=5.0):
            told = self._write(selection)
        print_line(told)  # what is printed within long work is discarded

    def _write(self, selection: Selection) -> str:
        """Write it; what was written, in a sentence."""
        from fermiloop.platform.representations.crystal_files import CrystalForm
        from fermiloop.platform.store import export_folder, exports

        if self.form is not None:
            n = export_folder.write(selection, self.path, CrystalForm(self.form))
            return f"Wrote {n} crystals and index.csv to {self.path}."
        with optimade_wanted():
            exports.write(selection, self.path)
        return f"Wrote {selection.n} {selection.kind} to {self.path}."
