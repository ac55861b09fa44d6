"""Moments as vectors, as magnetic CIFs give them: numbers for engines of collinear spins, or refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.gpaw.dft import initial_atoms
from fermiloop.flows.engines.gpaw.settings import GpawSettings
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.moments import collinear
from fermiloop.flows.engines.protocol import results_of
from fermiloop.flows.engines.vasp.makers import relax_maker
from fermiloop.platform.errors import InputError

PLACES = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0.5]]


def oxide(*moments: Any) -> Structure:
    return Structure(Lattice.cubic(4.2), ["Ni", "Ni", "O", "O"], PLACES, site_properties={"magmom": list(moments)})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([[0, 0, 1.7], [0, 0, -1.7], [0, 0, 0], [0, 0, 0]], [1.7, -1.7, 0.0, 0.0]),
        ([[-1, -1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0.1]], [-1.414214, 1.414214, 0.0, 0.0]),
        ([[0, 0, 0]] * 4, [0.0] * 4),
        ([1.7, -1.7, 0.0, 0.0], [1.7, -1.7, 0.0, 0.0]),
        ([1.7, -1.7, None, None], [1.7, -1.7, 0.0, 0.0]),
        ([[0, 0, 1.7], [0, 0, -1.7], None, None], [1.7, -1.7, 0.0, 0.0]),
    ],
)
def test_vectors_along_one_axis_are_numbers(given: list[Any], wanted: list[Any]) -> None:
    assert collinear(oxide(*given)).site_properties["magmom"] == pytest.approx(wanted)


def test_what_has_none_is_left_as_it_is() -> None:
    bare = Structure(Lattice.cubic(4.2), ["Ni", "Ni", "O", "O"], PLACES)
    assert collinear(bare) is bare
    assert "magmom" not in collinear(oxide(None, None, None, None)).site_properties


def test_gpaw_begins_with_numbers_where_a_file_gives_moments_of_some_sites_only() -> None:
    atoms = initial_atoms(collinear(oxide(1.7, -1.7, None, None)), GpawSettings())
    assert atoms.get_initial_magnetic_moments().tolist() == [1.7, -1.7, 0.0, 0.0]


@pytest.mark.parametrize("engine", ["gpaw", "gpaw-hard", "gpaw-hydrogen", "vasp", "cp2k"])
def test_crossed_moments_are_refused_before_anything_is_computed(engine: str) -> None:
    crossed = oxide([0, 0, 1.7], [1.7, 0, 0], [0, 0, 0], [0, 0, 0])
    settings = {} if engine in {"vasp", "cp2k"} else {"cutoff": 600.0}
    told = code_of(engine).refuses(crossed, settings)
    assert told is not None
    assert "its moments are not collinear, 1.7 μB of Ni (atom " in told
    assert code_of(engine).refuses(oxide([0, 0, 1.7], [0, 0, -1.7], [0, 0, 0], [0, 0, 0]), settings) is None
    with pytest.raises(InputError, match="not collinear"):
        code_of(engine).flow("calc-m", crossed, settings, 900.0)


def test_vasp_begins_with_the_moments_of_a_magnetic_cif() -> None:
    given = oxide([0, 0, 1.7], [0, 0, -1.7], [0, 0, 0], [0, 0, 0])
    first = code_of("vasp").flow("calc-m", given, {}, 900.0).jobs[0]
    generator = relax_maker(step="relax1", calculation="calc-m", potcar="PBE", time_limit=900.0).input_set_generator
    written = generator.get_input_set(first.function_args[0], potcar_spec=True)
    assert "MAGMOM = 1*1.7 1*-1.7 2*0.0" in str(written.incar)  # where vectors cannot even be written


@pytest.mark.parametrize(("given", "wanted"), [(-2.5, 2.5), (2.5, 2.5), (None, None)])
def test_the_moment_of_a_result_has_no_sign(given: Any, wanted: Any) -> None:
    found = results_of({"static": {"structure": oxide(0.0, 0.0, 0.0, 0.0), "energy": -1.0, "magnetic_moment": given}})
    assert found.magnetic_moment == wanted
