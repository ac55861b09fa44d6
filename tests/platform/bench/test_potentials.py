"""Potentials against DFT: the hull, the drawing, the measures, and answers that are kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.bench.potential_answers import Answers, energies, relaxations
from fermiloop.platform.bench.potential_data import LIMIT, Hull, Phases, draw, read_phases
from fermiloop.platform.bench.potential_scores import Judged, bootstrap
from fermiloop.platform.bench.potentials import PotentialOptions, run
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES

METALS = ("Al", "Ni", "Cu", "Pd", "Pt", "Au", "Ag")


def compounds(n=24, seed=3):
    """Binaries whose formation energies are by no potential, and cells of their elements."""
    random = np.random.default_rng(seed)
    pairs = [(a, b) for i, a in enumerate(METALS) for b in METALS[i + 1 :]]
    found = [
        (PROTOTYPES[name].build(a, b, 14.0), float(random.normal(scale=0.15)))
        for name in ("B1", "B2", "L1_2")
        for a, b in pairs
    ][:n]
    elements = {symbol: PROTOTYPES["A1"].build(symbol, None, 14.0) for symbol in METALS}
    return Phases(
        tuple(f"mp-{i}" for i in range(len(found))),
        tuple(crystal for crystal, _ in found),
        np.array([energy for _, energy in found]),
        elements,
    )


def ternary(amounts):
    species = [symbol for symbol, n in amounts.items() for _ in range(n)]
    return Structure(Lattice.cubic(5), species, np.random.default_rng(0).random((len(species), 3)))


def test_the_hull_is_that_of_pymatgen():
    random = np.random.default_rng(1)
    crystals = [
        ternary({"Al": int(a), "Ni": int(b), "Cu": int(c)})
        for a, b, c in random.integers(0, 4, (30, 3))
        if (a > 0) + (b > 0) + (c > 0) >= 2
    ]
    formation = random.normal(-0.1, 0.2, len(crystals))
    entries = [PDEntry(c.composition, e * len(c)) for c, e in zip(crystals, formation, strict=True)]
    diagram = PhaseDiagram([*entries, *(PDEntry(symbol, 0.0) for symbol in ("Al", "Ni", "Cu"))])
    expected = [diagram.get_e_above_hull(entry) for entry in entries]
    assert Hull(crystals, formation).above(crystals, formation) == pytest.approx(expected, abs=1e-5)


def test_what_has_no_energy_neither_competes_nor_is_judged():
    crystals = [PROTOTYPES["B2"].build("Al", "Ni", 12.0), PROTOTYPES["B1"].build("Al", "Ni", 12.0)]
    above = Hull(crystals, np.array([np.nan, -0.2])).above(crystals, np.array([np.nan, -0.2]))
    assert np.isnan(above[0])
    assert above[1] == pytest.approx(0)


def test_half_of_those_drawn_are_stable_and_all_that_compete_are_there():
    phases = compounds(60)
    above = Hull(phases.structures, phases.formation).above(phases.structures, phases.formation)
    judged, competing = draw(phases, above, 20, seed=0)
    assert sum(above[i] <= LIMIT for i in judged) == len(judged) - sum(above[i] > LIMIT for i in judged) == 10
    systems = {frozenset(phases.structures[i].symbol_set) for i in judged}
    assert set(competing) == {i for i, one in enumerate(phases.structures) if frozenset(one.symbol_set) in systems}
    assert draw(phases, above, 20, seed=0) == (judged, competing)
    assert draw(phases, above, 20, seed=1)[0] != judged
    assert set(draw(phases, above, 10, seed=0)[0]) < set(judged)


def test_measures_count_what_is_not_predicted_as_not_stable():
    one = Judged(np.array([0.0, 0.05, 0.3, 0.4]), np.array([0.02, np.nan, 0.08, 0.5]), 0.1)
    rows = np.arange(4)
    assert (one.precision(rows), one.recall(rows), one.f1(rows)) == (0.5, 0.5, 0.5)
    assert one.informedness(rows) == 0.0
    assert one.error(rows) == pytest.approx((0.02 + 0.22 + 0.1) / 3)
    perfect = Judged(one.truth, one.truth, 0.1)
    assert (perfect.f1(rows), perfect.informedness(rows), perfect.error(rows)) == (1, 1, 0)
    assert np.isnan(perfect.recall(np.array([2, 3])))


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(lambda rows: float(values[rows].mean()), 400, seed=0)
    half = 1.96 * values.std() / 20
    assert (found.value, found.n) == (pytest.approx(values.mean()), 400)
    assert (found.low, found.high) == (
        pytest.approx(values.mean() - half, abs=0.02), pytest.approx(values.mean() + half, abs=0.02)
    )  # fmt: skip


def test_answers_that_were_kept_are_not_computed_again(tmp_path, monkeypatch):
    phases, file = compounds(4), tmp_path / "answers.jsonl"
    first = energies("analytic", phases.ids, phases.structures, Answers(file), lambda share: None)
    assert [row["energy"] for row in first] == pytest.approx(AnalyticPotential().energies(phases.structures))
    moved = relaxations("analytic", phases.ids[:2], phases.structures[:2], Answers(file), lambda share: None)
    file.write_text(file.read_text() + '{"model": "cut o')  # stopped while it wrote
    monkeypatch.setattr(AnalyticPotential, "energies", lambda self, structures: 1 / 0)
    kept = Answers(file)
    assert energies("analytic", phases.ids, phases.structures, kept, lambda share: None) == first
    assert relaxations("analytic", phases.ids[:2], phases.structures[:2], kept, lambda share: None) == moved
    assert file.read_text().endswith("\n")
    file.write_text("[]\n")
    with pytest.raises(InputError, match=r"Line 1 of .* is no answer"):
        Answers(file)


def lines(phases):
    for name, crystal, energy in zip(phases.ids, phases.structures, phases.formation, strict=True):
        cell = [*crystal.lattice.abc, *crystal.lattice.angles]
        yield {
            "material_id": name, "cell": cell, "species": [site.specie.symbol for site in crystal],
            "frac": crystal.frac_coords.tolist(), "e_form_mp2018": energy,
        }  # fmt: skip


@pytest.fixture
def file(tmp_path):
    """A file of compounds and of the elements, as the Materials Project's are."""
    phases = compounds(63)
    pure = Phases(tuple(METALS), tuple(phases.elements.values()), np.zeros(len(METALS)), {})
    path = tmp_path / "crystals.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for one in (phases, pure) for row in lines(one)))
    return path


def test_a_file_is_read_with_its_elements(file):
    phases = read_phases(file)
    assert len(phases) == 63
    assert set(phases.elements) == set(METALS)
    assert all(Element(symbol) in one.composition for symbol, one in phases.elements.items())


def test_the_table_has_every_measure_with_its_interval(file, tmp_path):
    options = PotentialOptions(file, ("analytic",), judged=20, relaxed=2, resume=tmp_path / "answers.jsonl")
    found = run(options, lambda what, share: None)
    rows = {row["what"]: row for row in found["rows"]}
    assert found["data"]["judged"] == 20
    assert found["versions"] == {"analytic": {"model": "Lennard-Jones, for tests"}}
    f1 = rows["analytic, own hull: F1 of stable"]
    assert f1["n"] == 20
    assert f1["ours_low"] <= f1["ours"] <= f1["ours_high"]
    assert f1["baseline"] == pytest.approx(2 / 3, abs=1e-3)
    assert rows["analytic, own hull: informedness of stable"]["baseline"] == 0
    assert rows["analytic: core-seconds an energy"]["ours"] > 0
    assert rows["analytic: steps a relaxation"]["n"] == 2
    informed, seconds = (
        rows[f"analytic{what}"]["ours"]
        for what in (", own hull: informedness of stable", ": core-seconds a relaxation")
    )
    efficiency = rows["analytic, own hull: informedness per core-second of a relaxation"]["ours"]
    assert efficiency == pytest.approx(informed / seconds, rel=0.02, abs=1e-3)
    assert run(options, lambda what, share: None)["rows"] == found["rows"]


def key(crystal):
    return crystal.formula, *np.round([*crystal.lattice.parameters, *crystal.frac_coords.ravel()], 4)


def test_a_potential_that_agrees_with_dft_makes_no_mistake(file, monkeypatch):
    phases = read_phases(file)
    truth = {key(one): float(energy) for one, energy in zip(phases.structures, phases.formation, strict=True)}
    assert len(truth) == len(phases)
    monkeypatch.setattr(
        AnalyticPotential, "energies", lambda self, structures: [truth.get(key(one), 0.0) for one in structures]
    )
    found = run(PotentialOptions(file, ("analytic",), judged=20, relaxed=0), lambda what, share: None)
    rows = {row["what"]: row["ours"] for row in found["rows"]}
    assert rows["analytic, own hull: F1 of stable"] == rows["analytic, hull by DFT: F1 of stable"] == 1
    assert rows["analytic, own hull: error of the energy above the hull (eV/atom)"] == 0


def test_too_few_and_not_installed_are_refused(file, tmp_path):
    with pytest.raises(InputError, match="vasp is no potential"):
        run(PotentialOptions(file, ("vasp",)), lambda what, share: None)
    short = tmp_path / "short.jsonl"
    short.write_text("".join(file.read_text().splitlines(keepends=True)[-12:]))
    with pytest.raises(InputError, match="20 are the fewest"):
        run(PotentialOptions(short, ("analytic",)), lambda what, share: None)
