"""Files of crystals read back as the same crystals."""

from __future__ import annotations

import numpy as np
import pytest
from ase.io import read
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.platform.representations.crystal_files import MEDIA_TYPE, SUFFIX, CrystalForm, file_name, text
from fermiloop.platform.representations.prototypes import PROTOTYPES

SAME = StructureMatcher(ltol=1e-3, stol=1e-3, angle_tol=0.1, scale=False)
TRICLINIC = Structure(
    Lattice.from_parameters(4.1, 5.3, 6.7, 81, 77, 95),
    ["Fe", "O", "S"],
    [[0, 0, 0], [0.3, 0.4, 0.55], [0.7, -0.2, 1.3]],
)


def reread(content: str, form: CrystalForm, folder: object = None) -> Structure:
    if form is CrystalForm.EXTXYZ:
        import io

        return AseAtomsAdaptor.get_structure(read(io.StringIO(content), format="extxyz"))
    return Structure.from_str(content, fmt="poscar" if form is CrystalForm.POSCAR else "cif")


@pytest.mark.parametrize("form", CrystalForm)
@pytest.mark.parametrize("name", sorted(PROTOTYPES))
def test_every_prototype_reads_back(name: str, form: CrystalForm) -> None:
    prototype = PROTOTYPES[name]
    crystal = prototype.build("Al", "Ni" if prototype.stoichiometry[1] else None, 14.0)
    assert SAME.fit(crystal, reread(text(crystal, form, "m-1"), form))


@pytest.mark.parametrize("form", CrystalForm)
def test_without_symmetry_and_with_what_a_site_bears(form: CrystalForm) -> None:
    """Oxidation states, moments and selective dynamics neither change the crystal nor stop it."""
    decorated = TRICLINIC.copy()
    decorated.add_oxidation_state_by_element({"Fe": 2, "O": -2, "S": 0})
    decorated.add_site_property("magmom", [2.0, -0.1, 0.0])
    decorated.add_site_property("velocities", [[1.0, 2.0, 3.0]] * 3)
    for crystal in (TRICLINIC, decorated):
        found = reread(text(crystal, form, "m-1"), form)
        found.remove_oxidation_states()
        assert SAME.fit(TRICLINIC, found)
        assert found.volume == pytest.approx(TRICLINIC.volume, rel=1e-9)


def test_a_cif_is_symmetrised_and_says_within_what() -> None:
    noisy = PROTOTYPES["B1"].build("Mg", "O", 10.0)
    noisy.perturb(0.002)
    symmetrised, plain = text(noisy, CrystalForm.CIF, "m-7"), text(noisy, CrystalForm.CIF_P1, "m-7")
    assert symmetrised.startswith("# m-7: symmetrised within 0.01 Angstrom\n")
    assert "Fm-3m" in symmetrised
    assert "P 1" in plain
    assert "'x, y, z'" in plain
    assert symmetrised.isascii(), "as CIF 1.1 asks"
    assert SAME.fit(reread(plain, CrystalForm.CIF_P1), noisy)


def test_a_poscar_keeps_every_digit() -> None:
    found = reread(text(TRICLINIC, CrystalForm.POSCAR, "m-1"), CrystalForm.POSCAR)
    assert np.abs(found.lattice.matrix - TRICLINIC.lattice.matrix).max() < 1e-14
    assert text(TRICLINIC, CrystalForm.POSCAR, "m-1").startswith("Fe1 O1 S1 m-1\n") or found.formula in text(
        TRICLINIC, CrystalForm.POSCAR, "m-1"
    )


def test_names_of_files() -> None:
    assert file_name("m-0123", TRICLINIC, CrystalForm.POSCAR) == "m-0123_FeSO.vasp"
    names = {file_name(f"m-{i:016x}", TRICLINIC, CrystalForm.CIF).casefold() for i in range(50)}
    assert len(names) == 50
    assert "/" not in file_name("../../etc/passwd", TRICLINIC, CrystalForm.CIF)
    assert set(SUFFIX) == set(MEDIA_TYPE) == set(CrystalForm)
