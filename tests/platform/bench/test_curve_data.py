"""Curves with crystals out of files: which kind, what is refused, and which table and crystal count."""

import gzip
import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench.curve_data import kind_of, read_curves
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.phonon_curves import JARVIS_WAVENUMBERS
from fermiloop.schemas.curve_kinds import SpectrumKind

POSCAR = "x\n1.0\n{a} 0 0\n0 {a} 0\n0 0 {a}\n{symbols}\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"


def phonons(symbols, a=3.0, at=200.0):
    values = np.exp(-(((JARVIS_WAVENUMBERS - at) / 30) ** 2))
    return {"jid": symbols, "poscar": POSCAR.format(a=a, symbols=symbols), "phonon_dos": values.tolist()}


def table(material, at=3.0, **changes):
    energies = np.linspace(1.0, 7.0, 60)
    k = np.exp(-((energies - at) ** 2))
    return {"material": material, "page": "a", "energy_eV": energies.tolist(), "k": k.tolist(), "comment": ""} | changes


def crystal(species, a, above):
    frac = [[0, 0, 0], [0.5, 0.5, 0.5]][: len(species)]
    return {"cell": [a, a, a, 90, 90, 90], "species": species, "frac": frac, "e_above_hull": above}


def write(path, rows):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(row) for row in rows))
    return path


def test_phonons_of_stable_crystals_once_each(tmp_path):
    rows = [phonons("Ni Al"), phonons("Ni Al"), phonons("Ti Al", at=-200.0), phonons("Fe Al", a=2.9), {"jid": "none"}]
    file = write(tmp_path / "phonons.jsonl.gz", rows)
    assert kind_of(file) is SpectrumKind.PHONON_DOS
    data, refused = read_curves(file, SpectrumKind.PHONON_DOS)
    assert (data.ids, refused) == (("Ni Al", "Fe Al"), 2)
    assert data.prototypes == ("AB/221", "AB/221")
    np.testing.assert_allclose(np.trapezoid(data.curves, dx=data.grid.step), 6.0, rtol=0.02)


def test_absorption_of_the_crystals_beside_it(tmp_path):
    rows = [
        table("Cu"),
        table("Cu", 3.1),
        table("Cu", 5.5),
        table("Ag", comment="amorphous"),
        table("NiAl"),
        table("W"),
    ]
    file = write(tmp_path / "nk.jsonl.gz", rows)
    crystals = [crystal(["Ni", "Al"], 2.9, 0.05), crystal(["Ni", "Al"], 3.3, 0.0), crystal(["W"], 3.2, 0.4)]
    write(tmp_path / "mp_structures.jsonl.gz", crystals)
    cu = [Structure(Lattice.cubic(a), ["Cu"], [[0, 0, 0]]).as_dict() for a in (2.5, 2.3)]
    with gzip.open(tmp_path / "mp_element_references.json.gz", "wt", encoding="utf-8") as out:
        json.dump({"Cu": {"structure": cu, "energy_per_atom": [-3.0, -4.0]}}, out)
    assert kind_of(file) is SpectrumKind.ABSORPTION
    data, refused = read_curves(file, SpectrumKind.ABSORPTION)
    assert (data.ids, refused) == (("Cu", "AlNi"), 1)
    assert [one.lattice.a for one in data.structures] == [pytest.approx(2.3), pytest.approx(3.3)]
    assert data.grid.points[data.curves[0].argmax()] == pytest.approx(3.2, abs=0.25)


def test_other_files(tmp_path):
    file = write(tmp_path / "crystals.jsonl.gz", [crystal(["Ni", "Al"], 2.9, 0.0)])
    assert kind_of(file) is SpectrumKind.XRD
    with pytest.raises(InputError, match="holds no phonon density of states"):
        read_curves(write(tmp_path / "none.jsonl.gz", [phonons("Ni Al", at=-200.0)]), SpectrumKind.PHONON_DOS)
