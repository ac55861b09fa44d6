"""Relaxations that are kept, and hulls of binary systems."""

import gzip
import json

import numpy as np
import pytest

from fermiloop.platform.bench import ccdcgan_relaxed
from fermiloop.platform.bench.ccdcgan_relaxed import BinaryHull, Relaxer, hulls_by_table, lowest
from fermiloop.platform.bench.potential_answers import Answers
from fermiloop.platform.predictors.potential.relaxing import Relaxation
from fermiloop.platform.representations.prototypes import PROTOTYPES

ELEMENTS = {symbol: PROTOTYPES["A1"].build(symbol, None, 13.0) for symbol in ("Al", "Ni")}
NIAL = PROTOTYPES["B2"].build("Ni", "Al", 13.0)


@pytest.fixture
def relaxed(monkeypatch):
    """Relaxations by a rule, and how many were asked for."""
    asked = []

    def relax(potential, structure, *args, **kwargs):
        asked.append(structure.formula)
        fault = "the volume became 3 times what it was" if structure.volume > 100 else None
        return Relaxation(structure, -1.0 - 0.5 * len(structure.symbol_set), fault is None, 3, 0.1, fault)

    monkeypatch.setattr(ccdcgan_relaxed, "relax", relax)
    return asked


def test_formation_energies_count_from_the_relaxed_elements(relaxed):
    relaxer = Relaxer("analytic", Answers(None), ELEMENTS)
    assert relaxer.formation(relaxer.relaxed(NIAL)) == pytest.approx(-0.5)
    assert relaxer.formation(relaxer.relaxed(ELEMENTS["Al"])) == 0
    other = PROTOTYPES["B2"].build("Ni", "Ti", 13.0)
    assert np.isnan(relaxer.formation(relaxer.relaxed(other)))  # no crystal of titanium
    exploded = relaxer.relaxed(PROTOTYPES["B2"].build("Ni", "Al", 60.0))
    assert not exploded.ended
    assert np.isnan(relaxer.formation(exploded))
    assert np.isfinite(relaxer.formation(exploded, before=True))


def test_what_was_relaxed_is_not_relaxed_again_unless_it_is_another_crystal(relaxed, tmp_path):
    file = tmp_path / "relaxed.jsonl"
    first = Relaxer("analytic", Answers(file), ELEMENTS).relaxed(NIAL)
    again = Relaxer("analytic", Answers(file), ELEMENTS).relaxed(NIAL)
    assert (len(relaxed), again) == (1, first)
    Relaxer("analytic", Answers(file), ELEMENTS).relaxed(PROTOTYPES["B1"].build("Ni", "Al", 13.0))
    assert len(relaxed) == 2
    assert len(file.read_text().splitlines()) == 2


def test_a_hull_has_the_corners_that_lie_lowest():
    hull = BinaryHull.of(lowest([(0.5, -0.4), (0.5, -0.3), (0.25, -0.1), (0.75, -0.3), (0.4, 0.2), (0.6, np.nan)]))
    assert hull.shares.tolist() == [0, 0.5, 0.75, 1]
    assert hull.above(0.25, 0.0) == pytest.approx(0.2)
    assert hull.above(0.5, -0.5) == pytest.approx(-0.1)
    assert hull.above(0.875, -0.15) == pytest.approx(0)
    assert BinaryHull.of({}).above(0.3, 0.05) == pytest.approx(0.05)
    assert BinaryHull.of({0.3: 0.1}).above(0.3, 0.1) == pytest.approx(0.1)


def test_the_table_beside_gives_hulls_of_its_own(tmp_path):
    assert hulls_by_table(tmp_path / "crystals.jsonl", [("Al", "Ni")]) == {}
    rows = ("a,Al2Ni2,-0.6,0", "b,Al3Ni,-0.4,0", "c,AlNiO3,-3,0", "d,Al,0,0", "e,,-9,0")
    lines = "\n".join(("material_id,formula,e_form_mp2018,gap_mp2018", *rows, ""))
    (tmp_path / ccdcgan_relaxed.TABLE).write_bytes(gzip.compress(lines.encode()))
    hull = hulls_by_table(tmp_path / "crystals.jsonl", [("Al", "Ni")])["Al", "Ni"]
    assert hull.above(0.5, -0.6) == pytest.approx(0)
    assert hull.above(0.25, -0.3) == pytest.approx(0.1)


def test_lines_are_plain_json(relaxed, tmp_path):
    file = tmp_path / "relaxed.jsonl"
    Relaxer("analytic", Answers(file), ELEMENTS).relaxed(NIAL)
    (line,) = map(json.loads, file.read_text().splitlines())
    assert {"model", "given", "structure", "energy", "before", "steps", "fault"} <= set(line)
    assert line["structure"] == ccdcgan_relaxed.plain(NIAL)
