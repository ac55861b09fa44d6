"""Searches as generators: what the contract of all generators does not ask."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.search.global_search import (
    AnnealingSearch,
    BayesianSearch,
    GeneticSearch,
    GlobalSearch,
    GlobalSearchOptions,
    HoppingSearch,
    RandomSymmetricSearch,
    SwarmSearch,
)
from fermiloop.platform.search.optimisers.registry import OPTIMISERS
from fermiloop.platform.search.variable_composition import VariableSearch, VariableSearchOptions

OPTIONS = GlobalSearchOptions(
    potential="analytic", oracle_calls=120, calls_per_composition=30, relaxation_calls=25, formula_units=1
)
SEARCHES: dict[str, type[GlobalSearch]] = {
    kind.name: kind
    for kind in (RandomSymmetricSearch, GeneticSearch, SwarmSearch, AnnealingSearch, HoppingSearch, BayesianSearch)
}
SPACE = Space(("Al", "Ni", "Pt"), (1, 2), ("cubic", "hexagonal", "tetragonal", "orthorhombic", "triclinic"), 4)
TARGET = Target(windows=(PropertyWindow("formation_energy_per_atom", -0.1, 0.1),))


def silent(what, share):
    return None


def bare(library):
    """Without curves, which take the longest to learn from."""
    return replace(library, curves=np.full_like(library.curves, np.nan))


@pytest.fixture(scope="module")
def genetic(dos_library):
    made = SEARCHES["genetic"](OPTIONS)
    made.fit(bare(dos_library), 0, silent)
    return made


def test_pressure_makes_crystals_denser_and_their_enthalpy_counts(genetic, dos_library):
    space = replace(SPACE, elements=("Al",), n_components=(1, 1), max_sites=1)
    densities = []
    for pressure in (0.0, 100.0):
        search = SEARCHES["random_symmetric"](replace(OPTIONS, pressure=pressure, calls_per_composition=60))
        search.objective, search.volumes, search.ratios = genetic.objective, genetic.volumes, genetic.ratios
        (best, *_) = search.sample(TARGET, space, 1, np.random.default_rng(0))
        densities.append(best.structure.volume)
        told = best.detail
        work = told.get("enthalpy_per_atom", told["energy_per_atom"]) - told["energy_per_atom"]
        assert work == pytest.approx(pressure / 160.21766 * best.structure.volume / len(best.structure), rel=1e-3)
    assert densities[1] < 0.97 * densities[0]


def test_a_search_at_variable_composition_ranks_by_the_hull_of_what_it_found(genetic, dos_library, tmp_path):
    search = VariableSearch(VariableSearchOptions(potential="analytic", oracle_calls=400, relaxation_calls=25))
    search.objective, search.volumes, search.ratios = genetic.objective, genetic.volumes, genetic.ratios
    search.save(tmp_path)
    search = VariableSearch.load(tmp_path)
    assert search.options.calls_per_system == 500
    space = replace(SPACE, elements=("Al", "Ni"), n_components=(2, 2))
    found = search.sample(replace(TARGET, exclude_formulas=("AlNi",)), space, 20, np.random.default_rng(0))
    formulas = {proposal.structure.composition.reduced_formula for proposal in found}
    assert len(formulas) > 2
    assert "AlNi" not in formulas
    for proposal in found:
        assert proposal.detail["above_hull_of_search"] >= 0
        assert proposal.score == pytest.approx(-proposal.detail["value"])
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    with pytest.raises(InputError, match="2 or more"):
        search.sample(TARGET, replace(space, n_components=(1, 1)), 1, np.random.default_rng(0))


def test_every_optimiser_but_the_baseline_is_a_generator():
    assert set(SEARCHES) == set(OPTIMISERS) - {"random"}


@pytest.mark.parametrize("name", SEARCHES)
def test_crystals_are_relaxed_different_and_told_about(name, dos_library):
    search = SEARCHES[name](replace(OPTIONS, oracle_calls=60))
    search.fit(bare(dos_library), 0, silent)
    proposals = search.sample(TARGET, SPACE, 5, np.random.default_rng(2))
    assert proposals
    for proposal in proposals:
        detail = json.loads(json.dumps(dict(proposal.detail)))
        assert proposal.score == pytest.approx(-detail["value"])
        assert detail["formula"] == proposal.structure.composition.reduced_formula
        assert -2.5 < detail["energy_per_atom"] < 0  # of 0.2 eV deep Lennard-Jones pairs, bound


def test_more_calls_find_no_worse_crystals(genetic, dos_library):
    space = replace(SPACE, elements=("Al",), n_components=(1, 1), max_sites=2)
    best = []
    for calls in (30, 80):
        search = SEARCHES["random_symmetric"](replace(OPTIONS, oracle_calls=calls, calls_per_composition=calls))
        search.objective, search.volumes, search.ratios = genetic.objective, genetic.volumes, genetic.ratios
        best.append(search.sample(TARGET, space, 1, np.random.default_rng(1))[0].score)
    assert best[1] >= best[0]


def test_excluded_formulas_and_the_number_asked_for_are_kept_to(genetic):
    target = replace(TARGET, exclude_formulas=("Al", "Ni", "AlNi", "AlNi3", "Al3Ni", "Al2Ni", "AlNi2"))
    space = replace(SPACE, elements=("Al", "Ni"))
    assert genetic.sample(target, space, 4, np.random.default_rng(0)) == []  # nothing that fits 4 sites is left
    assert len(genetic.sample(TARGET, space, 2, np.random.default_rng(0))) == 2


def test_failures_are_counted(genetic):
    cubic = replace(SPACE, crystal_systems=("triclinic",))
    proposals = genetic.sample(TARGET, cubic, 9, np.random.default_rng(0))
    assert sum(genetic.failures.values()) > 0
    assert all(isinstance(reason, str) for reason in genetic.failures)
    assert len(proposals) < 9


def test_targets_that_were_not_learned_are_refused(genetic, dos_library):
    curve = dos_library.grid.normalise(dos_library.curves[0])
    for target, word in ((Target(), "neither"), (Target(dos_library.grid, curve), "curve")):
        with pytest.raises(InputError, match=word):
            genetic.sample(target, SPACE, 2, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("option", "value"),
    [("potential", "vasp"), ("oracle_calls", 0), ("symmetric_share", 1.5), ("formula_units", 0), ("pressure", -1.0)],
)
def test_options_that_do_not_hold_are_refused(option, value):
    with pytest.raises(InputError, match=str(option if option != "potential" else value)):
        SEARCHES["genetic"](replace(OPTIONS, **{option: value}))
