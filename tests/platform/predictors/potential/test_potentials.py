"""Every potential that is installed keeps the protocol; what one adds of its own is told."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.plugins.potentials import POTENTIALS
from fermiloop.platform.predictors.potential.force_fields import ForceFieldPotential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.testing.potentials import check_potential

CRYSTAL = PROTOTYPES["B2"].build("Al", "Ni", 12.0)


@pytest.mark.parametrize("name", ["analytic", "chgnet"])
def test_ours_keep_the_protocol(name):
    check_potential(POTENTIALS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sevennet", "sevennet_mf", "sevennet_l3i5"])
def test_sevennet_keeps_the_protocol_where_it_is_installed(name, recwarn):
    if lacking := POTENTIALS[name].missing():
        pytest.skip(lacking)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        check_potential(POTENTIALS[name])
    assert [str(one.message) for one in told] == []
    potential = POTENTIALS[name].build()
    lonely = Structure(Lattice.cubic(14), ["Cu"], [(0, 0, 0)])
    assert "no neighbour within 5 Å" in potential.fault(lonely)
    assert "not trained on Rn" in potential.fault(PROTOTYPES["A1"].build("Rn", None, 40.0))
    assert relax(potential, CRYSTAL).converged


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # CHGNet's own calculator about our constraints
def test_a_force_field_by_its_name_in_atomate2_is_the_same_model():
    by_name = ForceFieldPotential("named", "CHGNet", {"stress_unit": "eV/A3"})
    ours = POTENTIALS["chgnet"].build()
    assert by_name.fault(CRYSTAL) is None
    assert by_name.energies([CRYSTAL]) == pytest.approx(ours.energies([CRYSTAL]), abs=1e-4)
    assert relax(by_name, CRYSTAL).energy_per_atom == pytest.approx(relax(ours, CRYSTAL).energy_per_atom, abs=1e-4)


@pytest.mark.slow
def test_what_a_force_field_cannot_compute_is_told_in_its_own_words():
    by_name = ForceFieldPotential("named", "CHGNet", {"stress_unit": "eV/A3"})
    lonely = Structure(Lattice.cubic(14), ["Cu"], [(0, 0, 0)])
    energies = by_name.energies([lonely, CRYSTAL])
    assert np.isnan(energies[0]) == (by_name.fault(lonely) is not None)
    assert np.isfinite(energies[1])
