"""Projected densities of states out of the files of a calculation."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pymatgen.electronic_structure.dos import CompleteDos

from fermiloop.platform.python import projections
from fermiloop.platform.settings import settings

GENUINE = Path(__file__).parents[3] / ".." / "shared" / "vasp" / "Si"


def folder(step: str) -> Path:
    made = settings().data_dir / "calculations" / "calc-1" / step / "attempt-1"
    made.mkdir(parents=True)
    return made


def test_files_that_are_elsewhere_or_broken_give_none() -> None:
    assert projections.of_calculation("calc-1") is None
    (folder("dos") / "vasprun.xml").write_text("<modeling>")
    assert projections.of_calculation("calc-1") is None


@pytest.mark.filterwarnings("ignore")  # pymatgen's, of what the file lacks
def test_projections_of_the_step_that_computed_the_curve() -> None:
    if not GENUINE.is_dir():
        pytest.skip("the genuine outputs of VASP (../shared/vasp) are not here")
    for step in ("dos", "scf"):
        shutil.copy(GENUINE / step / "vasprun.xml.gz", folder(step))
    found = projections.of_calculation("calc-1")
    assert isinstance(found, CompleteDos)
    assert len(found.pdos) == 2
    assert found.efermi == pytest.approx(6.26639781)  # that of the step dos; of scf it is 6.2335
