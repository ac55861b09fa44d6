"""Designs judged after relaxation, random crystals in the same way."""

import numpy as np
import pytest

from fermiloop.platform.bench import ftcp_relaxed
from fermiloop.platform.bench.ftcp_relaxed import RelaxationJudge, relaxed_rows
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
    found = judge.judge([crystal("A1", "Al", volume=18.0), crystal("B2", "Ni", "Zr")], told.append)
    assert (found.n, len(found.structures), told) == (2, 1, [0.5, 1.0])
    assert found.formation[0] == pytest.approx(0, abs=2e-3)
    assert len(judge.judge([], told.append).formation) == 0


def test_the_energy_is_that_of_the_relaxed_crystal(judge):
    near, far = (judge.judge([crystal("B2", "Ni", "Al", volume)], lambda _: None) for volume in (13.0, 16.0))
    assert near.formation[0] == pytest.approx(far.formation[0], abs=5e-3)


def test_failures_and_doubles_are_misses_and_chance_is_judged_alike(judge, monkeypatch):
    energies = {frozenset({"Al", "Ni"}): -0.52, frozenset({"Al", "Ti"}): -0.9, frozenset({"Ti", "Ni"}): -0.45}

    def relaxed(potential, structure, *args, **kwargs):
        broken = abs(structure.volume / len(structure) - 20) < 1e-6
        return Relaxation(structure, energies.get(frozenset(structure.symbol_set), 0.0), not broken, 3, 0.1)

    monkeypatch.setattr(ftcp_relaxed, "relax", relaxed)
    good, same = crystal("B2", "Al", "Ni"), crystal("B2", "Al", "Ni", 15.5)
    designs = [good, same, crystal("B2", "Ti", "Ni", 20.0), crystal("B2", "Al", "Ti")]
    random = [crystal("B2", "Ti", "Ni"), crystal("B2", "Al", "Ti"), crystal("B2", "Al", "Ni", 20.0), good]
    hull = Hull([good], np.array([-0.52]))
    rows = relaxed_rows(designs, random, judge, hull, (-0.5, 0.06), lambda what, share: None)
    by = {row["what"].split(": ")[-1]: row for row in rows[2:]}
    assert (rows[0]["ours"], rows[0]["n"], rows[0]["baseline"]) == (0.25, 4, 0.5)  # its double counts once
    assert (rows[1]["ours"], rows[1]["n"]) == (0.5, 4)
    assert (rows[0]["published"], rows[1]["published"]) == (0.389, 0.105)
    assert by["times random"]["ours"] == 0.5
    assert by["valid and unlike each other"]["ours"] == 0.5
    assert by["at most 0.1 eV/atom above the hull of the file"]["ours"] == 0.5
