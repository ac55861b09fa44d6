"""Names of columns: which property they mean, and units that are converted or refused."""

from __future__ import annotations

import pytest

from fermiloop.db_init.importers.columns import column_of
from fermiloop.platform.errors import InputError

HARTREE = 27.211386245988


@pytest.mark.parametrize(
    ("name", "given", "cell", "n", "kind", "value"),
    [
        ("band_gap", None, "1.5", 4, "band_gap", 1.5),
        ("band_gap (eV)", None, "1.5", 4, "band_gap", 1.5),
        ("Band Gap [meV]", None, "1500", 4, "band_gap", 1.5),
        ("band_gap / eV", None, "1.5", 4, "band_gap", 1.5),
        ("band_gap_meV", None, "1500", 4, "band_gap", 1.5),
        ("gap (Ha)", None, "0.1", 4, "band_gap", 0.1 * HARTREE),
        ("formation_energy_per_atom (meV/atom)", None, "-500", 4, "formation_energy_per_atom", -0.5),
        ("formation_energy_per_atom (kJ/mol)", None, "-96.485332", 4, "formation_energy_per_atom", -1.0),
        ("formation_energy (kJ/mol-atom)", None, "-96.485332", 4, None, None),
        ("formation_energy (eV/atom)", None, "-0.5", 4, "formation_energy_per_atom", -0.5),
        ("formation_energy [eV]", None, "-2", 4, "formation_energy_per_atom", -0.5),
        ("formation_energy", None, "-2", 4, None, None),
        ("e_form, eV/atom", None, "-0.5", 4, "formation_energy_per_atom", -0.5),
        ("energy (eV)", None, "-20", 4, "energy_per_atom", -5.0),
        ("energy [eV/atom]", None, "-5", 4, "energy_per_atom", -5.0),
        ("energy_Ha", None, "-4", 4, "energy_per_atom", -HARTREE),
        ("total_energy (Ry/cell)", None, "-4", 2, "energy_per_atom", -HARTREE),
        ("energy_ev_atom", None, "-5", 4, "energy_per_atom", -5.0),
        ("energy_above_hull (meV/atom)", None, "25", 4, "energy_above_hull", 0.025),
        ("e_above_hull", None, "0.025", 4, "energy_above_hull", 0.025),
        ("bulk_modulus (kbar)", None, "1000", 4, "bulk_modulus", 100.0),
        ("bulk modulus [Mbar]", None, "1", 4, "bulk_modulus", 100.0),
        ("shear_modulus_GPa", None, "80", 4, "shear_modulus", 80.0),
        ("heat_ref", "formation_energy_per_atom", "-0.5", 4, "formation_energy_per_atom", -0.5),
        ("E (meV/atom)", "energy_per_atom", "-5000", 4, "energy_per_atom", -5.0),
        ("E", "energy", "-20", 4, "energy_per_atom", -5.0),
        ("E [Ha]", "energy", "-4", 4, "energy_per_atom", -HARTREE),
        ("band_gap", None, "", 4, "band_gap", None),
        ("band_gap", None, "NaN", 4, "band_gap", None),
        ("note", None, "x", 4, None, None),
        ("volume (Å³)", None, "40", 4, None, None),
    ],
)
def test_a_name_says_property_and_unit(
    name: str, given: str | None, cell: str, n: int, kind: str | None, value: float | None
) -> None:
    column = column_of(name, given)
    if kind is None:
        assert column is None
        return
    assert column is not None
    assert str(column.kind) == kind
    assert column.value(cell, n) == (None if value is None else pytest.approx(value, rel=1e-6))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("band_gap (J/m2)", "in 'J/m2', in which band_gap is not read"),
        ("energy_above_hull [furlong]", "furlong"),
        ("formation_energy_per_atom (eV/f.u.)", "per formula unit"),
        ("formation_energy (kJ/mol)", "per mole of what"),
        ("bulk_modulus (eV)", "in 'eV'"),
    ],
)
def test_units_that_are_not_known_are_refused(name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        column_of(name)


@pytest.mark.parametrize("cell", ["=1.5", "=cmd|calc!A1", "1,5", "wide", "inf", True])
def test_what_is_no_number_is_refused(cell: object) -> None:
    column = column_of("band_gap")
    assert column is not None
    with pytest.raises(InputError, match=r"no (finite )?number"):
        column.value(cell, 2)
