"""The bench of CCDCGAN: its rows and its refusals."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench import ccdcgan, ccdcgan_data, ccdcgan_made
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES

SMALLEST = replace(
    ccdcgan.QUICK,
    options=replace(
        ccdcgan.QUICK.options, box=7.5, channels=2, code=16, site_epochs=1, cell_epochs=1, gan_steps=4,
        constraint_epochs=2, width=32,
    ),
    train=40, held=10, graphs=4, judge_epochs=2,
)  # fmt: skip


def silent(what, share):
    pass


def write(path, energies=True):
    """Crystals of many pairs, with energies by their electronegativities, said to be of several space groups."""
    lines = []
    for i, metal in enumerate(("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Y", "La", "Ti", "Zr", "Sc")):
        for j, other in enumerate(("F", "Cl", "Br", "I", "O", "S")):
            structure = Structure(Lattice.cubic(3 + 0.1 * i + 0.1 * j), [metal, other], [[0, 0, 0], [0.5, 0.5, 0.5]])
            pull = structure[1].specie.X - structure[0].specie.X
            lines.append(
                {
                    "material_id": f"x-{i}-{j}",
                    "cell": [*structure.lattice.parameters],
                    "species": [metal, other],
                    "frac": structure.frac_coords.tolist(),
                    "e_form": -float(pull) if energies else None,
                    "spacegroup": 200 + (i + 3 * j) % 14,
                }
            )
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    return path


def test_every_row_is_filled(tmp_path, monkeypatch):
    monkeypatch.setattr(ccdcgan, "QUICK", SMALLEST)
    found = ccdcgan.run_bench(write(tmp_path / "crystals.jsonl.gz"), True, 0, silent)
    rows = {line["what"]: line for line in found["rows"]}
    assert len(rows) == len(found["rows"])
    assert len({tuple(line) for line in found["rows"]}) == 1
    assert rows["constraint: mean error of E_f, eV/atom"]["published"] == 0.11
    assert 0 < rows["reproduction ratio, conditional, held out"]["n"] <= 10
    assert rows["split random, as published: reproduction ratio, conditional, held out"]["n"] == 10
    assert rows["gradient norm of the constraint on the generator"]["ours"] > 0
    for name in ("CCDCGAN", "DCGAN"):
        assert rows[f"{name}: unreported in the training set"]["published"] == 0.907
        assert rows[f"{name}: unique among structures"]["published"] is None
    above, formed = rows[ccdcgan_made.ABOVE], rows["mean E_f of crystals by the independent judge, eV/atom"]
    assert above["n"] == formed["n"]
    assert above["ours"] is None or above["ours"] >= formed["ours"]  # no hull lies above the elements
    assert "p = " in rows["mean E_f of graphs by the constraint itself, eV/atom"]["note"]
    for line in found["rows"]:
        if line["ours_low"] is not None and line["ours"] is not None:
            assert line["ours_low"] <= line["ours"] <= line["ours_high"]
    json.dumps(found)


def test_what_the_paper_counts_is_what_the_training_set_lacks():
    salts = [Structure(Lattice.cubic(4), [a, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]) for a in ("Na", "K", "Cs")]
    made = [salts[0].copy(), salts[0].copy(), salts[1].copy(), salts[2].copy(), PROTOTYPES["B1"].build("Na", "Cl", 22)]
    assert ccdcgan_made._unique(made) == 4
    found = ccdcgan_made.unreported(made, salts[:2])
    assert (found.hits, found.n) == (2, 5)  # caesium chloride and the other sodium chloride


def test_the_judge_learns_from_other_compositions(tmp_path):
    crystals, _ = ccdcgan.read_crystals(write(tmp_path / "crystals.jsonl.gz"))
    train, held = ccdcgan_data.image_crystals(crystals, SMALLEST, 0)
    assert not set(train.ids) & set(held.ids)
    labelled = ccdcgan_data.labelled_rows(
        crystals, train, ccdcgan_data.GraphCoder(SMALLEST.options), SMALLEST, 0, silent
    )
    parts = [set(labelled.train), set(labelled.test), set(labelled.judge)]
    assert not (parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2])
    learned = {labelled.data.ids[i] for i in labelled.judge}
    assert not learned & set(train.ids)
    assert np.isfinite(labelled.rows.numpy()).all()


def test_files_that_do_not_suit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ccdcgan, "QUICK", SMALLEST)
    with pytest.raises(InputError, match="--data"):
        ccdcgan.run_bench(None, True, 0, silent)
    with pytest.raises(InputError, match="formation energies of small crystals"):
        ccdcgan.run_bench(write(tmp_path / "crystals.jsonl.gz", energies=False), True, 0, silent)
