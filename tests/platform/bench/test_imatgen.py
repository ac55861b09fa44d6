"""The bench of iMatGen: its rows, its reference, its refusals."""

import gzip
import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench.imatgen import run_bench
from fermiloop.platform.bench.imatgen_images import row
from fermiloop.platform.bench.imatgen_reference import reference_basis, reference_cell
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.voxels import ImageCodec


def silent(what, share):
    pass


FACES = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def crystals():
    """Rock salts and fluorites, two of them oxides of vanadium, and crystals of three other prototypes."""
    salts = (("Na", "Cl", 5.6), ("Mg", "O", 4.2), ("V", "O", 4.1))
    fluorites = (("Ca", "F", 5.5), ("V", "O", 5.0))
    made = [Structure(Lattice.cubic(x), [a] * 4 + [b] * 4, [*FACES, *(FACES + 0.5)]) for a, b, x in salts]
    for a, b, x in fluorites:
        made.append(Structure(Lattice.cubic(x), [a] * 4 + [b] * 8, [*FACES, *(FACES + 0.25), *(FACES + 0.75)]))
    for a, b, x in (("Zn", "S", 5.4), ("Ga", "As", 5.7), ("Cu", "Cl", 5.4), ("Al", "P", 5.5)):
        made.append(Structure(Lattice.cubic(x), [a] * 4 + [b] * 4, [*FACES, *(FACES + 0.25)]))
    for a, b in (("Ni", "Al"), ("Pt", "Ti"), ("Pd", "Y")):
        made.append(Structure(Lattice.cubic(3.8), [b, a, a, a], FACES))
    for a, b in (("Cs", "Cl"), ("Ti", "Al"), ("Tl", "Br"), ("Cs", "I"), ("Cu", "Zn")):
        made.append(Structure(Lattice.cubic(4), [a, b], [[0, 0, 0], [0.5, 0.5, 0.5]]))
    return made


def write(path, structures):
    lines = [
        {
            "material_id": f"x-{i}",
            "cell": [*structure.lattice.parameters],
            "species": [site.specie.symbol for site in structure],
            "frac": structure.frac_coords.tolist(),
            "e_form": -1.0,
        }
        for i, structure in enumerate(structures)
    ]
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    return path


def test_the_quick_bench_fills_every_row(tmp_path):
    found = run_bench(write(tmp_path / "crystals.jsonl.gz", crystals()), True, 0, silent)
    rows = found["rows"]
    assert len({tuple(line) for line in rows}) == 1
    by_name = {line["what"]: line for line in rows}
    assert len(by_name) == len(rows)
    assert "split random, as published: autoencoder, held out: position error, Å" in by_name
    exact = by_name["clean images 64³: position error, Å"]
    assert exact["ours"] < 1e-3
    assert 0.05 < exact["baseline"] < 0.15
    assert by_name["encoding: times faster than the published way"]["ours"] > 1
    for line in rows:
        if line["ours_low"] is not None:
            assert line["ours_low"] <= line["ours"] <= line["ours_high"]
    assert found["data"]["real_v_o"] == ["V4 O4", "V4 O8"]
    assert found["settings"]["quick"] is True
    json.dumps(found, allow_nan=False)


def test_our_images_are_those_of_the_published_way():
    codec = ImageCodec(cell_grid=16, basis_grid=16, sigma=1.0)
    crystal = crystals()[-1]
    images = codec.encode_basis(crystal)
    numbers = np.array(crystal.atomic_numbers)
    assert images.images == pytest.approx(reference_basis(codec, numbers, codec.boxed_positions(crystal)), abs=1e-6)
    matrix = Lattice.from_parameters(4, 5, 6, 80, 95, 110).matrix
    assert codec.encode_cell(matrix) == pytest.approx(reference_cell(codec, matrix), abs=1e-6)


def test_rows_have_intervals_that_hold_their_value():
    share = row("a", 0.5, 8, n=10)
    assert share["ours"] == 0.8
    assert share["ours_low"] == pytest.approx(0.49, abs=0.01)
    mean = row("b", None, [1.0, 3.0, float("nan")], n=3)
    assert mean["ours"] == 2
    assert mean["ours_low"] == pytest.approx(2 - 1.96 / 2**0.5)
    assert row("c", None, 7.5, n=1)["ours_low"] is None
    assert row("d", None, [float("nan")], n=1)["ours"] is None


def test_files_that_do_not_suit_are_refused(tmp_path):
    with pytest.raises(InputError, match="--data"):
        run_bench(None, True, 0, silent)
    with pytest.raises(InputError, match="V-O crystals"):
        run_bench(write(tmp_path / "no.jsonl.gz", [c for c in crystals() if "V" not in c.formula]), True, 0, silent)


def test_a_count_of_any_kind_of_integer_is_a_share():
    from fermiloop.platform.bench.imatgen_images import row

    for count in (7, np.int64(7)):
        found = row("x", None, count, n=10)
        assert found["ours"] == 0.7
        assert found["ours_low"] < 0.7 < found["ours_high"]
