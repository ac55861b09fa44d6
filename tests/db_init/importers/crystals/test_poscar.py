"""POSCAR, CONTCAR and XDATCAR as VASP 4 to 6 and other programs write them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from ase.io import read as read_with_ase
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from fermiloop.db_init.importers.crystals import poscar, xdatcar
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.platform.errors import InputError

CELL = "3 0 0\n0 4 0\n0 0 5\n"
TWO = "0 0 0\n0.5 0.5 0.5\n"


def text(
    symbols: str = "Na Cl\n",
    counts: str = "1 1",
    mode: str = "Direct",
    sites: str = TWO,
    scale: str = "1.0",
    cell: str = CELL,
) -> str:
    return f"a comment\n{scale}\n{cell}{symbols}{counts}\n{mode}\n{sites}"


def read(content: str) -> Crystal:
    return poscar.read(content, "file POSCAR")


def formula(content: str) -> str:
    return " ".join(read(content).structure.composition.formula.split())


@pytest.mark.parametrize(
    ("symbols", "right"),
    [
        ("Na Cl", "Na1 Cl1"), ("na cl", "Na1 Cl1"), ("NA CL", "Na1 Cl1"), ("\tNa\tCl  ", "Na1 Cl1"),
        ("Fe_pv O_s", "Fe1 O1"), ("Fe_sv_GW/ab12 O/99", "Fe1 O1"), ("Ti_sv_new2 B_h", "Ti1 B1"), ("W Np", "Np1 W1"),
        ("Na Cl  ! salt", "Na1 Cl1"), ("Na Cl # salt", "Na1 Cl1"), ("Na\nCl", "Na1 Cl1"),
    ],
)  # fmt: skip
def test_symbols_as_people_write_them(symbols: str, right: str) -> None:
    assert formula(text(f"{symbols}\n")) == right


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (text(symbols=""), "names no elements, as VASP 4 wrote it, and its comment does not count"),
        (text(symbols="").replace("a comment", "Na Cl"), "names no elements"),
        (text(symbols="", counts="1 1 ! Na Cl"), "names no elements"),
        (text(symbols="", sites="0 0 0 Na\n0.5 0.5 0.5\n"), "names no elements"),
        (text(symbols="Va O\n"), "'Va', which is no element but a vacancy"),
        (text(symbols="X O\n"), "a dummy atom"),
        (text(symbols="NH4 Cl\n"), "'NH4'.*an ammonium ion"),
        (text(symbols="NaCl\n", counts="2"), "'NaCl', which is no element"),
        (text(symbols="H.5 Ga\n"), "fractional charge"),
        (text(symbols="H1.25 Ga\n"), "fractional charge"),
        (text(symbols="Na Cl O\n"), "3 elements but gives 2 counts"),
        (text(counts="1 2"), "counts 3 atoms but lists the coordinates of 2"),
        (text(counts="1 1", sites=TWO + "0.1 0.2 0.3\n"), "lists more coordinates"),
        (text(counts="0 0", sites=""), "counts 0 atoms"),
        (text(counts="1 99999999999"), "counts 100000000000 atoms, of 1 to 1000000"),
        (text(counts="1 " + "9" * 5000), "atoms, of 1 to 1000000"),
        (text(mode="0 0 0"), "does not say Direct or Cartesian"),
        (text(scale="0"), "a scale of 0"),
        (text(scale="1 -1 1"), "three scales, which must be positive"),
        (text(scale="one"), "no scale and cell vectors"),
        (text(cell="3 0 0\n6 0 0\n0 0 5\n"), "lie in a plane"),
        (text(cell="3 0 0\n0 4\n0 0 5\n"), "no scale and cell vectors"),
        (text(cell="nan 0 0\n0 4 0\n0 0 5\n"), "NaN"),
        (text(sites="0 0 0\n0.5 inf 0.5\n"), "NaN or infinity in its coordinates"),
        (text(sites="0 0 0 Na\n0.5 0.5 0.5 K\n"), "Cl as atom 2 by its counts but K by its label"),
        ("x\n1\n1 0 0\n", "too few for a POSCAR"),
        ("", "too few"),
    ],
)
def test_what_says_too_little_is_refused(content: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read(content)


def test_labels_of_sites_name_the_elements_of_a_file_of_vasp_4() -> None:
    assert formula(text(symbols="", sites="0 0 0 Na1\n0.5 0.5 0.5 Cl_2\n")) == "Na1 Cl1"
    flagged = text(symbols="", mode="Selective dynamics\nDirect", sites="0 0 0 T T F K\n0.5 0.5 0.5 T F T F\n")
    assert formula(flagged) == "K1 F1"


@pytest.mark.parametrize("mode", ["Selective dynamics\nDirect", "selective\nfractional", "S\nd"])
def test_flags_and_comments_are_no_labels(mode: str) -> None:
    sites = "0 0 0 T T F Na first\n0.5 0.5 0.5 F F F ! K\n\n0.1 0.2 0.3\n0.4 0.5 0.6\n"
    assert formula(text(mode=mode, sites=sites)) == "Na1 Cl1"
    assert formula(text(sites="0 0 0 as in the paper\n0.5D0 .5 5.0e-1 # K\n")) == "Na1 Cl1"


@pytest.mark.parametrize(
    ("scale", "lengths"),
    [("2", [6, 8, 10]), ("-480", [6, 8, 10]), ("2 1 3", [6, 4, 15]), ("2.0  ! Å", [6, 8, 10]), ("1d0", [3, 4, 5])],
)
def test_scales(scale: str, lengths: list[float]) -> None:
    for mode, sites in (("Direct", TWO), ("Cartesian", "0 0 0\n1.5 2 2.5\n"), ("kartesisch", "0 0 0\n1.5 2 2.5\n")):
        found = read(text(scale=scale, mode=mode, sites=sites)).structure
        assert found.lattice.abc == pytest.approx(lengths)
        assert found.frac_coords[1] == pytest.approx([0.5, 0.5, 0.5])


def test_a_left_handed_cell_is_turned_and_every_atom_stays() -> None:
    content = text(cell="0 4 0\n3 0 0\n0.5 0 5\n", sites="0 0 0\n0.3 0.4 0.45\n")
    found, given = read(content).structure, read_with_ase(io.StringIO(content), format="vasp")
    assert np.linalg.det(given.cell.array) < 0 < np.linalg.det(found.lattice.matrix)
    assert np.linalg.norm(found.lattice.get_cartesian_coords(found.frac_coords)[1]) == pytest.approx(
        np.linalg.norm(given.positions[1])
    )
    same = Structure(given.cell.array, ["Na", "Cl"], given.get_scaled_positions())
    assert found.distance_matrix == pytest.approx(same.distance_matrix)


def test_deuterium_is_hydrogen_and_told() -> None:
    found = read(text(symbols="D Li\n"))
    assert found.structure.composition.formula == "Li1 H1"
    assert found.remarks == ("Deuterium (D) was read as hydrogen.",)


def test_what_pymatgen_writes_is_read_back() -> None:
    crystal = Structure(Lattice.hexagonal(3, 5), ["Mg", "O", "Mg"], [[0, 0, 0], [1 / 3, 2 / 3, 0.5], [0.1, 0.2, 0.7]])
    for direct in (True, False):
        assert read(Poscar(crystal).get_str(direct=direct)).structure.matches(crystal)


HEAD = f"a comment\n1.0\n{CELL}Na Cl\n1 1\n"


def frame(number: int, z: float) -> str:
    return f"Direct configuration= {number:5d}\n0 0 0\n0.5 0.5 {z}\n"


def test_the_last_frame_of_a_trajectory_is_taken_and_told() -> None:
    found = xdatcar.read(HEAD + frame(1, 0.4) + frame(2, 0.5), "file XDATCAR")
    assert found.structure.frac_coords[1] == pytest.approx([0.5, 0.5, 0.5])
    assert found.remarks == ("Of the 2 frames of a trajectory number 2 was taken.",)


def test_a_frame_has_the_cell_that_was_written_before_it() -> None:
    second = HEAD.replace("0 0 5", "0 0 6")
    found = xdatcar.read(HEAD + frame(1, 0.4) + second + frame(2, 0.5), "file XDATCAR")
    assert found.structure.lattice.c == pytest.approx(6)


def test_a_frame_that_was_cut_off_is_passed_over() -> None:
    found = xdatcar.read(HEAD + frame(1, 0.4) + frame(2, 0.5)[:-9], "file XDATCAR")
    assert found.structure.frac_coords[1] == pytest.approx([0.5, 0.5, 0.4])
    assert "because the file was cut off after frame 1" in found.remarks[0]
    for bad, told in ((HEAD, "no frame"), (HEAD + frame(1, 0.4)[:-9], "cut off before the end"), ("x\n", "no frame")):
        with pytest.raises(InputError, match=told):
            xdatcar.read(bad, "file XDATCAR")
    with pytest.raises(InputError, match="names no elements"):
        xdatcar.read(HEAD.replace("Na Cl\n", "") + frame(1, 0.4), "file XDATCAR")
