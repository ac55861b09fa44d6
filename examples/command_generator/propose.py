#!/usr/bin/env python3
"""A generator in a program of its own: elements of known crystals exchanged for similar ones. It needs numpy alone.

    propose.py fit FOLDER     learns which elements there are, how large and how alike they are
    propose.py sample FOLDER  leaves crystals in FOLDER/out/crystals.extxyz, each with its score

Parents are the crystals whose curve comes nearest to the target's; an element takes the place of another where it
occurs in the space, and the more likely the nearer their columns and rows in the periodic table and the volumes that
they have in the training set. docs/howto/own-generator.md says what the folder holds.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROWS = (
    "H He", "Li Be B C N O F Ne", "Na Mg Al Si P S Cl Ar",
    "K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr",
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe",
    "Cs Ba La Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi",
)  # fmt: skip
PARENTS = 20


def places() -> dict[str, tuple[int, int]]:
    """Row and column of each element in the long form of the periodic table."""
    found = {}
    for row, text in enumerate(ROWS):
        symbols = text.split()
        for place, symbol in enumerate(symbols):
            gap = 10 if len(symbols) == 8 and place > 1 else 16 if symbol == "He" else 0
            found[symbol] = (row, place + gap)
    return found


def read(path: Path) -> list[dict]:
    """Crystals of an extended XYZ file: cell (3, 3) in Å, symbols, positions (n, 3), and what else is said of them."""
    lines, found = path.read_text().splitlines(), []
    while lines:
        n, comment = int(lines[0]), lines[1]
        about = {key: quoted or plain for key, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|(\S+))', comment)}
        atoms = [line.split() for line in lines[2 : 2 + n]]
        found.append(
            {
                "id": about["id"],
                "system": about["crystal_system"],
                "cell": np.array(about["Lattice"].split(), dtype=float).reshape(3, 3),
                "symbols": [atom[0] for atom in atoms],
                "positions": np.array([atom[1:4] for atom in atoms], dtype=float),
            }
        )
        lines = lines[2 + n :]
    return found


def fit(folder: Path) -> None:
    """Volume per atom of each element: least squares over the crystals of the training set."""
    crystals = read(folder / "training.extxyz")
    symbols = sorted({symbol for crystal in crystals for symbol in crystal["symbols"]})
    counts = np.array([[crystal["symbols"].count(symbol) for symbol in symbols] for crystal in crystals], dtype=float)
    volumes = np.array([abs(np.linalg.det(crystal["cell"])) for crystal in crystals])
    sizes = np.linalg.lstsq(counts, volumes, rcond=None)[0]
    known = {symbol: max(5.0, float(size)) for symbol, size in zip(symbols, sizes, strict=True)}
    (folder / "model" / "volumes.json").write_text(json.dumps(known))


def nearest(folder: Path, n: int) -> list[tuple[int, float]]:
    """Crystals whose curves come nearest to the target's, with the cosine; all of them where there is no curve."""
    target = json.loads((folder / "target.json").read_text())["curve"]
    with np.load(folder / "curves.npz") as kept:
        energies, curves = kept["energies"], np.nan_to_num(kept["curves"])
    if target is None:
        return [(row, 0.0) for row in range(min(n, len(curves)))]
    wanted = np.interp(energies, target["energies"], target["values"])
    inside = slice(None)
    if target["window"]:
        inside = (energies >= target["window"][0]) & (energies <= target["window"][1])
    wanted, curves = wanted[inside], curves[:, inside]
    lengths = np.linalg.norm(curves, axis=1) * np.linalg.norm(wanted)
    cosines = np.divide(curves @ wanted, lengths, out=np.zeros(len(curves)), where=lengths > 0)
    return [(int(row), float(cosines[row])) for row in np.argsort(-cosines, kind="stable")[:n]]


def children(crystal: dict, near: float, space: dict, volumes: dict[str, float]) -> Iterator[tuple]:
    """The crystal with one element exchanged, each with its score and with the size that its atoms ask for."""
    where, own = places(), sorted(set(crystal["symbols"]))
    low, high = space["components"]
    for old in own:
        for new in space["elements"]:
            after = [new if symbol == old else symbol for symbol in crystal["symbols"]]
            kinds = set(after)
            if new in own or not kinds <= set(space["elements"]) or not low <= len(kinds) <= high:
                continue
            if new not in where or old not in where or not kinds <= volumes.keys():
                continue
            apart = np.subtract(where[old], where[new]) / (2, 6)
            unlike = float(np.hypot(*apart)) + abs(np.log(volumes[new] / volumes[old]))
            scale = (sum(volumes[s] for s in after) / abs(np.linalg.det(crystal["cell"]))) ** (1 / 3)
            yield near - 0.2 * unlike, after, crystal["cell"] * scale, crystal["positions"] * scale


def sample(folder: Path) -> None:
    """Leave the best children, the last places given by chance."""
    request = json.loads((folder / "request.json").read_text())
    space, target = (json.loads((folder / name).read_text()) for name in ("space.json", "target.json"))
    volumes = json.loads((folder / "model" / "volumes.json").read_text())
    rng = np.random.default_rng(request["seed"])
    crystals, made = read(folder / "training.extxyz"), {}
    for row, near in nearest(folder, PARENTS):
        crystal = crystals[row]
        if crystal["system"] not in space["crystal_systems"] or len(crystal["symbols"]) > space["max_sites"]:
            continue
        for score, symbols, cell, positions in children(crystal, near, space, volumes):
            score += float(rng.gumbel(scale=0.02))
            key = ("".join(sorted(symbols)), round(abs(np.linalg.det(cell)), 3))
            if key not in made or made[key][0] < score:
                made[key] = (score, symbols, cell, positions, crystal["id"])
    best = sorted(made.values(), key=lambda one: -one[0])[: request["n"]]
    with (folder / "out" / "crystals.extxyz").open("w") as out:
        for score, symbols, cell, positions, parent in best:
            lattice = " ".join(f"{value:.10f}" for value in cell.ravel())
            out.write(f'{len(symbols)}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T" ')
            out.write(f"score={score:.6f} parent={parent}\n")
            for symbol, position in zip(symbols, positions, strict=True):
                out.write(f"{symbol} {' '.join(f'{value:.10f}' for value in position)}\n")
    print(f"{len(best)} of {len(made)} children, {len(target['exclude'])} formulas excluded by the platform")


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        print(f"propose.py 1.0, numpy {np.__version__}")
    else:
        {"fit": fit, "sample": sample}[sys.argv[1]](Path(sys.argv[2]))
