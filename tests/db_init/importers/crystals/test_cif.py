"""CIF: what people's files hold is read rightly, or refused in a chemist's words."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from fermiloop.db_init.importers.crystals import cif
from fermiloop.db_init.importers.crystals.content import text_of
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.platform.errors import InputError

P1 = "loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n"
F_CENTRED = "loop_\n_space_group_symop_operation_xyz\n'x,y,z'\nx,y+1/2,z+1/2\n'x+1/2, y, z+1/2'\n'1/2+X,1/2+Y,Z'\n"


def cell(a: float, b: float | None = None, c: float | None = None, gamma: float = 90, beta: float = 90) -> str:
    lengths = zip("abc", (a, b or a, c or a), strict=True)
    return (
        "".join(f"_cell_length_{axis} {length}\n" for axis, length in lengths)
        + f"_cell_angle_alpha 90\n_cell_angle_beta {beta}\n_cell_angle_gamma {gamma}\n"
    )


def atoms(*rows: str, columns: str = "label type_symbol") -> str:
    names = "".join(f"_atom_site_{name}\n" for name in (*columns.split(), "fract_x", "fract_y", "fract_z"))
    return "loop_\n" + names + "\n".join(rows) + "\n"


SALT = atoms("Na1 Na 0 0 0", "Cl1 Cl 0.5 0.5 0.5")


def one(text: str) -> Crystal:
    (found,) = cif.read(text, "file x.cif")
    assert isinstance(found, Crystal), str(found)
    return found


def refusal(text: str) -> str:
    try:
        (found,) = cif.read(text, "file x.cif")
    except InputError as error:
        return str(error)
    assert isinstance(found, InputError), found
    return str(found)


def formula(crystal: Crystal) -> str:
    return " ".join(crystal.structure.composition.element_composition.formula.split())


def test_a_line_like_a_block_within_a_text_is_text() -> None:
    text = f"data_a\n_publ_section_title\n;\ndata_b\nloop_\n_atom_site_label\nX1\n;\n{cell(5.6)}{F_CENTRED}{SALT}"
    assert formula(one(text)) == "Na4 Cl4"
    assert one(text).remarks == ()


def test_names_of_blocks_may_repeat_and_case_does_not_matter() -> None:
    upper = f"DATA_i\n{cell(3).upper()}{P1}LOOP_\n_ATOM_SITE_LABEL\n_Atom_Site_Fract_X\n_atom_site.fract_y\n"
    upper += "_atom_site_fract_z\nFe1 0 0 0\n"
    found = cif.read(upper + upper, "file x.cif")
    assert [formula(one) for one in found if isinstance(one, Crystal)] == ["Fe1", "Fe1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_gives_the_same_crystal(encoding: str, end: str) -> None:
    text = f"data_x\n_publ_author_name 'J. Müller's Ångström'\n{cell(5.6)}{F_CENTRED}{SALT}"
    read = text_of(text.replace("\n", end).encode(encoding), "file x.cif")
    assert formula(one(read)) == "Na4 Cl4"


def test_what_is_no_text_or_no_cif_is_refused() -> None:
    with pytest.raises(InputError, match="holds no crystal: it is no text"):
        text_of(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", "file x.cif")
    assert "no line of it begins with data_" in refusal("a poem\nof two lines\n")
    assert "its blocks (global) list no atoms" in refusal("data_global\n_journal_year 2001\n")


@pytest.mark.parametrize(
    ("rows", "columns", "told"),
    [
        (("N1 NH4 0 0 0", "Cl1 Cl 0.5 0.5 0.5"), "label type_symbol", "'NH4'.*an ammonium ion"),
        (("C1 CH3 0 0 0",), "label type_symbol", "a methyl group"),
        (("O1 O-H 0 0 0",), "label type_symbol", "'O-H'.*no element"),
        (("O1 Wat 0 0 0",), "label type_symbol", "a water molecule"),
        (("O1 OH 0 0 0",), "label type_symbol", "a hydroxyl group"),
        (("V1 Va 0 0 0", "Ti1 Ti 0.5 0.5 0.5"), "label type_symbol", "'Va'.*a vacancy"),
        (("V1 Vac 0 0 0",), "label type_symbol", "a vacancy"),
        (("X1 X 0 0 0",), "label type_symbol", "a dummy atom or any halogen"),
        (("C1 Cn 0 0 0",), "label type_symbol", "a centroid"),
        (("R1 Ln 0 0 0",), "label type_symbol", "any lanthanide"),
        (("Wat1 0 0 0", "Mg1 0.5 0.5 0.5"), "label", "'Wat1'.*a water molecule"),
        (("OW1 0 0 0",), "label", "the oxygen of water"),
        (("T1 0 0 0", "O1 0.5 0.5 0.5"), "label", "'T1' has no type symbol"),
        (("FeTet 0 0 0",), "label", "'FeTet' is no element"),
        (("O1 O 0 0 0 2", "Mg1 Mg 0.5 0.5 0.5 0"), "label type_symbol", None),
        (("OH1 O 0 0 0", "Mg1 Mg 0.5 0.5 0.5"), "label type_symbol", "OH1.*speaks of hydrogens"),
    ],
)
def test_what_is_no_element_is_never_cut_down_to_one(rows: tuple[str, ...], columns: str, told: str | None) -> None:
    if told is None:
        names = ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "attached_hydrogens"]
        text = "loop_\n" + "".join(f"_atom_site_{name}\n" for name in names) + "\n".join(rows) + "\n"
        assert "O1 has 2 hydrogens attached" in refusal(f"data_x\n{cell(4)}{P1}{text}")
        return
    found = refusal(f"data_x\n{cell(4)}{P1}{atoms(*rows, columns=columns)}")
    assert re.search(told, found), found


@pytest.mark.parametrize(
    ("label", "stated", "right"),
    [
        ("CA1", None, "Ca1"), ("CA1", "C", "C1"), ("CA1", "Ca", "Ca1"), ("Na1", None, "Na1"), ("O1A", None, "O1"),
        ("OA1", "O", "O1"), ("Fe_oct", None, "Fe1"), ("si2", None, "Si1"), ("FeM1", "Fe", "Fe1"), ("C(1)", None, "C1"),
    ],
)  # fmt: skip
def test_a_label_without_a_type_is_read_by_the_formula_where_it_may_be_two(
    label: str, stated: str | None, right: str
) -> None:
    said = f"_chemical_formula_sum '{stated}'\n" if stated else ""
    found = one(f"data_x\n{said}{cell(4)}{P1}{atoms(f'{label} 0 0 0', columns='label')}")
    assert formula(found) == right
    sure = label in {"Na1", "O1A", "Fe_oct", "C(1)", "si2"}
    assert any(label in remark for remark in found.remarks) is not sure


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("H4 Cl Na", "hydrogens to which no position"), ("Cl3 Na", "its formula is"), ("K Cl", "atoms include Na"),
        ("Na Cl S", "has S to which no position"), ("H8 Na Cl", "hydrogens to which no position"),
    ],
)  # fmt: skip
def test_atoms_that_are_not_those_of_the_formula_are_refused(stated: str, told: str) -> None:
    assert told in refusal(f"data_x\n_chemical_formula_sum '{stated}'\n{cell(5.6)}{F_CENTRED}{SALT}")


@pytest.mark.parametrize("stated", ["Cl Na", "Na4 Cl4", "NA CL", "Na0.998 Cl1", "'Cl1 Na1'", "NaCl", "?", "x(Na Cl)"])
def test_formulas_that_agree_in_any_spelling(stated: str) -> None:
    found = one(f'data_x\n_chemical_formula_sum "{stated}"\n{cell(5.6)}{F_CENTRED}{SALT}')
    assert formula(found) == "Na4 Cl4"
    assert bool(found.remarks) is (stated == "x(Na Cl)")


def test_charges_in_any_spelling_are_oxidation_states() -> None:
    text = f"data_x\n{cell(4)}{P1}" + atoms(
        "Fe1 Fe+3 0 0 0", "Fe2 Fe2+ 0.5 0.5 0", "O1 O2- 0 0.5 0.5", "Cu1 Cu0+ 0.5 0 0.5"
    )
    states = [getattr(site.specie, "oxi_state", None) for site in one(text).structure]
    assert states == [3, 2, -2, None] or states == [3, 2, -2, 0]
    listed = "loop_\n_atom_type_symbol\n_atom_type_oxidation_number\nNa 1\nCl -1.0\n"
    salt = one(f"data_x\n{cell(5.6)}{P1}{listed}{SALT}")
    assert [site.specie.oxi_state for site in salt.structure] == [1, -1]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("Na1 Na 0 0 0 0.5(1)", "partial occupancy"), ("Na1 Na 0 0 0 1.5", "more than one atom"),
        ("Na1 Na 0 0 0 many", "no number"), ("Na1 Na 0 0 0 -1", "no number"), ("Na1 '0.5Na + 0.5K' 0 0 0 1", "mixture"),
        ("Na1 Na 0 . 0 1", "no known coordinates"), ("Na1 Na 0 x 0 1", "no known coordinates"),
    ],
)  # fmt: skip
def test_occupancies_and_coordinates_that_make_no_ordered_crystal(row: str, told: str) -> None:
    names = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
    table = "loop_\n" + "".join(f"_atom_site_{name}\n" for name in names) + row + "\n"
    assert told in refusal(f"data_x\n{cell(4)}{P1}{table}")


def test_an_empty_or_dummy_site_is_left_out_and_told() -> None:
    names = ("label", "type_symbol", "calc_flag", "fract_x", "fract_y", "fract_z", "occupancy")
    table = "loop_\n" + "".join(f"_atom_site_{name}\n" for name in names)
    table += "Na1 Na d 0 0 0 1.0000(2)\nK1 K d 0.5 0.5 0.5 0\nX1 X dum 0.1 0.1 0.1 1\n"
    found = one(f"data_x\n{cell(4)}{P1}{table}")
    assert formula(found) == "Na1"
    assert len(found.remarks) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"data_x\n{P1}{SALT}", "no cell length a"),
        (f"data_x\n{cell(5.6).replace('5.6', '?')}{P1}{SALT}", "no cell length a"),
        (f"data_x\n{cell(5.6).replace('gamma 90', 'gamma 190')}{P1}{SALT}", "make no cell"),
        (f"data_x\n{cell(5.6)}{P1}" + SALT.replace("0.5 0.5 0.5", "0.5 0.5"), "damaged"),
        (f"data_x\n{cell(5.6)}{P1.replace('x,y,z', 'x,y,q')}{SALT}", "no symmetry operation"),
        (f"data_x\n{cell(5.6, 6, 7)}{P1}'y,z,x'\n'z,x,y'\n{SALT}", "do not fit its cell"),
        (f"data_x\n{cell(5.6)}{P1}{SALT.replace('fract', 'Cartn')}", "Cartesian coordinates only"),
        (f"data_x\n{cell(564)}{F_CENTRED}{SALT}", "are its lengths in angstrom"),
        (f"data_x\n_cell_modulation_dimension 1\n{cell(5.6)}{P1}{SALT}", "modulated"),
    ],
)
def test_damaged_files_say_what_is_wrong(text: str, told: str) -> None:
    assert told in refusal(text)


def test_one_bad_block_stops_no_other() -> None:
    good, bad = f"data_good\n{cell(5.6)}{P1}{SALT}", f"data_bad\n{cell(5.6)}{P1}{SALT.replace('Cl1 Cl', 'M1 M')}"
    first, second = cif.read(bad + good, "file x.cif")
    assert isinstance(second, Crystal)
    assert "block bad of the file x.cif" in str(first)


@pytest.mark.parametrize("symbol", ["D", "2H", "D-", "D1+"])
def test_isotopes_in_any_spelling(symbol: str) -> None:
    found = one(f"data_x\n{cell(4)}{P1}" + atoms(f"D1 {symbol} 0 0 0", "Li1 Li 0.5 0.5 0.5"))
    assert formula(found) == "Li1 H1"
    assert found.remarks == ("Deuterium (D) was read as hydrogen.",)


def test_isotopes_are_hydrogen_and_told() -> None:
    found = one(
        f"data_x\n_chemical_formula_sum 'D2 O'\n{cell(4)}{P1}" + atoms("D1 D 0 0 0", "D2 D 0 0 0.5", "O1 O 0 0 0.25")
    )
    assert formula(found) == "H2 O1"
    assert found.remarks == ("Deuterium (D) was read as hydrogen.",)


MAGNETIC = """_space_group_magn.number_BNS 123.345
loop_
_space_group_symop_magn_operation.id
_space_group_symop_magn_operation.xyz
1 x,y,z,+1
2 -x,-y,z,+1
loop_
_space_group_symop_magn_centering.id
_space_group_symop_magn_centering.xyz
1 x,y,z,+1
2 x+1/2,y+1/2,z+1/2,-1
"""
MOMENTS = """loop_
_atom_site_moment.label
_atom_site_moment.crystalaxis_x
_atom_site_moment.crystalaxis_y
_atom_site_moment.crystalaxis_z
Fe1 0 0 2.5(1)
"""


def test_moments_are_turned_by_the_magnetic_operations() -> None:
    found = one(f"data_x\n{cell(4, 4, 5)}{MAGNETIC}" + atoms("Fe1 Fe 0 0 0") + MOMENTS).structure
    assert np.asarray(found.site_properties["magmom"]) == pytest.approx(np.array([[0, 0, 2.5], [0, 0, -2.5]]))
    assert found.frac_coords == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))


def test_moments_stand_along_the_axes_of_an_oblique_cell() -> None:
    text = f"data_x\n{cell(4, 4, 5, gamma=120)}{MAGNETIC.split('loop_')[0]}" + P1 + atoms("Fe1 Fe 0 0 0")
    text = text.replace("_space_group_magn.number_BNS 123.345\n", "")
    found = one(text + MOMENTS.replace("0 0 2.5(1)", "0 3 0")).structure
    (moment,) = found.site_properties["magmom"]
    assert moment == pytest.approx((3 * found.lattice.matrix[1] / 4).tolist())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("_space_group_magn.number_BNS 123.345\n" + MOMENTS, "none of its operations"),
        (MAGNETIC + MOMENTS.replace("0 0 2.5(1)", "1 0 0"), "do not allow"),
        (MAGNETIC + MOMENTS.replace("0 0 2.5(1)", "? ? ?"), "no three numbers"),
    ],
)
def test_moments_that_cannot_be_are_refused(text: str, told: str) -> None:
    assert told in refusal(f"data_x\n{cell(4, 4, 5)}" + atoms("Fe1 Fe 0 0 0") + text)


@pytest.mark.parametrize("symprec", [None, 0.01])
def test_what_pymatgen_writes_is_read_back(symprec: float | None) -> None:
    quartz = Structure.from_spacegroup(
        "P3_221", Lattice.hexagonal(4.913, 5.405), ["Si", "O"], [[0.4697, 0, 0], [0.4133, 0.2672, 0.1188]]
    )
    found = one(str(CifWriter(quartz, symprec=symprec))).structure
    assert StructureMatcher(primitive_cell=False).fit(found, quartz)
    assert found.lattice.volume == pytest.approx(quartz.volume)
