"""Of several results of one material by one Method the lowest energy counts, with its curve; nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.flows.campaigns import elements
from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.flows.evaluations import storing
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, connection, labels, materials, methods, spectra
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import Origin, Property

CRYSTAL = PROTOTYPES["B1"].build("Ni", "O", 9.2)
POINTS = np.linspace(-10.0, 8.0, 181)


def result(energy: float, peak: float) -> EvaluationResult:
    """Of a magnetic state, known by its energy (eV per atom) and where its density of states has a peak."""
    density = np.exp(-((POINTS - peak) ** 2))
    return EvaluationResult(CRYSTAL, energy, gap=0.0, energies=POINTS, density=density, n_electrons=16.0)


FERRO, ANTI = result(-5.0, 0.0), result(-5.2, -2.0)


@pytest.fixture
def material(database: str) -> str:
    return materials.save(CRYSTAL, origin=Origin.IMPORT, source={"name": "here"})


def calculation(name: str, *, relaxed: bool = True) -> Calculation:
    """A planned calculation of a magnetic state of that crystal."""
    made = elements.method("analytic", {})
    methods.save(made.engine, made.functional, dict(made.settings), dict(made.code_versions))
    moments = {"ferro": [1.0, 0.0], "anti": [-1.0, 0.0]}[name]
    cell = CRYSTAL.copy(site_properties={"magmom": moments})
    made_id = calculations.plan(None, cell, engine="analytic", method=made.id, settings={}, relaxed=relaxed)
    return calculations.get(made_id)


def known(material: str, method: str) -> tuple[float, str | None, float]:
    """Energy of a material, whose curve it has, and where that has its peak."""
    energy = labels.values([material], Property.ENERGY_PER_ATOM, method)[material]
    curve = spectra.of_material(material, method=method)
    assert curve is not None
    return energy, curve.calculation, round(float(curve.points()[np.argmax(curve.array())]), 1)


def displaced() -> int:
    return int(connection.database()["displaced_spectra"].count_documents({}))


@pytest.mark.parametrize("first", ["ferro", "anti"])
def test_the_lower_of_two_relaxed_states_counts_in_either_order(material: str, first: str) -> None:
    found = {"ferro": FERRO, "anti": ANTI}
    for name in sorted(found, key=lambda one: one != first):
        one = calculation(name)
        assert storing.store(one, material, found[name])[Property.ENERGY_PER_ATOM] == found[name].energy_per_atom
    anti = calculation("anti")
    assert known(material, anti.method) == (-5.2, anti.id, -2.0)
    assert displaced() == (first == "ferro")
    storing.store(anti, material, ANTI)  # recorded once more after a kill
    storing.store(calculation("ferro"), material, FERRO)
    assert known(material, anti.method) == (-5.2, anti.id, -2.0)
    assert displaced() == (first == "ferro")


@pytest.mark.parametrize("energy", [-5.3, -5.1])
def test_a_relaxed_result_takes_the_place_of_a_library_s(material: str, energy: float) -> None:
    anti = calculation("anti")
    spectra.save(material, POINTS, FERRO.density, method=anti.method, gap=0.0)
    labels.save(material, Property.ENERGY_PER_ATOM, energy, method=anti.method)
    storing.store(anti, material, ANTI)
    assert known(material, anti.method) == (-5.2, anti.id, -2.0)
    assert displaced() == 1


@pytest.mark.parametrize(("energy", "counts"), [(-5.1, False), (-5.4, True)])
def test_one_that_was_not_relaxed_counts_where_it_is_lower(material: str, energy: float, counts: bool) -> None:
    anti, still = calculation("anti"), calculation("ferro", relaxed=False)
    storing.store(anti, material, ANTI)
    storing.store(still, material, replace(FERRO, energy_per_atom=energy))
    assert known(material, anti.method) == ((energy, still.id, 0.0) if counts else (-5.2, anti.id, -2.0))


def test_two_magnetic_orders_of_a_cell_are_two_calculations(material: str) -> None:
    plain = calculations.id_of(CRYSTAL, "m")
    ids = {calculation("ferro").id, calculation("anti").id}
    assert len(ids) == 2
    cells = [CRYSTAL.copy(site_properties={"magmom": moments}) for moments in ([None, None], [2.0, None], [2.0, 0.0])]
    none, some, filled = (calculations.id_of(cell, "m") for cell in cells)
    assert none == plain
    assert some == filled != plain
    vectors = CRYSTAL.copy(site_properties={"magmom": [[0.0, 0.0, 2.0], [0.0, 0.0, 0.0]]})
    assert calculations.id_of(vectors, "m") not in {plain, some}
    turned = CRYSTAL.copy()
    turned.sort(reverse=True)
    turned.add_site_property("magmom", [2.0 if site.specie.symbol == "Ni" else 0.0 for site in turned])
    assert calculations.id_of(turned, "m") == some  # in whatever order the sites are written
