"""What is read of a GPAW calculation; the genuine ones are slow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.gpaw.dft import StaticDos, band_edges, static_dos
from fermiloop.flows.engines.gpaw.settings import GpawSettings
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.representations.alignment import Edges
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID


@dataclass
class Eigenvalues:
    """What `band_edges` asks of a calculator: levels by spin and k-point, eV."""

    levels: list[list[list[float]]]
    fermi: float

    def get_fermi_level(self) -> float:
        return self.fermi

    def get_number_of_spins(self) -> int:
        return len(self.levels)

    def get_ibz_k_points(self) -> list[Any]:
        return self.levels[0]

    def get_eigenvalues(self, kpt: int, spin: int) -> list[float]:
        return self.levels[spin][kpt]


def test_edges_are_of_all_k_points_and_spins() -> None:
    found = band_edges(Eigenvalues([[[-3.0, 2.0, 6.0], [-4.0, 1.0, 5.0]], [[-3.5, 1.5, 7.0], [-3.2, 2.5, 4.0]]], 3.0))
    assert (found.vbm, found.cbm, found.gap) == (-0.5, 1.0, 1.5)


def test_a_band_that_crosses_is_a_metal() -> None:
    assert band_edges(Eigenvalues([[[-3.0, 2.0], [-3.0, 4.0]]], 3.0)) == Edges()


def test_a_magnetic_insulator_has_other_numbers_of_bands_in_either_spin() -> None:
    spins = [[[-3.0, 2.0], [-3.0, 1.0]], [[-2.0, 3.5], [3.2, 4.0]]]
    assert band_edges(Eigenvalues(spins, 3.0)) == Edges()  # one band of the second spin crosses
    spins[1][1][0] = -1.0
    assert band_edges(Eigenvalues(spins, 3.0)).gap == pytest.approx(1.5)
    spins[1] = [[3.2, 3.5], [3.3, 4.0]]
    assert band_edges(Eigenvalues(spins, 3.0)).gap == pytest.approx(1.2)


def computed(crystal: Structure, **settings: Any) -> StaticDos:
    if not code_of("gpaw").available().ready:
        pytest.skip("GPAW is not installed: pip install '.[dft]' in fermiloop's folder")
    return static_dos(crystal, replace(GpawSettings(), **settings))


def cosine(one: StaticDos, other: StaticDos) -> float:
    first, second = (DOS_GRID.resample(found.energies, found.density) for found in (one, other))
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.slow
@pytest.mark.dft
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "crystal", [PROTOTYPES["B2"].build("Al", "Ni", 12.05), PROTOTYPES["A1"].build("Al", None, 16.6)], ids=["NiAl", "Al"]
)
def test_curves_at_400_and_600_ev_are_one_where_both_hold(crystal: Structure) -> None:
    low, high = (computed(crystal, cutoff=cutoff, kpoint_density=3.0) for cutoff in (400.0, 600.0))
    assert cosine(low, high) > 0.999
    assert low.energy != high.energy


@pytest.mark.slow
@pytest.mark.dft
@pytest.mark.timeout(900)
def test_the_middle_of_a_gap_lies_at_zero() -> None:
    crystal = PROTOTYPES["B1"].build("Mg", "O", 4.21**3 / 8)
    found = computed(crystal, cutoff=600.0, kpoint_density=3.0)
    assert 4.3 < found.gap < 5.1  # eV, PBE
    empty = found.energies[found.density < 1e-3 * found.density.max()]
    inside = empty[np.abs(empty) < found.gap / 2]
    assert inside[0] + inside[-1] == pytest.approx(0.0, abs=0.25)  # the tails of both edges reach equally far


@pytest.mark.slow
@pytest.mark.dft
@pytest.mark.timeout(900)
def test_plus_u_changes_the_moment_and_the_gap_of_nickel_oxide() -> None:
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.17), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    primitive, coarse = crystal.get_primitive_structure(), {"cutoff": 600.0, "kpoint_density": 2.0}
    plain, corrected = computed(primitive, **coarse), computed(primitive, hubbard="materials_project", **coarse)
    assert (plain.hubbard_u, corrected.hubbard_u) == ({}, {"Ni": 6.2})
    assert corrected.gap > plain.gap + 0.5
    assert corrected.energy > plain.energy + 0.5
