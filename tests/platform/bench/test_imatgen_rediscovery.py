"""The bench of rediscovery: what it looks for, what it may learn from, what it keeps and counts."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench import imatgen_rediscovery as bench
from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.imatgen_targets import (
    GROUPS,
    OTHERS,
    OXIDES,
    VANADIUM,
    Sought,
    nearest_substituted,
    random_crystal,
    seek,
)
from fermiloop.platform.bench.splits import prototypes
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES


def silent(what, share):
    pass


def crystals():
    """Binaries of five prototypes, oxides and vanadium oxides among them."""
    kinds = {"B1": ("Na-Cl", "Mg-O", "V-O", "Ca-O"), "B2": ("Al-Ni", "Ti-Ni", "Cs-Cl", "Al-Co"), "B3": ("Zn-S", "Be-O")}
    kinds |= {"B8_1": ("Ni-As", "Fe-S", "Cr-Te"), "C32": ("Mg-B", "Zr-B"), "L1_2": ("Ni-Al", "Pt-Ti", "Pd-Y")}
    return [PROTOTYPES[kind].build(*pair.split("-"), 15.0) for kind, pairs in kinds.items() for pair in pairs]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    lines = [
        {
            "material_id": f"x-{i}",
            "cell": [*one.lattice.parameters],
            "species": [site.specie.symbol for site in one],
            "frac": one.frac_coords.tolist(),
            "e_form": -1.0,
        }
        for i, one in enumerate(crystals())
    ]
    path = tmp_path_factory.mktemp("rediscovery") / "crystals.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    return path


def options(file, **changes):
    return replace(bench.RediscoveryOptions(file, 1, "analytic", 0, None, bench.QUICK, 2), **changes)


def test_what_is_sought_shares_nothing_with_what_is_learned_from(file):
    data, _ = read_crystals(file)
    train, asked, sought = seek(data, 1, 0)
    assert [one.group for one in sought] == list(GROUPS)
    assert {one.structure.composition.reduced_formula for one in sought[:1]} == {"VO"}
    assert "O" in sought[1].structure.symbol_set
    assert "O" not in sought[2].structure.symbol_set
    assert len(asked) == 2
    hidden = [one.structure for one in sought]
    for kind in (lambda s: s.composition.reduced_formula, lambda s: (s.composition.anonymized_formula, len(s))):
        assert not {kind(s) for s in hidden} & {kind(s) for s in train.structures} - {("AB", 2)}
    assert not set(prototypes(asked)) & set(prototypes(train))
    assert "AB/225" not in prototypes(train)


def test_a_compound_is_written_as_the_pair_and_back():
    salt = Sought("x", OXIDES, PROTOTYPES["C1"].build("Li", "O", 12.0))
    volumes = {"V": 13.0, "O": 11.0, "Li": 20.0}
    written = salt.as_pair(("V", "O"), volumes)
    assert written.composition.reduced_formula == "V2O"
    back = salt.back(written, ("V", "O"), volumes)
    assert back.composition == salt.structure.composition
    assert back.volume == pytest.approx(salt.structure.volume)
    own = Sought("y", VANADIUM, PROTOTYPES["B1"].build("V", "O", 12.0))
    assert own.as_pair(("V", "O"), volumes) is own.structure


def test_the_nearest_known_compound_has_the_same_amounts_and_the_most_similar_elements():
    known = [PROTOTYPES[kind].build(*pair, 15.0) for kind, pair in (
        ("B2", ("Cs", "Cl")), ("B1", ("Ca", "S")), ("C1", ("Na", "O")),
    )]  # fmt: skip
    made = nearest_substituted(Sought("x", OXIDES, PROTOTYPES["B3"].build("Mg", "O", 10.0)), known, {})
    assert made.composition.reduced_formula == "MgO"
    assert made.get_space_group_info()[1] == 225
    lone = Sought("x", OTHERS, Structure(Lattice.cubic(4), ["Al", "Ni", "Ni", "Ni"], np.eye(4, 3) / 2))
    assert nearest_substituted(lone, known, {}) is None


def test_random_crystals_have_the_atoms_and_about_the_volume():
    one = PROTOTYPES["C1"].build("Li", "O", 12.0)
    made = random_crystal(one, np.random.default_rng(0), one.volume)
    assert made.composition == one.composition
    assert 0.85 < made.volume / one.volume < 1.45
    assert made.frac_coords.tolist() == random_crystal(one, np.random.default_rng(0), one.volume).frac_coords.tolist()


def test_the_most_frequent_crystal_comes_first():
    a, b = PROTOTYPES["B1"].build("Na", "Cl", 20.0), PROTOTYPES["B2"].build("Na", "Cl", 20.0)
    found = bench.most_frequent([a, b, b.copy(), b.copy(), a.copy()])
    assert [one.get_space_group_info()[1] for one in found] == [221, 225]


def test_the_bench_keeps_what_it_has_done_and_goes_on(file, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "STEPS", 1)
    kept = tmp_path / "kept.jsonl"
    first = bench.run(options(file, resume=kept), silent)
    lines = kept.read_text().splitlines()
    assert len(lines) == 3 * 3
    kept.write_text("\n".join(lines[:5]) + "\n" + lines[5][:20])  # cut off

    def learned_twice(*_):
        raise AssertionError

    monkeypatch.setattr(bench.Imatgen, "fit", learned_twice)
    again = bench.run(options(file, resume=kept), silent)
    assert len(kept.read_text().splitlines()) == 3 * 3

    def told(result):
        return [{key: value for key, value in line.items() if key != "seconds"} for line in result["rows"]]

    assert told(again) == told(first)
    by_name = {line["what"]: line for line in first["rows"]}
    assert len(by_name) == 3 * 4
    assert by_name["around the code, relaxed by analytic: all found again"]["n"] == 3
    assert by_name["around the code, relaxed by analytic: V-O found again"]["published"] == pytest.approx(25 / 31)
    json.dumps(first, allow_nan=False)


def test_a_crystal_that_is_proposed_as_it_is_counts(file):
    found = bench.Looking(None, (), options(file), bench.potential("analytic").build())
    one = PROTOTYPES["B2"].build("Al", "Ni", 13.0)
    judged = found.judged(Sought("x", OTHERS, one), [one.copy()])
    assert judged["given"]
    assert judged["candidates"] == 1
    assert not found.judged(Sought("x", OTHERS, one), [])["given"]


def test_files_that_do_not_suit_are_refused(file):
    with pytest.raises(InputError, match="--data"):
        bench.run_bench(None, True, 0, silent)
    data, _ = read_crystals(file)
    without = data.subset([i for i, one in enumerate(data.structures) if "V" not in one.symbol_set])
    with pytest.raises(InputError, match="V-O crystals"):
        seek(without, 1, 0)
