"""vasprun.xml from users: what is refused before it is parsed, and what its reader says."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import Dos

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.registry import read_curve_file
from fermiloop.platform.representations.curve_files.vasprun import edges_of, open_vasprun, reading_of

SILICON = Path(__file__).parents[4] / ".." / "shared" / "vasp" / "Si" / "dos" / "vasprun.xml.gz"
X = np.arange(-10.0, 10.0, 0.1)
UP = np.exp(-((X + 2.0) ** 2))


def run(densities, style="Gamma", parameters=None, bands=(0.0, 0.0, 0.0)):
    """What pymatgen's reader gives, as far as it is asked."""
    gap, cbm, vbm = bands
    return SimpleNamespace(
        kpoints=SimpleNamespace(style=style),
        tdos=Dos(1.0, X, densities),
        parameters=parameters or {},
        eigenvalues={Spin.up: np.zeros((1, 1, 2))},
        eigenvalue_band_properties=(gap, cbm, vbm, True),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><modeling>&c;</modeling>',
            "entities",
        ),
        (b'<?xml version="1.0"?>' + b" " * 3_000 + b'<!doctype a SYSTEM "file:///etc/passwd"><modeling/>', "entities"),
        (b'<?xml version="1.0"?><modeling>' + b" " * ((1 << 20) - 36) + b'<!ENTITY b "c"></modeling>', "entities"),
        (b'<?xml version="1.0"?><modeling><generator>', "cut off"),
        (b'<?xml version="1.0"?><svg></svg>', "cannot be read"),
    ],
    ids=["expansion", "external", "across two parts", "cut off", "other XML"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_xml_that_is_refused(content, words, packed, tmp_path):
    path = tmp_path / "anything.txt"
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(InputError, match=words):
        read_curve_file(path)


def test_edges_come_from_the_eigenvalues_and_metals_have_none():
    insulator = edges_of(run({Spin.up: UP}, bands=(1.5, 2.0, 0.5)))
    assert insulator is not None
    assert (insulator.vbm, insulator.cbm, insulator.gap) == (0.5, 2.0, 1.5)
    metal = edges_of(run({Spin.up: UP}, bands=(0.0, 0.9, 1.1)))
    assert metal is not None
    assert metal.gap == 0.0
    assert edges_of(SimpleNamespace(eigenvalues=None)) is None
    assert edges_of(run({Spin.up: UP}, bands=(np.inf, np.inf, -1.0))) is None


def test_spins_are_summed_and_moments_are_none():
    np.testing.assert_allclose(reading_of(run({Spin.up: UP, Spin.down: UP / 2})).density, 1.5 * UP)
    orbit = reading_of(run({Spin.up: UP, Spin.down: UP / 2}, parameters={"LSORBIT": True}))
    np.testing.assert_allclose(orbit.density, UP)
    assert any("four channels" in remark for remark in orbit.remarks)


def test_a_density_along_lines_is_none():
    with pytest.raises(InputError, match="along lines"):
        reading_of(run({Spin.up: UP}, style="Line_mode"))


@pytest.mark.skipif(not SILICON.exists(), reason="the folder ../shared with VASP's outputs is not here")
def test_a_genuine_file_cut_off_or_under_another_name(tmp_path):
    whole = gzip.decompress(SILICON.read_bytes())
    (tmp_path / "silicon.dat").write_bytes(whole)
    assert read_curve_file(tmp_path / "silicon.dat").form == "vasprun.xml"
    (tmp_path / "vasprun.xml").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cut off"):
        open_vasprun(tmp_path / "vasprun.xml")
