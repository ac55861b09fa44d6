"""No bench tests a model on a composition or a prototype that it has learned from."""

import gzip
import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import spglib

from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.registry import BENCHES
from fermiloop.platform.representations.prototypes import PROTOTYPES

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "mp_structures.jsonl.gz"
SEED_LIBRARY = Path(__file__).parents[3] / "db_init" / "seed" / "gpaw_pbe.jsonl.gz"
OF_CURVES = ("dos", "curves")
LINES = 700
GROUPS = {}


def made_up():
    """Binaries and ternaries of many prototypes where there is no real data; of each composition two polymorphs."""
    rng, lines = np.random.default_rng(0), []
    metals = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Zn", "V", "Ti", "Al", "Y")
    kinds = [name for name, one in PROTOTYPES.items() if "B" in one.slots]
    for i, a in enumerate(metals):
        for j, b in enumerate(("O", "F", "Cl", "Br", "I", "S", "Se", "Te", "N", "P", "As", "Sb")):
            for shift in (0, 5):
                crystal = PROTOTYPES[kinds[(i + 2 * j + shift) % len(kinds)]].build(a, b, 18.0)
                for third in (None, metals[(i + 3) % len(metals)]):
                    species, frac = [site.specie.symbol for site in crystal], crystal.frac_coords.tolist()
                    if third is not None:
                        species, frac = [*species, third], [*frac, [0.31, 0.17, 0.43]]
                    lines.append(
                        {
                            "cell": [*crystal.lattice.abc, *crystal.lattice.angles], "species": species, "frac": frac,
                            "e_form": float(rng.normal(-1, 0.4)), "band_gap": float(rng.uniform(0, 3)),
                            "e_above_hull": float(rng.choice([0.0, 0.1])),
                        }
                    )  # fmt: skip
    return lines


@pytest.fixture(scope="module")
def crystals(tmp_path_factory):
    """A few real crystals, labelled, V-O among them; made-up ones where there are none."""
    path = tmp_path_factory.mktemp("leak") / "crystals.jsonl"
    lines = [json.dumps(line) for line in made_up()]
    if DATA.exists():
        with gzip.open(DATA, "rt", encoding="utf-8") as file:
            lines = [line for line in islice(file, 6 * LINES) if '"spacegroup": null' not in line][:LINES]
        with gzip.open(DATA, "rt", encoding="utf-8") as file:
            lines += [line for line in file if '"V"' in line and '"n_elements": 2,' in line and '"O"' in line]
    path.write_text("\n".join(lines))
    return read_crystals(path)[0]


@pytest.fixture(scope="module")
def library():
    """A third of the shipped one: the splits are the same, the symmetries that are compared a third."""
    every = read_crystals(SEED_LIBRARY)[0]
    return every.subset(list(range(0, len(every), 3)))


def kinds_of(data):
    """Compositions and prototypes: of a library, where these have other names, by formula and crystal."""
    formulas = {structure.composition.reduced_formula for structure in data.structures}
    return formulas, {
        name if "/" in name else (structure.composition.anonymized_formula, group_of(structure))
        for name, structure in zip(data.prototypes, data.structures, strict=True)
    }


def group_of(structure):
    """Space group, once for each crystal."""
    if id(structure) not in GROUPS:
        cell = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
        GROUPS[id(structure)] = spglib.get_spacegroup(cell, symprec=0.1)
    return GROUPS[id(structure)]


@pytest.mark.parametrize("name", [name for name, bench in BENCHES.items() if not bench.no_test_part])
def test_no_test_part_shares_a_composition_or_a_prototype_with_its_training_part(name, crystals, library):
    parts = BENCHES[name].held_out(library if name in OF_CURVES else crystals, quick=True, seed=3)
    assert parts
    for part in parts:
        assert len(part.train)
        assert len(part.test)
        learned, asked = kinds_of(part.train), kinds_of(part.test)
        assert not learned[0] & asked[0], f"{name}, {part.name}: compositions"
        assert not learned[1] & asked[1], f"{name}, {part.name}: prototypes"


def test_benches_without_a_test_part_say_why():
    for name, bench in BENCHES.items():
        module = __import__(bench.module, fromlist=["held_out"])
        assert hasattr(module, "held_out") is not bool(bench.no_test_part), name
