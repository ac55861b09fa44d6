"""Programs that a test writes: a few lines of Python in a file of their own, run as separate processes."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from fermiloop.platform.generators.command.generator import Command
from fermiloop.platform.generators.command.options import CommandOptions

HEAD = "import json, os, sys, time\nfrom pathlib import Path\nfolder = Path(sys.argv[-1])\nout = folder / 'out'\n"
CIF = """data_x
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Al1 {one} 0 0 0
Ni1 {two} 0.5 0.5 0.5
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    """Maker of a program; `folder` and `out` are defined in its text, and `cif(a, one, two)`."""

    def make(text: str, name: str = "program") -> list[str]:
        path = tmp_path / f"{name}.py"
        cif = f"def cif(a=2.9, one='Al', two='Ni'):\n    return {CIF!r}.format(a=a, one=one, two=two)\n"
        path.write_text(HEAD + cif + textwrap.dedent(text))
        return [sys.executable, "-S", str(path)]

    return make


@pytest.fixture
def command(program: Callable[..., list[str]], dos_library):
    """Maker of a generator `command` that has seen a few crystals, of the text of its program."""

    def make(text: str, fit: str | None = None, **options) -> Command:
        chosen = {"time_limit": 20.0} | options
        made = Command(CommandOptions(sample=program(text), fit=program(fit, "fit") if fit else (), **chosen))
        made.fit(dos_library.subset(range(4)), 1, lambda stage, share: None)
        return made

    return make
