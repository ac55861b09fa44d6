"""CCDCGAN's chain on binary systems: what is kept from the network, what is judged, its rows."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench import ccdcgan_chain, ccdcgan_relaxed, ccdcgan_systems
from fermiloop.platform.bench.ccdcgan_chain import NETWORKS, Judged, chain_rows
from fermiloop.platform.bench.ccdcgan_relaxed import Relaxed
from fermiloop.platform.bench.ccdcgan_systems import SystemsOptions, kept_out, parted, run, system_of
from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.potential.relaxing import Relaxation
from fermiloop.platform.representations.prototypes import PROTOTYPES

METALS, OTHERS = ("Al", "Ti", "Ni", "Zr"), ("Co", "Pd", "Cu")
TINY = replace(
    ccdcgan_systems.QUICK, max_images=6, channels=2, code=16, site_epochs=1, gan_steps=10, constraint_epochs=2, width=24
)


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Cubic alloys with formation energies, and their elements."""
    lines = []

    def line(symbols, a, energy):
        frac = [[0, 0, 0], [0.5, 0.5, 0.5]][: len(symbols)]
        crystal = Structure(Lattice.cubic(a), symbols, frac)
        lines.append(
            {
                "material_id": "-".join(symbols), "cell": [*crystal.lattice.parameters], "species": symbols,
                "frac": frac, "e_form": energy, "spacegroup": 221,
            }
        )  # fmt: skip

    for i, metal in enumerate(METALS):
        for j, other in enumerate(OTHERS):
            line([metal, other], 2.9 + 0.05 * i + 0.03 * j, -0.1 * (i + j))
    for symbol in (*METALS, *OTHERS):
        line([symbol], 2.5, 0.0)
    path = tmp_path_factory.mktemp("data") / "crystals.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    return path


def test_compounds_of_the_systems_are_kept_from_the_network(file):
    crystals, _ = read_crystals(file)
    learned, known = parted(crystals, [("Al", "Co"), ("Ni", "Pd")], TINY)
    assert not {"Al-Co", "Ni-Pd"} & set(learned.ids)
    assert len(learned) == len(METALS) * len(OTHERS) - 2  # binaries only
    assert [one.composition.reduced_formula for one in known["Al", "Co"]] == ["AlCo"]
    with pytest.raises(InputError, match="holds U; leave its system out"):
        parted(crystals, [("Co", "U")], TINY)


@pytest.mark.parametrize("text", ["Co", "Co-Co", "Co-Hf-O", "Co-Xx", ""])
def test_what_is_no_binary_system_is_refused(text):
    with pytest.raises(InputError, match="no binary system"):
        system_of(text)


def test_the_order_of_a_systems_elements_is_its_own():
    assert system_of("Hf-Co") == ("Co", "Hf")


def test_a_run_goes_on_where_it_was_stopped(file, tmp_path, monkeypatch):
    monkeypatch.setattr(ccdcgan_relaxed, "relax", lambda _, one, *args, **kwargs: Relaxation(one, -2.0, True, 3, 0.1))
    asked = SystemsOptions(file, ("Al-Co",), 2, 8, "analytic", 0, tmp_path, TINY)
    first = run(asked, silent)
    lines = (tmp_path / "relaxed.jsonl").read_text()
    monkeypatch.setattr(ccdcgan_systems.Ccdcgan, "learn_codes", None)  # would fail if it trained again
    again = run(asked, silent)
    assert (tmp_path / "relaxed.jsonl").read_text() == lines
    assert json.dumps(again["rows"]) == json.dumps(first["rows"])
    rows = {line["what"]: line for line in first["rows"]}
    assert len(rows) == len(first["rows"])
    for way in ("CCDCGAN", "DCGAN", "random symmetric", "substitution"):
        assert f"{way}: E_f below zero" in rows
    assert rows["CCDCGAN: E_f below zero"]["published"] == 0.72
    assert rows["substitution: E_f below zero"]["published"] is None
    assert rows["CCDCGAN, elements free: structures per graph"]["n"] == 8
    assert rows["reproduction ratio, conditional, cells as numbers"]["n"] == 11 - TINY.max_images
    assert first["data"] == {"file": file.name, "learned from": 11, "known phases": 1}
    assert first["settings"]["systems"] == ["Al-Co"]


def test_kept_networks_serve_only_systems_that_they_have_not_learned(tmp_path):
    asked = SystemsOptions(tmp_path / "crystals.jsonl.gz", network=TINY)
    both = [("Cd", "Li"), ("Co", "Hf")]
    assert kept_out(None, both[1:], asked) == both[1:]
    assert kept_out(tmp_path, both, asked) == both
    assert kept_out(tmp_path, both[1:], asked) == both  # or what they learned from would be another set
    with pytest.raises(InputError, match="may have learned from Mn-Se"):
        kept_out(tmp_path, [("Co", "Hf"), ("Mn", "Se")], asked)
    with pytest.raises(InputError, match="other data, seed or options"):
        kept_out(tmp_path, [("Co", "Hf")], replace(asked, seed=1))
    (tmp_path / "kept_out.json").write_text("[]")
    with pytest.raises(InputError, match="does not say what was kept"):
        kept_out(tmp_path, [("Co", "Hf")], asked)


def judged(way, formation, above, known=None, before=None, phases=2):
    found = Relaxed(PROTOTYPES["B2"].build("Co", "Hf", 15.0), 0.0, 0.0, True, True, 1.0)
    start = formation + 0.3 if before is None else before
    return Judged(("Co", "Hf"), way, found, formation, start, above, above + 0.05, known, phases)


def test_rows_count_what_was_relaxed():
    part = [
        judged("CCDCGAN", -0.3, 0.0, known=1),
        judged("CCDCGAN", -0.4, -0.06),  # new, below the table's hull as well
        judged("CCDCGAN", -0.4, -0.01),  # new by the potential alone
        judged("CCDCGAN", 0.2, 0.5, before=0.1),
        judged("CCDCGAN", float("nan"), float("nan")),
    ]
    rows = {line["what"]: line for line in chain_rows([*part, judged("DCGAN", 0.1, 0.4)], [("Co", "Hf")], NETWORKS)}
    assert rows["CCDCGAN: relaxed to a crystal"]["ours"] == 0.8
    assert rows["CCDCGAN: E_f below zero"]["ours"] == 0.75
    assert rows["CCDCGAN: mean change of E_f by relaxation, eV/atom"]["ours"] == pytest.approx(0.25)
    assert rows["CCDCGAN: at most 0.1 eV/atom above the hull"]["ours"] == 0.75
    new = rows["CCDCGAN: new points on the hull"]
    assert (new["ours"], new["note"]) == (2, "below the known phases; 1 below the table's hull too")
    assert (
        rows["CCDCGAN: known phases found again"]["ours"],
        rows["CCDCGAN: unreported after relaxation"]["ours"],
    ) == (
        1,
        0.75,
    )
    apart = rows["with minus without the constraint: formation energy, eV/atom"]
    assert apart["ours"] == pytest.approx(-0.225 - 0.1)
    assert apart["ours_low"] <= apart["ours"] <= apart["ours_high"]
    system = rows["Co-Hf: lowest energy above the hull, CCDCGAN, eV/atom"]
    assert (system["ours"], system["n"]) == (-0.06, 4)
    assert "CCDCGAN 3 of 4, DCGAN 0 of 1" in system["note"]


def test_nothing_relaxed_is_told_and_not_counted():
    nothing = [judged(way, float("nan"), float("nan")) for way in ("CCDCGAN", "DCGAN")]
    rows = {line["what"]: line for line in chain_rows(nothing, [("Co", "Hf")], NETWORKS)}
    assert rows["CCDCGAN: E_f below zero"]["ours"] is None
    assert rows["with minus without the constraint: energy above the hull, eV/atom"]["ours"] is None
    json.dumps(list(rows.values()), allow_nan=False)


def test_a_phase_that_comes_back_is_no_new_point():
    assert judged("CCDCGAN", -0.4, -0.06).new_point
    assert not judged("CCDCGAN", -0.4, -0.06, known=0).new_point
    assert not judged("CCDCGAN", -0.4, -ccdcgan_chain.SAME / 2).new_point
    assert not np.isfinite(judged("CCDCGAN", float("nan"), float("nan")).formation)


def crystals_of(counts):
    return [Structure(Lattice.cubic(3), [symbol], [[0, 0, 0]]) for symbol, n in counts.items() for _ in range(n)]


def test_frequencies_of_elements_are_compared_with_those_learned():
    learned = {symbol: i + 1 for i, symbol in enumerate(("Li", "Na", "K", "Mg", "Ca", "Al", "Ti", "V", "Co", "Ni"))}
    turned = {symbol: 11 - n for symbol, n in learned.items()}
    same = ccdcgan_chain._elements_row("x", crystals_of(learned), crystals_of(learned))
    other = ccdcgan_chain._elements_row("x", crystals_of(turned), crystals_of(learned))
    assert (same["ours"], other["ours"], same["n"]) == (1, -1, 10)
    assert same["ours_low"] <= 1 <= same["ours_high"]
    assert ccdcgan_chain._elements_row("x", [], crystals_of(learned))["ours"] is None
