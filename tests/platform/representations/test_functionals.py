"""Functional, dispersion and Hubbard U of what INCAR, vasprun.xml and task documents say."""

from __future__ import annotations

from typing import Any

import pytest
from pymatgen.io.vasp import Incar

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.functionals import functional_of, hubbard_of

# what vasprun.xml and emmet's parameters say of a run with no tag set
DEFAULTS = {
    "GGA": "--", "LHFCALC": False, "AEXX": 0.0, "HFSCREEN": 0.0, "LUSE_VDW": False, "LMETAGGA": False, "LDAU": False,
    "AGGAX": 1.0, "AGGAC": 1.0, "ALDAX": 1.0, "ALDAC": 1.0, "Zab_VDW": -0.8491, "PARAM1": 0.1234, "PARAM2": 1.0,
}  # fmt: skip
HYBRID = {"LHFCALC": True, "AEXX": 0.25, "AGGAX": 0.75}
VDW = {"LUSE_VDW": True, "AGGAC": 0.0}


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({}, "PBE"),
        ({"GGA": "PE"}, "PBE"),
        ({"gga": "Ps"}, "PBEsol"),
        ({"GGA": " RP "}, "RPBE"),
        ({"GGA": "RE"}, "revPBE"),
        ({"GGA": 91}, "PW91"),
        ({"GGA": "91"}, "PW91"),
        ({"GGA": 91.0}, "PW91"),
        ({"GGA": "CA"}, "LDA"),
        ({"GGA": "PZ"}, "LDA"),
        ({"GGA": "AM"}, "AM05"),
        ({"GGA": "MK"}, "optB86b"),
        ({"GGA": "B3"}, "GGA=B3"),
        ({"GGA": "XY"}, "GGA=XY"),
        ({"GGA": "LIBXC", "LIBXC1": "GGA_X_PBE", "LIBXC2": 130}, "libxc GGA_X_PBE+130"),
        ({"XC": "SLOC PBE_C"}, "XC=SLOC PBE_C"),
        ({"METAGGA": "SCAN"}, "SCAN"),
        ({"metagga": "r2scan"}, "r2SCAN"),
        ({"METAGGA": "R2SCA", "LMETAGGA": True}, "r2SCAN"),  # as vasprun.xml cuts it
        ({"METAGGA": "Rscan"}, "rSCAN"),
        ({"METAGGA": "Tpss", "GGA": "PE"}, "TPSS"),
        ({"METAGGA": "MBJ"}, "mBJ"),
        ({"METAGGA": "M06L"}, "M06-L"),
        ({"METAGGA": "NEW1"}, "METAGGA=NEW1"),
        ({"METAGGA": "None"}, "PBE"),
        ({"METAGGA": "--"}, "PBE"),
        ({"METAGGA": None}, "PBE"),
        ({"METAGGA": False}, "PBE"),
        ({"METAGGA": "F", "LMETAGGA": "F"}, "PBE"),
        ({"LMETAGGA": True}, "an unnamed meta-GGA"),
        ({**HYBRID, "HFSCREEN": 0.2}, "HSE06"),
        ({**HYBRID, "HFSCREEN": 0.207, "GGA": "PE"}, "HSE06"),
        ({**HYBRID, "HFSCREEN": 0.3}, "HSE03"),
        ({**HYBRID, "HFSCREEN": "0.2 # screened", "GGA": "PS"}, "HSEsol"),
        ({**HYBRID, "HFSCREEN": 0.11}, "screened hybrid of PBE (HFSCREEN=0.11)"),
        ({**HYBRID, "HFSCREEN": 0.2, "AEXX": 0.32}, "HSE06 (AEXX=0.32)"),
        (HYBRID, "PBE0"),
        ({**HYBRID, "AEXX": 0.35}, "PBE0 (AEXX=0.35)"),
        ({**HYBRID, "METAGGA": "R2SCAN"}, "r2SCAN0"),
        ({"LHFCALC": ".TRUE.", "AEXX": "0.25", "HFSCREEN": "2D-1"}, "HSE06"),
        ({"LHFCALC": True, "GGA": "B3", "AEXX": 0.2, "AGGAX": 0.72, "AGGAC": 0.81, "ALDAC": 0.19}, "B3LYP"),
        ({"LHFCALC": True, "AEXX": 0.2, "AGGAX": 0.72, "AGGAC": 0.81, "ALDAC": 0.19}, "B3LYP"),
        ({"LHFCALC": True, "AEXX": 1.0, "ALDAC": 0.0, "AGGAC": 0.0}, "HF"),
        ({**HYBRID, "LMODELHF": True, "HFSCREEN": 1.2}, "dielectric-dependent hybrid of PBE (AEXX=0.25, HFSCREEN=1.2)"),
        ({"IVDW": 0}, "PBE"),
        ({"IVDW": 1}, "PBE-D2"),
        ({"IVDW": 10}, "PBE-D2"),
        ({"LVDW": True}, "PBE-D2"),
        ({"IVDW": 11}, "PBE-D3"),
        ({"IVDW": "12"}, "PBE-D3(BJ)"),
        ({"IVDW": 13}, "PBE-D4"),
        ({"IVDW": 2}, "PBE-TS"),
        ({"IVDW": 202}, "PBE-MBD"),
        ({"IVDW": 4}, "PBE-dDsC"),
        ({"IVDW": 77}, "PBE-IVDW=77"),
        ({"METAGGA": "R2SCAN", "IVDW": 13}, "r2SCAN-D4"),
        ({**HYBRID, "HFSCREEN": 0.2, "IVDW": 12}, "HSE06-D3(BJ)"),
        ({**VDW, "GGA": "RE"}, "vdW-DF"),
        ({**VDW, "GGA": "OR"}, "optPBE-vdW"),
        ({**VDW, "GGA": "BO", "PARAM1": 0.18333333, "PARAM2": 0.22}, "optB88-vdW"),
        ({**VDW, "GGA": "MK", "PARAM1": 0.1234, "PARAM2": 1.0}, "optB86b-vdW"),
        ({**VDW, "GGA": "ML", "ZAB_VDW": -1.8867}, "vdW-DF2"),
        ({**VDW, "GGA": "MK", "PARAM2": 0.711357, "Zab_vdW": -1.8867}, "rev-vdW-DF2"),
        ({**VDW, "GGA": "CX"}, "vdW-DF-cx"),
        ({**VDW, "GGA": "ML", "IVDW_NL": 2, "BPARAM": 6.3}, "rVV10"),
        ({"LUSE_VDW": True, "METAGGA": "SCAN", "BPARAM": 15.7}, "SCAN+rVV10"),
        ({"LUSE_VDW": "T", "METAGGA": "R2SCAN", "BPARAM": 11.95}, "r2SCAN+rVV10"),
        ({"LUSE_VDW": True}, "PBE+vdW-DF"),
        ({"ALGO": "EVGW0"}, "EVGW0@PBE"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("whole", [False, True], ids=["incar", "parameters"])
def test_the_functional_is_what_the_tags_ask_for(tags: dict[str, Any], name: str, *, whole: bool) -> None:
    lower = {key.lower() for key in tags}
    defaults = {key: value for key, value in DEFAULTS.items() if key.lower() not in lower}
    assert functional_of({**defaults, **tags} if whole else tags) == name


@pytest.mark.parametrize(
    ("potcar", "name"),
    [
        ("PBE_54", "PBE"), ("PAW_PBE Fe_pv 06Sep2000", "PBE"), ("PE", "PBE"), ("LDA_52", "LDA"), ("CA", "LDA"),
        ("PAW Si 02Apr1999", "LDA"), ("PW91", "PW91"), ("91", "PW91"), ("PAW_GGA", "PW91"),
        ("odd", "that of POTCAR odd"),
    ],
)  # fmt: skip
def test_the_pseudopotential_decides_where_no_gga_is_asked_for(potcar: str, name: str) -> None:
    assert functional_of({"GGA": "--"}, potcar) == name
    assert functional_of({}, potcar) == name
    assert functional_of({"GGA": "PS"}, potcar) == "PBEsol"


def test_an_incar_read_by_pymatgen_says_the_same() -> None:
    text = "lhfcalc = .TRUE.\nHFSCREEN = 0.2\nAEXX = 0.25\nPRECFOCK = Fast\nIVDW = 12\n"
    assert functional_of(Incar.from_str(text)) == "HSE06-D3(BJ)"


def test_a_tag_that_should_be_a_number_and_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="IVDW is 'twelve'"):
        functional_of({"IVDW": "twelve"})


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({"LDAU": True, "LDAUU": [5.3, 0.0], "LDAUJ": [0, 0], "LDAUL": [2, 0]}, {"Fe": 5.3}),
        ({"LDAU": True, "LDAUU": [5.3, 0.0]}, {"Fe": 5.3}),
        ({"LDAU": True, "LDAUU": [5.3, 0.0], "LDAUJ": [1.0, 0.0]}, {"Fe": 4.3}),
        ({"ldau": ".TRUE.", "ldauu": "5.3 1*0.0"}, {"Fe": 5.3}),
        ({"LDAU": True, "LDAUU": {"Fe": 5.3, "Co": 3.32}}, {"Fe": 5.3}),
        ({"LDAU": True, "LDAUU": [0, 0]}, {}),
        ({"LDAU": False, "LDAUU": [5.3, 0.0]}, {}),
        ({"LDAU": "F", "LDAUU": "5.3 0"}, {}),
        ({"LDAUU": [5.3, 0.0]}, {}),
        ({"LDAU": True}, {}),
    ],
)
def test_hubbard_values_by_element(tags: dict[str, Any], found: dict[str, float]) -> None:
    assert hubbard_of(tags, ["Fe_pv", "O"]) == found


@pytest.mark.parametrize(
    ("values", "symbols", "said"),
    [
        ([5.3], ["Fe", "O"], r"1 values for 2 species \(Fe, O\)"),
        ([5.3, 0.0, 4.0], ["Fe", "O", "Fe"], "Fe has a Hubbard U of 5.3 and of 4"),
        ("5.3 x", ["Fe", "O"], "no numbers"),
    ],
)
def test_values_that_do_not_fit_the_species_are_refused(values: Any, symbols: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        hubbard_of({"LDAU": True, "LDAUU": values}, symbols)


def test_the_same_element_twice_is_one() -> None:
    assert hubbard_of({"LDAU": True, "LDAUU": [5.3, 0.0, 5.3]}, ["Fe", "O", "Fe"]) == {"Fe": 5.3}
