"""Strategies in one chemical system: equal calls, what is known left out, and what is counted."""

import json
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Composition

from fermiloop.platform.bench import systems
from fermiloop.platform.bench.library import read_library
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.search.optimisers.variable import Member
from fermiloop.platform.search.oracle import Point

SEED_LIBRARY = Path(__file__).parents[3] / "db_init" / "seed" / "gpaw_pbe.jsonl.gz"


@pytest.fixture(scope="module")
def cheap():
    return potential("analytic").build()


@pytest.fixture(scope="module")
def library():
    data = read_library(SEED_LIBRARY)[0]
    names = {"Al", "Li", "Na", "Sn"}
    return data.subset([i for i, s in enumerate(data.structures) if set(s.composition.get_el_amt_dict()) <= names])


@pytest.fixture(scope="module")
def system(library, cheap):
    return systems.systems_of(library, cheap, 1)[0]


def test_a_system_knows_its_hull_and_its_compounds_are_left_out(system, library):
    assert system.limit > 0
    assert system.known
    assert all(energy < 0 for energy in system.known.values())
    names = {structure.composition.chemical_system for structure in system.rest.structures}
    assert "-".join(system.elements) not in names
    assert names & set(system.elements) == set(system.elements)  # elements alone stay
    labels = system.rest.labels["formation_energy_per_atom"]
    lowest = [labels[i] for i, s in enumerate(system.rest.structures) if s.composition.chemical_system == "Al"]
    assert min(lowest) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("strategy", systems.STRATEGIES)
def test_every_strategy_keeps_to_its_calls_and_a_seed_repeats(strategy, system, cheap, monkeypatch):
    asked = []
    plain = systems.PotentialFunction.__call__
    monkeypatch.setattr(
        systems.PotentialFunction, "__call__", lambda self, point: asked.append(1) or plain(self, point)
    )
    found, calls = systems.searched(system, systems.STRATEGIES[strategy], cheap, 90, 3)
    assert len(asked) == calls <= 90
    again, _ = systems.searched(system, systems.STRATEGIES[strategy], cheap, 90, 3)
    assert [m.excess for m in found] == [m.excess for m in again]
    assert all(set(m.symbols) <= set(system.elements) and len(m.symbols) <= systems.MOST_SITES for m in found)


def test_what_is_found_is_measured_against_what_is_known(system):
    assert systems.depth_of(system, []) == 0
    pair = Member(system.elements, Point(np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]), 3 * np.eye(3)), -2.0)
    assert systems.depth_of(system, [pair]) == pytest.approx(1.0, abs=0.02)  # the mean of a triangle
    formula, energy = next(iter(system.known.items()))
    amounts = Composition(formula).get_el_amt_dict()
    symbols = tuple(e for e in system.elements for _ in range(int(amounts[e])))
    point = Point(np.random.default_rng(0).random((len(symbols), 3)), 5 * np.eye(3))
    for above, expected in ((0.001, [formula]), (0.1, [])):
        assert systems.rediscovered(system, [Member(symbols, point, energy + above)]) == expected


def test_the_interval_is_over_systems_and_holds_the_mean():
    values, names = np.array([1.0, 1.2, 0.4, 0.6]), np.array([0, 0, 1, 1])
    low, high = systems.interval(values, names)
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(1.1)


def test_the_latent_space_learns_of_no_system_that_is_searched(library, cheap):
    found = systems.systems_of(library, cheap, 2)
    left = systems.binaries_beside(found)
    names = {one.composition.chemical_system for one in left.structures}
    assert len(found) == 2
    assert names
    assert all(len(name.split("-")) == 2 for name in names)
    assert not names & {"-".join(system.elements) for system in found}


def test_a_library_without_such_a_system_is_refused(library, cheap):
    with pytest.raises(InputError, match="no system of two elements"):
        systems.systems_of(library.subset([0, 1]), cheap, 2)


def test_the_bench_gives_a_row_of_each_strategy_and_of_a_pressure(tmp_path, library):
    lines = [
        json.dumps({
            "key": library.ids[i], "formula": s.composition.reduced_formula, "prototype": library.prototypes[i],
            "structure": s.as_dict(), "dos": np.ones(361).tolist(),
        })
        for i, s in enumerate(library.structures)
    ]  # fmt: skip
    path = tmp_path / "library.jsonl"
    path.write_text("\n".join(lines))
    result = systems.run_bench(path, True, 0, lambda *_: None)
    told = [row["what"] for row in result["rows"]]
    for strategy in (*systems.STRATEGIES, systems.LATENT):
        assert any(what.startswith(f"{strategy}: depth") for what in told)
        assert any(what.startswith(f"{strategy}: known stable") for what in told)
    assert told[-1].startswith("NaCl at 0 GPa")
    assert all(row["n"] > 0 for row in result["rows"])
