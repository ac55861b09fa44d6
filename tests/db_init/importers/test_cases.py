"""Small inputs of the kinds that users have: each read with the right atoms and numbers, or refused with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fermiloop.db_init.importers import dispatch, folder, table
from fermiloop.db_init.importers.entries import Entry, Refusal
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.platform.store import materials, quarantine
from fermiloop.schemas.fields import structure_fault

CASES = Path(__file__).parents[3] / ".." / "shared" / "cases"
NACL = ["Cl4 Na4"]
NO_SYMBOLS = ["!names no elements.*comment does not count"]

# what each file holds: a formula with the number of atoms, or ! and why it is refused
RIGHT: dict[str, list[str]] = {
    "vasp4.vasp": NO_SYMBOLS, "pos/POSCAR_v4_comment": NO_SYMBOLS, "pos/POSCAR_v4_nosym": NO_SYMBOLS,
    "pos/POSCAR_v4_labels": NACL, "pos/POSCAR_left": NACL, "pos/POSCAR_cart": NACL, "pos/POSCAR_crlf": NACL,
    "pos/POSCAR_hash": NACL, "pos/POSCAR_lower": NACL, "pos/POSCAR_negscale": NACL, "pos/POSCAR_pvsuffix": NACL,
    "pos/POSCAR_scale3": NACL, "pos/POSCAR_sel": NACL, "pos/POSCAR_split": NACL, "pos/POSCAR_D": ["H4 Li4"],
    "pos/POSCAR_unit_count": ["!counts 12 atoms but lists the coordinates of 8"],
    "pos/POSCAR_short": ["!counts 8 atoms but lists the coordinates of 7"],
    "labels_before_flags.vasp": ["Cl1 Na1"], "velocities_cut.vasp": ["Cl1 Na1"], "potcar_names.vasp": ["Cl1 K1"],
    "pos/nacl.POSCAR": NACL, "pos/nacl_CONTCAR": NACL, "NaCl_POSCAR": ["Cl1 Na1"], "pos/XDATCAR": NACL,
    "twodblocks.cif": ["Fe1", "Co1"], "bilbao.mcif": ["Fe1", "Co1"], "cif/two_blocks.cif": ["Cl4 Na4", "Cl4 K4"],
    "latin1.cif": ["Fe1"], "crlf.cif": ["Fe1"], "cif/latin1.cif": NACL, "cif/utf16.cif": NACL, "cif/crlf.cif": NACL,
    "cif/cr_only.cif": NACL, "cif/label_NH3.cif": ["!NH3"], "cif/label_OH.cif": ["!OH1.*hydroxyl"],
    "cif/ammonium_noH.cif": ["!hydrogens to which no position"], "cif/label_M.cif": ["!no element but any metal"],
    "cif/unknown_label.cif": ["!Qq.*is no element"], "cif/ca_label.cif": ["Ca1 O1"], "cif/fd3m_origin1.cif": ["Si8"],
    "cif/fd3m_nosetting.cif": ["!leaves the origin open.*8 with F d -3 m :1 or 16 with"], "cif/r3m_hex.cif": ["Bi6"],
    "cif/sgname_only.cif": NACL, "cif/sgnum_only.cif": NACL, "cif/cap.cif": NACL, "cif/deut.cif": ["H4 Li4"],
    "cif/deut_neutral.cif": ["H4 Li4"], "deuterium.cif": ["H1"], "cif/disorder.cif": ["!partial occupancy"],
    "cif/occ_part_single.cif": ["!0.98.*partial occupancy"], "cif/occ_over1.cif": ["!1.02, more than one atom"],
    "cif/dup_near.cif": ["!one place"], "cif/dup_p1.cif": ["!one place"], "duplicate_site.cif": ["!one place"],
    "cif/dot_xyz.cif": ["!no known coordinates"], "cif/question_xyz.cif": ["!no known coordinates"],
    "unknown_coords.cif": ["!no known coordinates"], "springer.cif": ["!mixture.*partial occupancy"],
    "cif/plain.cif": NACL, "cif/question.cif": NACL, "cif/esd.cif": NACL, "cif/special_third.cif": ["Mg2"],
    "cif/occ_099999.cif": NACL, "cif/oxi.cif": NACL, "cif/empty_block_first.cif": NACL, "cif/nosym.cif": ["Cl1 Na1"],
    "cif/big384.cif": ["Cl192 Na192"], "cif/magnetic.cif": ["Mn4 O4"], "oxidation.cif": ["Fe1"],
    "unlooped_symop.cif": ["Cl1 Cs1"], "misc/structure.json": NACL, "misc/nacl.cif.gz": NACL,
    "misc/mp_docs.jsonl": NACL, "misc/mp_summary.json": NACL, "misc/optimade.jsonl": NACL,
    "misc/optimade_response.json": NACL, "misc/matbench_mp_e_form.json.gz": NACL,
    "noblank.xyz": ["Cl1 Na1", "!has no Lattice", "Cl1 Na1", "!nan.*no finite number", "!dummy or ghost"],
    "xyz/Z.extxyz": ["Cl1 Na1"], "xyz/arrays.extxyz": ["Cl1 Na1"], "xyz/ase_calc.extxyz": ["Cl1 Na1"],
    "xyz/bool_energy.extxyz": ["!no finite number"], "xyz/comma.extxyz": ["!no number"], "xyz/crlf.extxyz": ["Cl1 Na1"],
    "xyz/ev_atom_cellE.extxyz": ["!outside 0 to 50"], "xyz/ghost.extxyz": ["!dummy or ghost"],
    "xyz/inconsistent.extxyz": ["!contradict each other"], "xyz/info_stress9.extxyz": ["Cl1 Na1"],
    "xyz/named.extxyz": ["Cl1 Na1"], "xyz/nopbc.extxyz": ["Cl1 Na1"], "xyz/othernames.extxyz": ["Cl1 Na1"],
    "xyz/plainxyz.xyz": ["!has no Lattice"], "xyz/slab.extxyz": ["!not periodic in three directions"],
    "xyz/tags.extxyz": ["Cl1 Na1"], "xyz/xform.extxyz": ["Cl1 Na1"], "csv/hz.csv": NACL, "csv/inject.csv": NACL,
    "csv/nan.csv": [*NACL, "!inf"], "csv/poscar.csv": ["!too few for a POSCAR"],
    "csv/units.csv": ["!outside -50 to 50", "!outside 0 to 50"], "csv/v1.csv": ["Cl4 Na4", "Cl4 K4"],
}  # fmt: skip
ENERGIES: dict[str, dict[str, float]] = {
    "xyz/Z.extxyz": {"energy_per_atom": -3.4}, "xyz/ase_calc.extxyz": {"energy_per_atom": -3.4},
    "xyz/xform.extxyz": {"energy_per_atom": -3.45}, "xyz/othernames.extxyz": {"energy_per_atom": -3.4, "band_gap": 5.0},
    "xyz/named.extxyz": {
        "energy_per_atom": -3.4, "formation_energy_per_atom": -2.1, "band_gap": 5.0, "energy_above_hull": 0.0,
    },
    "misc/mp_summary.json": {"formation_energy_per_atom": -2.1, "band_gap": 5.0, "energy_above_hull": 0.0},
    "misc/mp_docs.jsonl": {"formation_energy_per_atom": -2.1},
    "misc/matbench_mp_e_form.json.gz": {"formation_energy_per_atom": -2.1},
    "csv/hz.csv": {"formation_energy_per_atom": -4.2, "band_gap": 5.0},
    "csv/inject.csv": {"formation_energy_per_atom": -2.1, "band_gap": 5.0}, "csv/nan.csv": {},
}  # fmt: skip

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases is not there")


def items(path: Path, options: LoadOptions = NO_OPTIONS) -> list[Entry | Refusal]:
    """Everything that the importer of a file reads, nothing of it stored."""
    read: Any = table._batches(path, options) if path.suffix == ".csv" else None
    batches = read or folder._batches([path], path.parent, options, [])
    return [item for batch in batches for item in batch.read()]


def outcome(item: Entry | Refusal) -> str:
    if isinstance(item, Refusal):
        return f"!{item.reason}"
    assert structure_fault(item.structure) is None
    return " ".join(
        f"{name}{n:g}" for name, n in sorted(item.structure.composition.element_composition.as_dict().items())
    )


@pytest.mark.parametrize("name", RIGHT)
def test_each_file_is_read_rightly_or_refused_with_its_reason(name: str) -> None:
    found = [outcome(item) for item in items(CASES / name)]
    assert len(found) == len(RIGHT[name]), found
    for told, right in zip(found, RIGHT[name], strict=True):
        if right.startswith("!"):
            assert re.search(right[1:], told), told
            assert told.startswith("!")
            assert "Error" not in told
        else:
            assert told == right


@pytest.mark.parametrize("name", ENERGIES)
def test_numbers_are_in_the_units_of_their_properties(name: str) -> None:
    first = items(CASES / name)[0]
    assert isinstance(first, Entry)
    assert {str(kind): value for kind, value, _ in first.numbers} == pytest.approx(ENERGIES[name])


def test_every_structure_file_of_the_folder_has_its_answer() -> None:
    there = {str(path.relative_to(CASES)) for path in folder.structure_files(CASES)}
    there |= {str(path.relative_to(CASES)) for path in (CASES / "csv").iterdir()}
    answered_elsewhere = {"csv/twice.csv", "csv/key_dup.csv", "csv/v2.csv", "dos/pmg_dos.json"}
    assert there - set(RIGHT) == answered_elsewhere


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("pos/XDATCAR", "The one frame of a trajectory"), ("deuterium.cif", "Deuterium (D) was read as hydrogen"),
        ("cif/ca_label.cif", "CA1 without a type was read as Ca"), ("xyz/xform.extxyz", "taken from free_energy"),
        ("xyz/othernames.extxyz", "taken from REF_energy"), ("cif/nosym.cif", "names no space group"),
    ],
)  # fmt: skip
def test_what_was_assumed_is_told(name: str, told: str) -> None:
    (entry,) = items(CASES / name)
    assert isinstance(entry, Entry)
    assert any(told in remark for remark in entry.remarks)


def test_two_energies_of_one_frame_that_differ_are_both_left_out() -> None:
    entry = items(CASES / "noblank.xyz")[2]
    assert isinstance(entry, Entry)
    assert entry.numbers == ()
    assert "REF_energy (-3.4 eV/atom) and dft_energy (-3.35 eV/atom) disagree" in entry.remarks[0]


def test_moments_and_oxidation_states_are_kept() -> None:
    (magnetic,) = items(CASES / "cif" / "magnetic.cif")
    assert isinstance(magnetic, Entry)
    assert magnetic.structure.site_properties["magmom"] == [[0.0, 0.0, 4.5]] * 4 + [[0.0, 0.0, 0.0]] * 4
    (iron,) = items(CASES / "oxidation.cif")
    assert isinstance(iron, Entry)
    assert iron.structure[0].specie.oxi_state == 3
    (salt,) = items(CASES / "cif" / "oxi.cif")
    assert isinstance(salt, Entry)
    assert {str(site.specie) for site in salt.structure} == {"Na+", "Cl-"}


def test_a_bad_file_stops_nothing(database: str) -> None:
    done = dispatch.load(str(CASES / "cif"))
    assert done.loaded + done.already > 20
    reasons = {entry.source: entry.reason for entry in quarantine.find(limit=200)}
    assert "partial occupancy" in reasons["disorder.cif"]
    assert materials.count() >= 5


def test_the_whole_folder_is_one_load(database: str) -> None:
    done = dispatch.load(str(CASES))
    assert done.loaded > 5
    (told,) = [note for note in done.notes if "passed over" in note]
    assert re.match(r"\d+ files were passed over: README.md, bands_check.py, ", told)
    reasons = [entry.reason for entry in quarantine.find(limit=500)]
    assert not [reason for reason in reasons if "Error" in reason or "Traceback" in reason]
