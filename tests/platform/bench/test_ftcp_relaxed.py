"""Designs judged after relaxation, random crystals in the same way."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench import ftcp_judge
from fermiloop.platform.bench.crystal_scores import Share
from fermiloop.platform.bench.ftcp_judge import RelaxationJudge
from fermiloop.platform.bench.ftcp_relaxed import CASES, Designs, Outcome, judged, pooled_rows
from fermiloop.platform.bench.potential_data import Hull
from fermiloop.platform.predictors.potential.relaxing import Relaxation
from fermiloop.platform.representations.prototypes import PROTOTYPES


def crystal(name, a, b=None, volume=15.0):
    return PROTOTYPES[name].build(a, b, volume)


ELEMENTS = {symbol: crystal("A1", symbol) for symbol in ("Al", "Ni", "Ti")}


@pytest.fixture
def judge():
    return RelaxationJudge("analytic", ELEMENTS)


def test_elements_have_no_formation_energy_and_unknown_ones_fail(judge):
    told = []
    found = judge.judge([crystal("B2", "Ni", "Zr"), crystal("A1", "Al", volume=18.0)], told.append)
    assert (found.n, found.places, told) == (2, (1,), [0.5, 1.0])
    assert found.formation[0] == pytest.approx(0, abs=2e-3)
    assert len(judge.judge([], told.append).formation) == 0


def test_the_energy_is_that_of_the_relaxed_crystal(judge):
    near, far = (judge.judge([crystal("B2", "Ni", "Al", volume)], lambda _: None) for volume in (13.0, 16.0))
    assert near.formation[0] == pytest.approx(far.formation[0], abs=5e-3)


def test_what_was_relaxed_is_not_relaxed_again_though_the_last_line_was_cut_off(tmp_path, monkeypatch):
    kept = tmp_path / "cache" / "relaxed.jsonl"
    asked = [crystal("B2", "Ni", "Al"), crystal("B2", "Ni", "Ti")]
    first = RelaxationJudge("analytic", ELEMENTS, kept).judge(asked, lambda _: None)
    lines = kept.read_text().splitlines()
    assert len(lines) == 5  # two crystals and three elements
    assert {json.loads(line)["model"] for line in lines} == {"Lennard-Jones, for tests"}
    kept.write_text("\n".join(lines)[:-7])
    calls = []
    relax = ftcp_judge.relax
    monkeypatch.setattr(ftcp_judge, "relax", lambda *args, **more: calls.append(args) or relax(*args, **more))
    again = RelaxationJudge("analytic", ELEMENTS, kept).judge(asked, lambda _: None)
    assert len(calls) == 1
    assert again.formation.tolist() == first.formation.tolist()
    assert again.structures[0].lattice.abc == pytest.approx(first.structures[0].lattice.abc)


def test_failures_and_doubles_are_misses_and_chance_is_judged_alike(judge, monkeypatch):
    energies = {frozenset({"Al", "Ni"}): -0.52, frozenset({"Al", "Ti"}): -0.9, frozenset({"Ti", "Ni"}): -0.45}

    def relaxed(potential, structure, *args, **kwargs):
        broken = abs(structure.volume / len(structure) - 20) < 1e-6
        return Relaxation(structure, energies.get(frozenset(structure.symbol_set), 0.0), not broken, 3, 0.1)

    monkeypatch.setattr(ftcp_judge, "relax", relaxed)
    good, same = crystal("B2", "Al", "Ni"), crystal("B2", "Al", "Ni", 15.5)
    designs = [good, same, crystal("B2", "Ti", "Ni", 20.0), crystal("B2", "Al", "Ti")]
    random = [crystal("B2", "Ti", "Ni"), crystal("B2", "Al", "Ti"), crystal("B2", "Al", "Ni", 20.0), good]
    hull = Hull([good], np.array([-0.52]))
    parents = [crystal("B2", "Al", "Ti"), None, None, crystal("L1_2", "Al", "Ti")]
    outcome = judged(Designs(designs, parents), random, judge, hull, CASES[0], lambda what, share: None)
    by = {row["what"].split(": ")[-1]: row for row in outcome.rows}
    hits, chance = by["designs in the band"], by["crystals of the data set at random in the band"]
    assert (hits["ours"], hits["n"], hits["baseline"]) == (0.25, 4, 0.5)  # its double counts once
    assert (chance["ours"], chance["n"]) == (0.5, 4)
    assert (hits["published"], chance["published"]) == (0.389, 0.105)
    assert by["times random"]["ours"] == 0.5
    assert by["valid and unlike each other"]["ours"] == 0.5
    stable = by["at most 0.1 eV/atom above the hull of the file"]
    assert (stable["ours"], stable["baseline"]) == (0.5, 0.75)
    away = by["median dissimilarity from the parent"]
    assert (away["n"], away["published"]) == (2, 0.37)
    assert away["ours"] > 0.1  # between none, of another decoration, and that of another lattice
    assert by["median dissimilarity by relaxation"]["ours"] == pytest.approx(0, abs=1e-9)


def test_random_crystals_count_once_where_targets_are_pooled():
    one = Outcome([], Share(40, 100), Share(10, 50), np.array([0.1, 0.2, 0.9]))
    two = Outcome([], Share(10, 60), Share(6, 50), np.array([0.3]))
    hits, unlike = pooled_rows([one, two])
    assert (hits["ours"], hits["n"]) == (pytest.approx(50 / 160, abs=1e-4), 160)
    assert hits["baseline"] == pytest.approx(0.16)
    low, high = Share(8, 50).interval  # 16 of 100 judgements of 50 crystals
    assert f"{low:.3f} to {high:.3f}" in hits["note"]
    assert (unlike["ours"], unlike["n"]) == (0.25, 4)


def test_the_targets_are_the_papers():
    assert [case.value for case in CASES] == [-0.5, -0.3, -0.6, -0.7]
    assert CASES[0].times_random == pytest.approx(3.7, abs=0.01)
