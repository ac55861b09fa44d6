"""What is handed over: files, folders, ids, formulas; settings as words."""

from __future__ import annotations

from pathlib import Path

import pytest

from fermiloop.platform.app import computing
from fermiloop.platform.errors import InputError, NotFoundError, SpecError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import materials

B2 = PROTOTYPES["B2"].build("Al", "Ni", 12.1)
SOURCE = {"name": "test", "key": "k", "licence": "MIT"}


def test_files_folders_ids_and_formulas_are_crystals(database: str, tmp_path: Path) -> None:
    below = tmp_path / "more" / "below"
    below.mkdir(parents=True)
    B2.to(str(tmp_path / "NiAl.cif"), fmt="cif")
    B2.to(str(below / "POSCAR_one"), fmt="poscar")
    (below / "notes.txt").write_text("no crystal")
    kept = materials.save(B2, origin="import", source=SOURCE)
    given = computing.crystals([str(tmp_path / "NiAl.cif"), str(tmp_path / "more"), kept, "AlNi"])
    assert [one.name for one in given] == ["NiAl.cif", "below/POSCAR_one", kept, kept]
    assert {one.structure.composition.reduced_formula for one in given} == {"AlNi"}


def test_a_stored_material_that_came_with_moments_is_handed_over_with_them(database: str) -> None:
    materials.save(B2, origin="import", source=SOURCE)
    ordered = (B2 * (1, 1, 2)).copy(site_properties={"magmom": [0.0, 0.0, 1.0, -1.0]})
    kept = materials.save(ordered, origin="import", source={**SOURCE, "key": "ordered"})
    for word in (kept, "AlNi"):
        (given,) = computing.crystals([word])
        assert given.structure.site_properties["magmom"] == [0.0, 0.0, 1.0, -1.0]
    assert materials.as_computed(["m-0123456789abcdef"]) == {}


def test_moments_that_are_noise_are_not_handed_over(database: str) -> None:
    noisy = B2.copy(site_properties={"magmom": [0.02, None]})
    kept = materials.save(noisy, origin="import", source=SOURCE)
    (given,) = computing.crystals([kept])
    assert "magmom" not in given.structure.site_properties


def test_slips_are_told_in_one_sentence(database: str, tmp_path: Path) -> None:
    (tmp_path / "bad.cif").write_text("no crystal at all")
    (tmp_path / "empty").mkdir()
    for word, told in (
        ("nothing.cif", "There is no file or folder nothing.cif"),
        (str(tmp_path / "bad.cif"), "holds no crystal"),
        (str(tmp_path / "empty"), "holds no CIF"),
        ("Pt3Ni", "holds no material of that formula"),
        ("qwerty", "no chemical formula"),
        ("", "An empty word was handed over"),
        ("~nobody-of-that-name/NiAl.cif", "There is no file or folder ~nobody"),
        ("a" * 300 + ".cif", "There is no file or folder aaa"),
    ):
        with pytest.raises(InputError, match=told):
            computing.crystals([word])
    with pytest.raises(NotFoundError):
        computing.crystals(["m-0123456789abcdef"])


def test_a_formula_of_several_materials_names_none_of_them(database: str) -> None:
    ids = [materials.save(one, origin="import", source=SOURCE) for one in (B2, PROTOTYPES["B1"].build("Al", "Ni", 14))]
    with pytest.raises(InputError, match="holds 2 materials of the formula NiAl; name one of them") as told:
        computing.crystals(["NiAl"])
    assert all(key in str(told.value) for key in ids)


def test_text_of_a_file_is_read_by_its_name_and_reaches_no_other_place() -> None:
    (one,) = computing.of_text("../../NiAl.cif", B2.to(fmt="cif"))
    assert (one.name, len(one.structure)) == ("NiAl.cif", 2)
    with pytest.raises(InputError, match=r"name it such as NiAl\.cif"):
        computing.of_text("passwd", "x")
    for name, text in (("\N{GRINNING FACE}" * 100 + ".cif", "x"), ("a\0.cif", "x"), ("a.cif", "data_\ud800")):
        with pytest.raises(InputError, match="cannot be written down"):
            computing.of_text(name, text)


def test_settings_are_words_as_in_a_campaign_file() -> None:
    given = computing.settings_of(["cutoff=600", "fail=", "potcar=PBE_54", "kpoint_density=3.5"])
    assert given == {"cutoff": 600, "fail": None, "potcar": "PBE_54", "kpoint_density": 3.5}
    assert computing.settings_of(["fmax=1e-2", "hubbard={No: 3}"]) == {"fmax": 0.01, "hubbard": {"No": 3}}
    for wrong in ("cutoff", "=3", "a={", "a=2024-13-45", "a=2024-01-01", "a=.nan", "a=[&x 1, *x]", "a={b: 1, b: 2}"):
        with pytest.raises(InputError, match="write it as cutoff=600"):
            computing.settings_of([wrong])
    with pytest.raises(InputError, match="cutoff is given twice"):
        computing.settings_of(["cutoff=400", "cutoff=600"])


def test_a_line_of_settings_may_hold_spaces_within_a_value() -> None:
    line = " cutoff=600  reference_corrections={O: 0.4, N: 0.1} hubbard = {V: 3.25} "
    assert computing.settings_of_line(line) == {
        "cutoff": 600, "reference_corrections": {"O": 0.4, "N": 0.1}, "hubbard": {"V": 3.25},
    }  # fmt: skip
    assert computing.settings_of_line("") == {}


def test_the_network_may_name_no_program() -> None:
    with pytest.raises(SpecError, match="the engine flow"):
        computing.refuse_programs("flow", {"maker": "os:system"})
    with pytest.raises(SpecError):
        computing.refuse_programs("gpaw", {"$where": 1})
    computing.refuse_programs("gpaw", {"cutoff": 600})
