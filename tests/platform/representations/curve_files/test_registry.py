"""Files of many programs, written here small: what is read, what is said of it, and what is refused."""

# ruff: noqa: E501 (one file a line)
from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.reading import Wish
from fermiloop.platform.representations.curve_files.registry import read_curve_file, read_curve_text
from fermiloop.platform.representations.curve_files.units import HARTREE

X = np.round(np.arange(-9.0, 9.01, 0.1), 4)
UP = np.exp(-((X + 2.0) ** 2))
DOWN = np.exp(-((X + 1.0) ** 2)) / 2
GROWN = np.concatenate([[0.0], np.cumsum((UP[1:] + UP[:-1]) / 2 * 0.1)])
BOTH = np.concatenate([[0.0], np.cumsum((UP + DOWN)[1:] * 0.1)])


def rows(*columns, form="{:.6f}", mark=" "):
    return "\n".join(mark.join(form.format(value) for value in row) for row in zip(*columns, strict=True)) + "\n"


def comma(text):
    return text.replace(".", ",")


READ = {
    # name: text, what to say, level, spins in the sum ("up" or "both"), what is told
    "qe without spin": ("#  E (eV)   dos(E)     Int dos(E) EFermi =    3.500 eV\n" + rows(X + 3.5, UP, GROWN), 3.5, "up", "integrated"),
    "qe with spin": ("# E (eV) dosup(E) dosdw(E) Int dos(E) EFermi = 3.5 eV\n" + rows(X + 3.5, UP, DOWN, BOTH), 3.5, "both", "summed"),
    "qe in Rydberg": ("# E (Ry) dos(E) (1/Ry) EFermi = 0.1 Ry\n" + rows((X + 0.1 * HARTREE / 2) / (HARTREE / 2), UP * HARTREE / 2, form="{:.8f}"), 0.1 * HARTREE / 2, "up", "converted"),
    "two fermi spellings": ("# Fermi energy: 3.5 eV\n# energy dos\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV of the heading"),
    "fermi level in words": ("# Fermi level is 3.5 eV\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "E_F": ("# E_F = 3.5\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "efermi with D": ("# EFermi = 0.35D+01 eV\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "shifted already": ("# E-E_F (eV)  dos   EFermi = 3.5 eV\n" + rows(X, UP), 0.0, "up", "about the Fermi level"),
    "shifted, in words": ("# Energies relative to the Fermi level (EFermi = 3.5 eV)\n" + rows(X, UP), 0.0, "up", "about the"),
    "shifted to zero": ("# E_Fermi = 3.5 eV shifted, Fermi level set to 0\n# energy dos\n" + rows(X, UP), 0.0, "up", "about"),
    "aims with spin": ("# total density of states output by FHI-aims\n# Energy reference for this output is the average chemical potential, mu = -4.5 eV\n#    Energy (eV)      DOS(spin up)   DOS(spin down)\n" + rows(X, UP, DOWN), 0.0, "both", "summed"),
    "vaspkit with spin": ("#Energy TDOS-UP TDOS-DOWN\n" + rows(X, UP, -DOWN), 0.0, "both", "summed"),
    "vaspkit projected": ("#Energy s py pz px tot\n" + rows(X, UP / 4, UP / 4, UP / 4, UP / 4, UP), 0.0, "up", "part of the total"),
    "sumo csv": ("energy,total_up,total_down\n" + rows(X, UP, -DOWN, mark=","), 0.0, "both", "summed"),
    "mirrored without names": (rows(X, UP, -DOWN), 0.0, "both", "summed"),
    "integral without names": (rows(X, UP, GROWN), 0.0, "up", "integrated"),
    "spins and integral without names": (rows(X, UP, DOWN, BOTH), 0.0, "both", "summed"),
    "integral that starts elsewhere": (rows(X, UP, GROWN + 11.0), 0.0, "up", "integrated"),
    "spin-orbit by name": ("# E total mx my mz\n" + rows(X, UP, DOWN, DOWN, DOWN), 0.0, "up", "magnetisation"),
    "majority and minority": ("# energy majority minority\n" + rows(X, UP, DOWN), 0.0, "both", "summed"),
    "descending": (rows(X[::-1], UP[::-1]), 0.0, "up", "rising order"),
    "decimal commas": (comma(rows(X, UP, mark=";")), 0.0, "up", "names no"),
    "decimal commas, tabs": ("Energie\tDOS\n" + comma(rows(X, UP, mark="\t")), 0.0, "up", "names no"),
    "semicolons": ("energy;dos\n" + rows(X, UP, mark=";"), 0.0, "up", "names no"),
    "a byte order mark": ("\ufeffenergy,dos\n" + rows(X, UP, mark=","), 0.0, "up", "names no"),
    "carriage returns": (rows(X, UP).replace("\n", "\r\n"), 0.0, "up", "names no"),
    "old Macintosh": (rows(X, UP).replace("\n", "\r"), 0.0, "up", "names no"),
    "three-digit exponents": (rows(X[:-1], UP[:-1]) + "9.0 1.234-100\n", 0.0, "up", "names no"),
    "meV": ("# energy (meV) dos (states/meV)\n" + rows(X * 1e3, UP * 1e-3, form="{:.9f}"), 0.0, "up", "converted"),
    "atomic units": ("# energy (a.u.) dos\n" + rows(X / HARTREE, UP * HARTREE, form="{:.9f}"), 0.0, "up", "converted"),
    "hartree only on the axis": ("# E (Hartree), DOS (states/eV)\n" + rows(X / HARTREE, UP, form="{:.9f}"), 0.0, "up", "converted"),
    "xmgrace with spins": ('@ title "DOS"\n@ s0 legend "up"\n@ s1 legend "down"\n@target G0.S0\n@type xy\n' + rows(X, UP) + "&\n@target G0.S1\n" + rows(X, DOWN) + "&\n", 0.0, "both", "summed"),
    "xmgrace with an axis": ('@ xaxis  label "E - E\\sF\\N (eV)"\n' + rows(X, UP) + "&\n", 0.0, "up", "about the Fermi level"),
    "E-fermi as OUTCAR has it": ("# E-fermi :   3.5000\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "a level without a sign": ("# Fermi level (eV)   3.5\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "a level at": ("# Fermi level at 3.5 eV\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "a level at zero": ("# Fermi level at 0.0 eV\n" + rows(X, UP), 0.0, "up", "about the Fermi level"),
    "a level with a decimal comma": ("# EFermi = 3,5 eV\n" + comma(rows(X + 3.5, UP, mark=";")), 3.5, "up", "3.5 eV"),
    "a valence edge": ("# E_VBM = 3.5 eV\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "a level in hartree": (f"# energy (eV) dos, EFermi = {3.5 / HARTREE:.8f} Ha\n" + rows(X + 3.5, UP), 3.5, "up", "3.5 eV"),
    "gold is no unit": ("# Au, total DOS\n# Energy DOS\n" + rows(X, UP), 0.0, "up", "names no"),
    "an axis over its unit": ("Energy/eV,DOS/eV^-1\n" + rows(X, UP, mark=","), 0.0, "up", "names no"),
    "an axis over hartree": ("Energy/Ha DOS\n" + rows(X / HARTREE, UP * HARTREE, form="{:.9f}"), 0.0, "up", "converted"),
    "total beside projected": ("# Energy TDOS PDOS\n" + rows(X, UP, UP / 2), 0.0, "up", "part of the total"),
    "minus signs of a typesetter": (rows(X, UP).replace("-", "−"), 0.0, "up", "names no"),
    "castep": ("# Energy(eV) Up Down Cum_up Cum_down\n" + rows(X, UP, DOWN, GROWN, BOTH), 0.0, "both", "summed"),
    "abinit": ("# nsppol = 1, nkpt = 10\n# eunit= 27.2113834, Fermi energy= 0.1 (Ha)\n# energy(Ha) DOS integrated DOS\n" + rows(X / HARTREE + 0.1, UP * HARTREE, GROWN, form="{:.9f}"), 0.1 * HARTREE, "up", "2.72114 eV"),
    "a column that counts": ("index,energy,dos\n" + rows(np.arange(len(X)), X, UP, mark=","), 0.0, "up", "names no"),
    "quoted": ('"energy","dos"\n' + rows(X, UP, form='"{:.6f}"', mark=","), 0.0, "up", "names no"),
    "json": (json.dumps({"energies": X.tolist(), "values": UP.tolist()}), 0.0, "up", "names no"),
    "json with a level": (json.dumps({"energies": (X + 2).tolist(), "densities": UP.tolist(), "efermi": 2.0}), 2.0, "up", "2 eV"),
    "pymatgen with spins": (json.dumps({"@class": "CompleteDos", "efermi": 1.0, "energies": (X + 1).tolist(), "densities": {"1": UP.tolist(), "-1": DOWN.tolist()}, "pdos": []}), 1.0, "both", "summed"),
    "pymatgen with a moment": (json.dumps({"@class": "Dos", "efermi": 1.0, "energies": (X + 1).tolist(), "densities": {"1": UP.tolist(), "-1": (DOWN * np.sin(X)).tolist()}}), 1.0, "up", "moment"),
    "pymatgen, one deeper": (json.dumps({"dos": {"efermi": 1.0, "energies": (X + 1).tolist(), "densities": {"1": UP.tolist()}}}), 1.0, "up", "1 eV"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "level", "spins", "told"), READ.values(), ids=READ)
def test_what_programs_write_is_read(text, level, spins, told):
    found = read_curve_text(text)
    assert found.level == pytest.approx(level, abs=1e-4)
    np.testing.assert_allclose(found.energies - found.level, X, atol=2e-4)
    np.testing.assert_allclose(found.density, UP + DOWN if spins == "both" else UP, atol=1e-4)
    assert any(told in remark for remark in found.remarks)


def doscar(*columns, n=None, level=3.5):
    head = "  2  2  1  0\n 0.2E+02 0.3E-09 0.3E-09 0.3E-09 0.5E-15\n 1.0E-04\n  CAR \n unknown\n"
    return head + f" {X[-1] + level:.3f} {X[0] + level:.3f} {n or len(X)} {level:.3f} 1.0\n" + rows(X + level, *columns)


@pytest.mark.parametrize(
    ("columns", "spins"),
    [((UP, GROWN), "up"), ((UP, DOWN, GROWN, BOTH), "both"), ((UP, DOWN, DOWN, -DOWN, GROWN), "up")],
    ids=["plain", "two spins", "spin-orbit"],
)
def test_doscars(columns, spins, tmp_path):
    path = tmp_path / "DOSCAR.gz"
    path.write_bytes(gzip.compress((doscar(*columns) + " a part of one atom follows\n").encode()))
    found = read_curve_file(path)
    assert (found.form, found.level) == ("DOSCAR", 3.5)
    np.testing.assert_allclose(found.density, UP + DOWN if spins == "both" else UP, atol=1e-4)


REFUSED = {
    "all zero": (rows(X, 0 * X), "all 0"),
    "all negative": (rows(X, -UP), "one spin alone"),
    "one spin by name": ("# energy up\n" + rows(X, UP), "one spin alone"),
    "partly negative": (rows(X, UP - 0.2), "not negative"),
    "an artefact": (rows(X, np.where(np.abs(X) < 0.01, 5000.0, UP)), "artefact"),
    "NaN": (rows(X, np.where(np.abs(X) < 0.01, np.nan, UP)), "nan"),
    "infinite": (rows(X, UP) + "10 inf\n", "inf"),
    "twice one energy": (rows(X, UP) + "9.0 0.1\n", "must rise"),
    "back and forth": (rows(X, UP) + "0.0 0.1\n", "must rise"),
    "percent as a unit": ("# energy (eV) dos (%)\n" + rows(X, UP), "percent"),
    "percent in words": ("# energy, DOS in percent\n" + rows(X, UP), "percent"),
    "percent as a comment": ("% energy dos\n" + rows(X, UP), "percent"),
    "a letter": ("Dear colleague,\nplease find enclosed\n" + rows(X, UP), "'Dear colleague,'"),
    "words among numbers": (rows(X, UP) + "and so on\n", "'and'"),
    "no room": (rows(X, UP) + "9.5 *******\n", "no room"),
    "a line too short": (rows(X, UP, GROWN) + "9.5 1\n", "2 columns"),
    "one column": ("1\n2\n3\n", "1 columns"),
    "no numbers": ("# energy dos\n", "no numbers"),
    "columns without names": (rows(X, UP, DOWN), "cannot be told apart"),
    "spins of parts": ("# energy s(up) s(down) p(up) p(down)\n" + rows(X, UP, DOWN, UP, DOWN), "cannot be told apart"),
    "projected": ("# Projected DOS for atomic kind Si at iteration step i = 0, E(Fermi) = 0.2 a.u.\n" + rows(X, UP), "projected"),
    "a level elsewhere": ("# E (eV) dos(E) EFermi = 30.0 eV\n" + rows(X, UP), "30 eV"),
    "shifted, and not said": ("# E (eV) dos(E) EFermi = 3.5 eV\n" + rows(X, UP), "evenly about 0"),
    "a level in other words": ("# Fermi energy from the scf run, spin up 3.5\n" + rows(X, UP), "speaks of a Fermi level"),
    "two levels": ("# EFermi = 3.5 eV\n# E_F = 4.5 eV\n" + rows(X + 3.5, UP), "3.5, 4.5"),
    "vacuum": ("# energies from the vacuum level\n" + rows(X, UP), "vacuum"),
    "broken json": ('{"energies": [1, 2', "line 1"),
    "other json": ('{"a": 1}', "both keys"),
    "json of text": ('{"energies": ["a"], "values": [1]}', "'a'"),
    "json of two lengths": ('{"energies": [1, 2], "values": [1]}', "as many"),
    "pymatgen without a level": (json.dumps({"energies": X.tolist(), "densities": {"1": UP.tolist()}, "efermi": None}), "None"),
    "pymatgen with other spins": (json.dumps({"energies": X.tolist(), "densities": {"up": UP.tolist()}, "efermi": 1}), "spins 1 and -1"),
    "html": ("<html><body>404</body></html>", "HTML"),
    "a doscar cut off": (doscar(UP, GROWN, n=900), "cut off"),
    "a doscar of other columns": (doscar(UP, GROWN, GROWN), "4 columns"),
    "xmgrace with two curves": ("@ title \"DOS\"\n" + rows(X, UP) + "&\n" + rows(X, DOWN) + "&\n", "no legend calls spins"),
    "xmgrace without a set": ("@ title \"DOS\"\n&\n", "no set"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_density_of_states_is_refused_in_words(text, words, tmp_path):
    (tmp_path / "curve").write_text(text)
    with pytest.raises(InputError) as caught:
        read_curve_file(tmp_path / "curve")
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_what_the_person_says_comes_first():
    shifted = "# E (eV) dos(E) EFermi = 3.5 eV\n" + rows(X, UP)
    assert read_curve_text(shifted, "", Wish(fermi=0.0)).level == 0.0
    np.testing.assert_allclose(read_curve_text(rows(X, -UP), "", Wish(one_spin=True)).density, 2 * UP, atol=1e-5)


def test_a_curve_of_our_own_keeps_its_gap():
    ours = {"energies": X.tolist(), "values": UP.tolist(), "alignment": "midgap", "gap": 1.5}
    found = read_curve_text(json.dumps(ours))
    assert found.edges is not None
    assert (found.edges.vbm, found.edges.cbm) == (-0.75, 0.75)
    assert found.about().gap == 1.5


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1", "utf-8-sig"])
def test_encodings(coding, tmp_path):
    (tmp_path / "c.dat").write_bytes(("# Å, energy dos\n" + rows(X, UP)).encode(coding))
    np.testing.assert_allclose(read_curve_file(tmp_path / "c.dat").density, UP, atol=1e-5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        (b"\x1f\x8b\x08broken", "gzip"),
        (gzip.compress(rows(X, UP).encode())[:-20], "gzip"),
        (b"PK\x03\x04....", "zip"),
        (b"BZh91AY", "bzip2"),
    ],
)
def test_files_that_are_no_text(content, words, tmp_path):
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_curve_file(tmp_path / "c")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="no curve file"):
        read_curve_file(tmp_path / "none")
    with pytest.raises(InputError, match="is a folder"):
        read_curve_file(tmp_path)


def test_the_content_decides_before_the_name(tmp_path):
    (tmp_path / "dos.csv").write_text(doscar(UP, GROWN))
    (tmp_path / "DOSCAR").write_text(json.dumps({"energies": X.tolist(), "values": UP.tolist()}))
    assert read_curve_file(tmp_path / "dos.csv").form == "DOSCAR"
    assert read_curve_file(tmp_path / "DOSCAR").form == "JSON"


def test_a_gzip_bomb_is_refused(tmp_path):
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"# energy dos\n" + b"0 " * 40_000_000))
    with pytest.raises(InputError, match="larger than"):
        read_curve_file(tmp_path / "c.gz")
